//! The grammar of the command line: global flags, groups, short forms, and
//! which function runs each command.

use clap::{Args, CommandFactory, Parser, Subcommand};
use dhow_client::Choice;

use crate::commands::{
    completion, container, context, dashboard, image, inspect, network, registry, system, volume,
};
use crate::failure::Failure;
use crate::program::Program;
use crate::session::{Session, VERSION};
use crate::usage;

/// Containers on this computer
#[derive(Parser)]
#[command(name = "dhow")]
pub struct App {
    /// Where the client's configuration is
    #[arg(long)]
    config: Option<std::path::PathBuf>,
    /// The context whose engine is meant
    #[arg(short, long)]
    context: Option<String>,
    /// Say more about what goes on
    #[arg(short = 'D', long)]
    pub debug: bool,
    /// The engine's address
    #[arg(short = 'H', long = "host", value_name = "list")]
    hosts: Vec<String>,
    /// How much to log: debug, info, warn, error, fatal
    #[arg(short, long = "log-level")]
    log_level: Option<String>,
    /// Use TLS; --tlsverify implies it
    #[arg(long)]
    tls: bool,
    /// Trust only what this CA signed
    #[arg(long)]
    tlscacert: Option<std::path::PathBuf>,
    /// The client's TLS certificate
    #[arg(long)]
    tlscert: Option<std::path::PathBuf>,
    /// The client's TLS key
    #[arg(long)]
    tlskey: Option<std::path::PathBuf>,
    /// Use TLS and check the engine's certificate
    #[arg(long, action = clap::ArgAction::Set)]
    tlsverify: Option<bool>,
    /// Print the version and quit
    #[arg(short, long)]
    pub version: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl App {
    /// A level that nobody knows. There is nothing to log here; the flag is
    /// taken because scripts give it.
    pub fn unknown_log_level(&self) -> Option<&str> {
        const LEVELS: &[&str] = &[
            "panic", "fatal", "error", "warn", "warning", "info", "debug", "trace",
        ];
        let level = self.log_level.as_deref()?;
        let known = LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level));
        (!known).then_some(level)
    }

    /// What the global flags say about the engine.
    pub fn choice(&self) -> Choice {
        Choice {
            hosts: self.hosts.clone(),
            context: self.context.clone(),
            config: self.config.clone(),
            tls: self.tls,
            tls_verify: self.tlsverify,
            tls_ca: self.tlscacert.clone(),
            tls_cert: self.tlscert.clone(),
            tls_key: self.tlskey.clone(),
        }
    }
}

/// The grammar as clap sees it, with Docker's habits.
pub fn grammar(program: Program) -> clap::Command {
    usage::adapt(App::command().name(program.name).bin_name(program.name))
}

/// The answer to `--version`.
pub fn version_line(program: Program) -> String {
    if program.is_docker() {
        return format!("Docker version {VERSION}, build dhow");
    }
    format!("dhow version {VERSION}")
}

