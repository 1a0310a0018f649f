//! The default bridge: who is plugged into it, with which address and ports.
//!
//! Each engine has its own, so everything is found by the bridge's and the
//! table's names; nothing of another engine is touched. What must be quick
//! (attach, detach) touches only map elements; veth pairs are deleted later by
//! [`Bridge::sweep`], because that costs the kernel tens of milliseconds.

mod setup;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dhow_sys::netlink::{self, Link, Socket};
use dhow_sys::nft::{Nft, Transaction};
use ipnet::Ipv4Net;

use crate::endpoint::{Endpoint, EndpointRequest, Protocol, PublishedPort};
use crate::listener::{self, Listener};
use crate::namespace::{Namespace, Outlet, Plug};
use crate::plan::rules::BridgeRules;
use crate::plan::{AddressPlan, PortPlan, mac_of};
use crate::{Error, firewall};

/// What the person who starts the engine may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeConfig {
    /// The bridge's name; also tells several engines' bridges apart.
    pub bridge: String,
    /// The nftables table's name.
    pub table: String,
    /// `--bip`: the bridge's address and subnet.
    pub bip: Option<Ipv4Net>,
    pub mtu: u32,
    /// `--ip`: the host address of published ports that name none.
    pub default_address: IpAddr,
    /// `--ip-forward`: switch the host's forwarding on.
    pub ip_forward: bool,
    /// `--ip-masq`: hide containers behind the host when they talk to others.
    pub masquerade: bool,
    /// `--icc`: let containers of the bridge talk to each other.
    pub inter_container: bool,
    /// Whether the engine makes and deletes the bridge; not with `--bridge`.
    pub managed: bool,
}

/// The bridge in the kernel and what the engine knows about it.
pub struct Bridge {
    config: BridgeConfig,
    /// The bridge's own address with its subnet.
    address: Ipv4Net,
    outlet: Outlet,
    rules: BridgeRules,
    /// What does not change while the engine runs.
    warnings: Vec<String>,
    /// What others' rules keep from working, as they are now.
    blocked: Mutex<Vec<String>>,
    state: Mutex<State>,
    route: Mutex<Socket>,
    nft: Mutex<Nft>,
}

struct State {
    addresses: AddressPlan,
    ports: PortPlan,
    endpoints: BTreeMap<String, Endpoint>,
    /// Plugs of namespaces that no container has yet, by link name.
    spare: BTreeMap<String, Ipv4Addr>,
    leaving: Vec<Leaving>,
}

/// A veth pair whose container is gone, until the kernel has deleted it.
#[derive(Clone)]
struct Leaving {
    link: String,
    address: Ipv4Addr,
    since: Instant,
}

/// A container's network, to be handed to its shim.
#[derive(Debug)]
pub struct Attached {
    pub endpoint: Endpoint,
    /// The network namespace.
    pub namespace: OwnedFd,
    /// One for each published port, in the same order as the endpoint's.
    pub listeners: Vec<Listener>,
}

/// An attachment that failed; the namespace is as good as new.
#[derive(Debug)]
pub struct Refused {
    pub error: Error,
    pub namespace: Namespace,
}

impl Default for BridgeConfig {
    fn default() -> Self {
        Self {
            bridge: "dhow0".into(),
            table: "dhow".into(),
            bip: None,
            mtu: 1500,
            default_address: Ipv4Addr::UNSPECIFIED.into(),
            ip_forward: true,
            masquerade: true,
            inter_container: true,
            managed: true,
        }
    }
}

impl Bridge {
    /// Makes bridge, table and settings what they should be, in the calling
    /// thread's network namespace. Containers that are plugged in stay so.
    pub fn open(config: BridgeConfig) -> Result<Self, Error> {
        setup::open(config)
    }

    pub fn config(&self) -> &BridgeConfig {
        &self.config
    }

    /// The subnet, with host bits zero.
    pub fn subnet(&self) -> Ipv4Net {
        self.address.trunc()
    }

    /// The bridge's own address: containers' gateway and `host-gateway`.
    pub fn gateway(&self) -> Ipv4Addr {
        self.address.addr()
    }

    /// Sentences for `/info`: what keeps containers from the network.
    pub fn warnings(&self) -> Vec<String> {
        let blocked = lock(&self.blocked);
        self.warnings
            .iter()
            .chain(blocked.iter())
            .cloned()
            .collect()
    }

    /// Looks again at what others' forward chains do, and gets the bridge's
    /// packets past them; not when `closed` says that the bridge is given up.
    pub fn pass_foreign_chains(&self, closed: impl FnOnce() -> bool) {
        let mut nft = lock(&self.nft);
        if closed() {
            return;
        }
        let now = firewall::pass_foreign_chains(&mut nft, &self.rules);
        drop(nft);
        let mut blocked = lock(&self.blocked);
        for warning in now.iter().filter(|warning| !blocked.contains(warning)) {
            tracing::warn!("{warning}");
        }
        *blocked = now;
    }

