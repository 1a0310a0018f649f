//! The engine as the app sees it: where it is, whether it answers, and the
//! client that everything in the app talks to it with.
//!
//! [`watch`] decides, this carries out. What is known is published in a
//! channel that page, tray and notices read.

pub mod find;
pub mod launch;
mod state;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dhow_client::Client;
use tokio::sync::{mpsc, watch as channel};

use launch::Surroundings;
use state::Launch;
pub use state::{EngineState, Offer, Why};
use watch::{Effect, Event, Policy, Watch};

/// What the settings say about the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Where it is, or nothing for the one that every client takes.
    pub host: String,
    /// Whether it may be started without being asked for.
    pub automatic: bool,
}

/// A handle on the watch; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    states: channel::Receiver<EngineState>,
    clients: channel::Receiver<Option<Arc<Client>>>,
    orders: mpsc::UnboundedSender<Order>,
}

enum Order {
    Wish(Wish),
    Event(Event),
    /// What became of a question, or of a program that was started.
    Answer(u64, Event),
}

impl Engine {
    /// Starts to watch.
    pub fn watch(wish: Wish, log: PathBuf) -> Self {
        let (state_sender, states) = channel::channel(EngineState::Looking);
        let (client_sender, clients) = channel::channel(None);
        let (orders, inbox) = mpsc::unbounded_channel();
        let task = Task {
            watch: Watch::new(),
            epoch: Instant::now(),
            round: 0,
            surroundings: Surroundings::of_process(),
            socket: None,
            log,
            client: client_sender,
            state: state_sender,
            orders: orders.clone(),
            timer: None,
        };
        tauri::async_runtime::spawn(task.run(wish, inbox));
        Self {
            states,
            clients,
            orders,
        }
    }

    /// What is known, and what will be.
    pub fn states(&self) -> channel::Receiver<EngineState> {
        self.states.clone()
    }

    /// What is known now.
    pub fn state(&self) -> EngineState {
        self.states.borrow().clone()
    }

    /// A client of the engine that is meant, whether that answers or not.
    pub fn client(&self) -> Option<Arc<Client>> {
        self.clients.borrow().clone()
    }

    /// Another wish.
    pub fn change(&self, wish: Wish) {
        self.order(Order::Wish(wish));
    }

    /// A person wants the engine started.
    pub fn start(&self) {
        self.order(Order::Event(Event::AskedToStart));
    }

    /// A person wants to know now.
    pub fn look(&self) {
        self.order(Order::Event(Event::AskedToLook));
    }

    /// Somebody's connection broke off, or found nobody.
    pub fn lost(&self) {
        self.order(Order::Event(Event::Lost));
    }

    fn order(&self, order: Order) {
        // Without the task the app is on its way out.
        let _ = self.orders.send(order);
    }
}

struct Task {
    watch: Watch,
    epoch: Instant,
    /// Answers to questions about an engine that was meant before are void.
    round: u64,
    surroundings: Surroundings,
    socket: Option<PathBuf>,
    log: PathBuf,
    client: channel::Sender<Option<Arc<Client>>>,
    state: channel::Sender<EngineState>,
    orders: mpsc::UnboundedSender<Order>,
    timer: Option<tauri::async_runtime::JoinHandle<()>>,
}

impl Task {
    async fn run(mut self, wish: Wish, mut inbox: mpsc::UnboundedReceiver<Order>) {
        self.begin(&wish);
        while let Some(order) = inbox.recv().await {
            match order {
                Order::Wish(wish) => self.begin(&wish),
                Order::Event(event) => self.take(event),
                Order::Answer(round, event) if round == self.round => self.take(event),
                Order::Answer(..) => {}
            }
        }
    }

    fn begin(&mut self, wish: &Wish) {
        self.round += 1;
        let target = find::target(&wish.host);
        self.socket = target
            .as_ref()
            .ok()
            .and_then(|target| find::usual_socket(target, &wish.host));
        let launch = match self.socket {
            Some(_) => launch::possible(&self.surroundings),
            None => Launch::Impossible,
        };
        let policy = Policy {
            launch,
            automatic: wish.automatic,
        };
        match target {
            Ok(target) => {
                let agent = concat!("dhow-app/", env!("CARGO_PKG_VERSION"));
                let client = Client::new(&target, agent);
                tracing::info!(engine = %client.endpoint(), ?launch, "looking for the engine");
                self.client.send_replace(Some(Arc::new(client)));
                self.take(Event::Begin(policy));
            }
            Err(error) => {
                self.client.send_replace(None);
                let (_, message) = find::reason(&error);
                let _ = self.watch.on(Event::Begin(policy), self.now());
                self.take(Event::Failed(Why::Misconfigured, message));
            }
        }
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn take(&mut self, event: Event) {
        tracing::debug!(?event, "engine");
        let now = self.now();
        for effect in self.watch.on(event, now) {
            self.carry_out(effect);
        }
        let state = self.watch.state();
        self.state.send_if_modified(|known| {
            let changed = known != state;
            if changed {
                tracing::info!(?state, "engine");
                known.clone_from(state);
            }
            changed
        });
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Look => self.look(),
            Effect::Launch => self.launch(),
            Effect::Wait(delay) => {
                if let Some(timer) = self.timer.take() {
                    timer.abort();
                }
                let (orders, round) = (self.orders.clone(), self.round);
                self.timer = Some(tauri::async_runtime::spawn(async move {
                    tokio::time::sleep(delay).await;
                    let _ = orders.send(Order::Answer(round, Event::Elapsed));
                }));
            }
        }
    }

    fn look(&self) {
        // Who is misconfigured stays so until the settings change.
        let Some(client) = self.client.borrow().clone() else {
            return;
        };
        let (orders, round) = (self.orders.clone(), self.round);
        tauri::async_runtime::spawn(async move {
            let event = match find::ask(&client).await {
                Ok((version, api)) => Event::Answered { version, api },
                Err((why, message)) => Event::Failed(why, message),
            };
            let _ = orders.send(Order::Answer(round, event));
        });
    }

    fn launch(&self) {
        let (orders, round) = (self.orders.clone(), self.round);
        let answer = move |event| {
            let _ = orders.send(Order::Answer(round, event));
        };
        let words = self
            .socket
            .as_deref()
            .and_then(|socket| launch::words(&self.surroundings, socket))
            .unwrap_or_default();
        tracing::info!(?words, "starting the engine");
        let before = launch::length(&self.log);
        let mut child = match launch::launch(&words, &self.log) {
            Ok(child) => child,
            Err((why, message)) => {
                answer(Event::LaunchFailed(why, message));
                return;
            }
        };
        let (surroundings, log) = (self.surroundings.clone(), self.log.clone());
        tauri::async_runtime::spawn(async move {
            let status = child.wait().await.ok();
            let code = status.and_then(|status| status.code());
            let words = launch::last_words(&log, before);
            if launch::declined(&surroundings, code) {
                answer(Event::LaunchFailed(Why::Declined, launch::refusal(&words)));
                return;
            }
            let how = status.map_or_else(String::new, |status| status.to_string());
            answer(Event::Exited(format!("the engine ended ({how})\n{words}")));
        });
    }
}