/// Every command: its name, its arguments, what runs it.
macro_rules! commands {
    ($(#[$meta:meta])* $enum:ident { $($(#[$attr:meta])* $variant:ident($args:ty) => $run:path,)* }) => {
        $(#[$meta])*
        #[derive(Subcommand)]
        pub enum $enum {
            $($(#[$attr])* $variant($args),)*
        }

        impl $enum {
            /// Runs it; the answer is the exit code.
            pub async fn run(self, session: &Session) -> Result<i32, Failure> {
                match self {
                    $(Self::$variant(arguments) => Box::pin($run(arguments, session)).await,)*
                }
            }
        }
    };
}

/// A group of commands.
#[derive(Args)]
pub struct Group<T: Subcommand> {
    #[command(subcommand)]
    command: T,
}

commands! {
    /// Everything that can be asked for.
    Command {
        Attach(container::attach::Arguments) => container::attach::run,
        Commit(container::commit::Arguments) => container::commit::run,
        Completion(completion::Arguments) => completion::run,
        /// Manage containers
        Container(Group<ContainerCommand>) => container_group,
        /// Manage contexts
        Context(Group<ContextCommand>) => context_group,
        Cp(container::cp::Arguments) => container::cp::run,
        Create(container::create::Arguments) => container::create::run,
        Dashboard(dashboard::Arguments) => dashboard::run,
        Diff(container::diff::Arguments) => container::diff::run,
        Events(system::events::Arguments) => system::events::run,
        Exec(container::exec::Arguments) => container::exec::run,
        Export(container::export::Arguments) => container::export::run,
        History(image::history::Arguments) => image::history::run,
        /// Manage images
        Image(Group<ImageCommand>) => image_group,
        Images(image::list::Arguments) => image::list::run,
        Import(image::import::Arguments) => image::import::run,
        Info(system::info::Arguments) => system::info::run,
        Inspect(inspect::Arguments) => inspect::any,
        Kill(container::kill::Arguments) => container::kill::run,
        Load(image::load::Arguments) => image::load::run,
        Login(registry::login::LoginArguments) => registry::login::login,
        Logout(registry::login::LogoutArguments) => registry::login::logout,
        Logs(container::logs::Arguments) => container::logs::run,
        /// Manage networks
        Network(Group<NetworkCommand>) => network_group,
        Pause(container::pause::PauseArguments) => container::pause::pause,
        Port(container::port::Arguments) => container::port::run,
        Ps(container::list::Arguments) => container::list::run,
        Pull(image::pull::Arguments) => image::pull::run,
        Push(image::push::Arguments) => image::push::run,
        Rename(container::rename::Arguments) => container::rename::run,
        Restart(container::stop::RestartArguments) => container::stop::restart,
        #[command(alias = "remove")]
        Rm(container::rm::Arguments) => container::rm::run,
        Rmi(image::rm::Arguments) => image::rm::run,
        Run(container::run::Arguments) => container::run::run,
        Save(image::save::Arguments) => image::save::run,
        Search(registry::search::Arguments) => registry::search::run,
        Start(container::start::Arguments) => container::start::run,
        Stats(container::stats::Arguments) => container::stats::run,
        Stop(container::stop::StopArguments) => container::stop::stop,
        /// Manage the engine
        System(Group<SystemCommand>) => system_group,
        Tag(image::tag::Arguments) => image::tag::run,
        Top(container::top::Arguments) => container::top::run,
        Unpause(container::pause::UnpauseArguments) => container::pause::unpause,
        Update(container::update::Arguments) => container::update::run,
        Version(system::version::Arguments) => system::version::run,
        /// Manage volumes
        Volume(Group<VolumeCommand>) => volume_group,
        Wait(container::wait::Arguments) => container::wait::run,
    }
}

commands! {
    /// What can be done with containers.
    ContainerCommand {
        Attach(container::attach::Arguments) => container::attach::run,
        Commit(container::commit::Arguments) => container::commit::run,
        Cp(container::cp::Arguments) => container::cp::run,
        Create(container::create::Arguments) => container::create::run,
        Diff(container::diff::Arguments) => container::diff::run,
        Exec(container::exec::Arguments) => container::exec::run,
        Export(container::export::Arguments) => container::export::run,
        Inspect(inspect::ContainerArguments) => inspect::containers,
        Kill(container::kill::Arguments) => container::kill::run,
        Logs(container::logs::Arguments) => container::logs::run,
        #[command(aliases = ["ps", "list"])]
        Ls(container::list::Arguments) => container::list::run,
        Pause(container::pause::PauseArguments) => container::pause::pause,
        Port(container::port::Arguments) => container::port::run,
        Prune(container::prune::Arguments) => container::prune::run,
        Rename(container::rename::Arguments) => container::rename::run,
        Restart(container::stop::RestartArguments) => container::stop::restart,
        #[command(alias = "remove")]
        Rm(container::rm::Arguments) => container::rm::run,
        Run(container::run::Arguments) => container::run::run,
        Start(container::start::Arguments) => container::start::run,
        Stats(container::stats::Arguments) => container::stats::run,
        Stop(container::stop::StopArguments) => container::stop::stop,
        Top(container::top::Arguments) => container::top::run,
        Unpause(container::pause::UnpauseArguments) => container::pause::unpause,
        Update(container::update::Arguments) => container::update::run,
        Wait(container::wait::Arguments) => container::wait::run,
    }
}

commands! {
    /// What can be done with images.
    ImageCommand {
        History(image::history::Arguments) => image::history::run,
        Import(image::import::Arguments) => image::import::run,
        Inspect(inspect::ImageArguments) => inspect::images,
        Load(image::load::Arguments) => image::load::run,
        #[command(alias = "list")]
        Ls(image::list::Arguments) => image::list::run,
        Prune(image::prune::Arguments) => image::prune::run,
        Pull(image::pull::Arguments) => image::pull::run,
        Push(image::push::Arguments) => image::push::run,
        #[command(alias = "remove")]
        Rm(image::rm::Arguments) => image::rm::run,
        Save(image::save::Arguments) => image::save::run,
        Tag(image::tag::Arguments) => image::tag::run,
    }
}

commands! {
    /// What can be done with the engine.
    SystemCommand {
        Df(system::df::Arguments) => system::df::run,
        #[command(hide = true)]
        DialStdio(system::dial::Arguments) => system::dial::run,
        Events(system::events::Arguments) => system::events::run,
        Info(system::info::Arguments) => system::info::run,
        Prune(system::prune::Arguments) => system::prune::run,
    }
}

commands! {
    /// What can be done with volumes.
    VolumeCommand {
        Create(volume::create::Arguments) => volume::create::run,
        Inspect(inspect::VolumeArguments) => inspect::volumes,
        #[command(alias = "list")]
        Ls(volume::list::Arguments) => volume::list::run,
        Prune(volume::prune::Arguments) => volume::prune::run,
        #[command(alias = "remove")]
        Rm(volume::rm::Arguments) => volume::rm::run,
    }
}

commands! {
    /// What can be done with networks.
    NetworkCommand {
        Connect(network::connect::ConnectArguments) => network::connect::connect,
        Create(network::create::Arguments) => network::create::run,
        Disconnect(network::connect::DisconnectArguments) => network::connect::disconnect,
        Inspect(inspect::NetworkArguments) => inspect::networks,
        #[command(alias = "list")]
        Ls(network::list::Arguments) => network::list::run,
        Prune(network::prune::Arguments) => network::prune::run,
        #[command(alias = "remove")]
        Rm(network::rm::Arguments) => network::rm::run,
    }
}

commands! {
    /// What can be done with contexts.
    ContextCommand {
        Create(context::create::Arguments) => context::create::run,
        Export(context::transfer::ExportArguments) => context::transfer::export,
        Import(context::transfer::ImportArguments) => context::transfer::import,
        Inspect(context::inspect::Arguments) => context::inspect::run,
        #[command(alias = "list")]
        Ls(context::list::Arguments) => context::list::run,
        #[command(alias = "remove")]
        Rm(context::rm::Arguments) => context::rm::run,
        Show(context::select::ShowArguments) => context::select::show,
        Update(context::update::Arguments) => context::update::run,
        Use(context::select::UseArguments) => context::select::choose,
    }
}

/// Runs what was asked of a group.
macro_rules! groups {
    ($($function:ident($enum:ident),)*) => {
        $(async fn $function(group: Group<$enum>, session: &Session) -> Result<i32, Failure> {
            group.command.run(session).await
        })*
    };
}

groups! {
    container_group(ContainerCommand),
    context_group(ContextCommand),
    image_group(ImageCommand),
    network_group(NetworkCommand),
    system_group(SystemCommand),
    volume_group(VolumeCommand),
}