    /// The endpoints that are attached or adopted.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.state().endpoints.values().cloned().collect()
    }

    /// Makes a namespace plugged into the bridge. Slow: milliseconds.
    pub fn make_namespace(&self) -> Result<Namespace, Error> {
        let address = self.state().addresses.lease()?;
        let plug = Plug {
            link: link_name(address),
            address,
            mac: mac_of(address),
        };
        let link = plug.link.clone();
        self.state().spare.insert(link.clone(), address);
        Namespace::plugged(plug, self.outlet, &self.route).inspect_err(|_| {
            let mut state = self.state();
            state.spare.remove(&link);
            state.leave(link, address);
        })
    }

    /// Publishes the ports and makes the namespace the endpoint's.
    pub fn attach(
        &self,
        mut namespace: Namespace,
        request: &EndpointRequest,
    ) -> Result<Attached, Box<Refused>> {
        let address = namespace.plug.address;
        let published = namespace
            .set_mac(request.mac.unwrap_or_else(|| mac_of(address)))
            .and_then(|()| self.publish(address, request));
        match published {
            Ok(listeners) => {
                let endpoint = Endpoint {
                    id: request.id.clone(),
                    address,
                    prefix: self.address.prefix_len(),
                    gateway: self.gateway(),
                    mac: namespace.plug.mac,
                    link: namespace.plug.link.clone(),
                    ports: listeners.iter().map(|listener| listener.port).collect(),
                };
                let mut state = self.state();
                state.spare.remove(&endpoint.link);
                state
                    .endpoints
                    .insert(endpoint.id.clone(), endpoint.clone());
                Ok(Attached {
                    endpoint,
                    namespace: namespace.descriptor,
                    listeners,
                })
            }
            Err(error) => Err(Box::new(Refused { error, namespace })),
        }
    }

    /// Lets go of a namespace that no container will have.
    pub fn discard(&self, namespace: Namespace) {
        let Plug { link, address, .. } = namespace.plug;
        let mut state = self.state();
        state.spare.remove(&link);
        state.leave(link, address);
    }

    /// Takes the endpoint's ports back at once, its address when the veth pair
    /// is gone (see [`Self::sweep`]).
    pub fn detach(&self, id: &str) -> Result<(), Error> {
        let endpoint = self
            .state()
            .endpoints
            .remove(id)
            .ok_or_else(|| Error::NoEndpoint(id.to_owned()))?;
        let withdrawn = self.withdraw(&endpoint);
        let mut state = self.state();
        for port in &endpoint.ports {
            state.ports.release(port);
        }
        state.leave(endpoint.link, endpoint.address);
        withdrawn
    }

    /// Registers a running container's endpoint after a restart of the daemon,
    /// without touching the kernel.
    pub fn adopt(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let mut state = self.state();
        state.addresses.adopt(endpoint.address)?;
        for port in &endpoint.ports {
            state.ports.take(port, false);
        }
        state
            .endpoints
            .insert(endpoint.id.clone(), endpoint.clone());
        Ok(())
    }

    /// Makes the kernel agree with `living`, the endpoints of all running
    /// containers: adopts those not known yet, forgets others, deletes veth
    /// pairs and map elements that belong to none. Returns how many veth pairs
    /// were deleted.
    pub fn reconcile(&self, living: &[Endpoint]) -> Result<usize, Error> {
        for gone in self.endpoints() {
            if !living.iter().any(|endpoint| endpoint.id == gone.id) {
                self.detach(&gone.id)?;
            }
        }
        for endpoint in living {
            let known = self.state().endpoints.contains_key(&endpoint.id);
            if !known {
                self.adopt(endpoint)?;
            }
        }
        let plugged = self.plugged_links()?;
        let strangers: Vec<u32> = {
            let state = self.state();
            let unknown = plugged.iter().filter(|link| !state.knows(&link.name));
            unknown.map(|link| link.index).collect()
        };
        self.delete_links(&strangers)?;
        self.reinstall()?;
        Ok(strangers.len())
    }

    /// Deletes veth pairs whose containers left more than `grace` ago, unless
    /// the kernel did so with their namespace, and frees their addresses.
    /// Returns whether some are left for later.
    pub fn sweep(&self, grace: Duration) -> Result<bool, Error> {
        // Those at work stay listed meanwhile: their addresses are not free.
        let leaving = self.state().leaving.clone();
        let plugged = match leaving.is_empty() {
            true => Vec::new(),
            false => self.plugged_links()?,
        };
        let mut overdue = Vec::new();
        let mut gone = Vec::new();
        for left in leaving {
            match plugged.iter().find(|link| link.name == left.link) {
                Some(_) if left.since.elapsed() < grace => continue,
                Some(link) => overdue.push(link.index),
                None => {}
            }
            gone.push(left);
        }
        self.delete_links(&overdue)?;
        let mut state = self.state();
        for left in gone {
            state.leaving.retain(|other| other.link != left.link);
            state.addresses.release(left.address);
        }
        Ok(!state.leaving.is_empty())
    }

    /// Whether [`Self::sweep`] has something to do.
    pub fn has_leaving(&self) -> bool {
        !self.state().leaving.is_empty()
    }

    /// Removes all that is the engine's from the kernel: veth pairs, bridge,
    /// table, and its rules in other tables. Goes on after an error and
    /// returns the first.
    pub fn remove_all(&self) -> Result<(), Error> {
        let mut results = Vec::new();
        {
            let mut nft = lock(&self.nft);
            results.push(firewall::leave_foreign_chains(&mut nft, &self.rules));
            results.push(nft.commit(self.rules.remove()));
        }
        match self.plugged_links() {
            Ok(links) => {
                let indexes: Vec<u32> = links.iter().map(|link| link.index).collect();
                results.push(self.delete_links(&indexes));
            }
            Err(error) => results.push(Err(error)),
        }
        if self.config.managed {
            let deleted = lock(&self.route).delete_link(self.outlet.bridge);
            results.push(gone_is_fine(deleted));
        }
        results
            .into_iter()
            .collect::<Result<(), _>>()
            .map_err(Error::from)
    }

    fn publish(
        &self,
        address: Ipv4Addr,
        request: &EndpointRequest,
    ) -> Result<Vec<Listener>, Error> {
        if request.ports.is_empty() {
            return Ok(Vec::new());
        }
        let listeners = listener::open_all(
            &mut self.state().ports,
            &request.ports,
            self.config.default_address,
            address,
        )?;
        let ports: Vec<PublishedPort> = listeners.iter().map(|listener| listener.port).collect();
        let done = self
            .change(|rules| rules.publish(address, &ports))
            .and_then(|()| self.forget_flows(address, &ports));
        if done.is_err() {
            let mut state = self.state();
            ports.iter().for_each(|port| state.ports.release(port));
        }
        done.map(|()| listeners)
    }

    fn withdraw(&self, endpoint: &Endpoint) -> Result<(), Error> {
        self.change(|rules| rules.withdraw(endpoint.address, &endpoint.ports))?;
        self.forget_flows(endpoint.address, &endpoint.ports)
    }

    /// Makes datagrams that keep coming find the ports' new state: those that
    /// went elsewhere until now, and those that still go to `address`.
    fn forget_flows(&self, address: Ipv4Addr, ports: &[PublishedPort]) -> Result<(), Error> {
        let published: Vec<u16> = ports
            .iter()
            .filter(|port| port.protocol == Protocol::Udp && port.host.is_ipv4())
            .map(|port| port.host.port())
            .collect();
        if published.is_empty() {
            return Ok(());
        }
        lock(&self.nft).forget_udp(|flow| {
            let translated = flow.answerer.ip() == &address && flow.destination != flow.answerer;
            let port = flow.destination.port();
            published.contains(&port) && (translated || flow.destination == flow.answerer)
        })?;
        Ok(())
    }

    /// Changes map elements. Should somebody have emptied the whole rule set
    /// (`nft flush ruleset`), the table is made again first.
    fn change(&self, step: impl Fn(&BridgeRules) -> Transaction) -> Result<(), Error> {
        let transaction = step(&self.rules);
        if transaction.is_empty() {
            return Ok(());
        }
        let result = lock(&self.nft).commit(transaction);
        match result {
            Err(error) if error.is_not_found() || error.is_exists() => {
                self.reinstall()?;
                ignore_gone(lock(&self.nft).commit(step(&self.rules)))
            }
            other => Ok(other?),
        }
    }

    /// The table with the ports of all endpoints and nothing else.
    fn reinstall(&self) -> Result<(), Error> {
        let endpoints = self.endpoints();
        let mut nft = lock(&self.nft);
        firewall::install(&mut nft, &self.rules)?;
        nft.commit(self.rules.republish(endpoints.iter()))?;
        Ok(())
    }

    /// The host's ends of all veth pairs of this bridge.
    fn plugged_links(&self) -> Result<Vec<Link>, netlink::Error> {
        let mut links = lock(&self.route).links()?;
        links.retain(|link| {
            link.master == Some(self.outlet.bridge) && link.kind.as_deref() == Some("veth")
        });
        Ok(links)
    }

    fn delete_links(&self, indexes: &[u32]) -> Result<(), netlink::Error> {
        // The subnet is this bridge's alone, so its number is a good one for
        // the group of what is to be deleted.
        let group = u32::from(self.subnet().network());
        lock(&self.route).delete_links(indexes, group)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn knows(&self, link: &str) -> bool {
        self.spare.contains_key(link)
            || self
                .endpoints
                .values()
                .any(|endpoint| endpoint.link == link)
            || self.leaving.iter().any(|left| left.link == link)
    }

    fn leave(&mut self, link: String, address: Ipv4Addr) {
        self.leaving.push(Leaving {
            link,
            address,
            since: Instant::now(),
        });
    }
}

/// The host's end of the veth pair of `address`: one address has one pair, and
/// subnets of several engines do not overlap, even if they start at once.
fn link_name(address: Ipv4Addr) -> String {
    format!("veth{:08x}", u32::from(address))
}

fn gone_is_fine(result: Result<(), netlink::Error>) -> Result<(), netlink::Error> {
    match result {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

fn ignore_gone(result: Result<(), netlink::Error>) -> Result<(), Error> {
    Ok(gone_is_fine(result)?)
}

/// Every change under these locks is complete before anything can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
