//! The engine itself: what all verbs share, opened once per data root.

use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use dhow_image::{ImageStore, OpenOptions};
use dhow_model::id::hex;
use dhow_network::{Bridge, BridgeConfig, NamespacePool};
use dhow_registry::Registry;
use dhow_runtime::launch::Launcher;
use dhow_sys::cgroup::Hierarchies;
use dhow_volume::VolumeStore;

use crate::config::EngineConfig;
use crate::containers::execs::Execs;
use crate::containers::table::Table;
use crate::containers::view::NetworkIds;
use crate::containers::{LogChanges, VolumeTurns};
use crate::db::Db;
use crate::events::EventBus;
use crate::system::host::Host;
use crate::{Error, Result, clock};

/// Network namespaces kept ready. Each costs some 50 KiB of kernel memory; a
/// burst that empties the pool makes its own at a few milliseconds each.
const READY_NAMESPACES: usize = 8;

/// An engine in this process. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct LocalEngine {
    pub(crate) shared: Arc<Shared>,
}

/// What the verbs work on.
pub(crate) struct Shared {
    pub config: RwLock<Arc<EngineConfig>>,
    /// The engine's id, made once per data root.
    pub id: String,
    /// When the data root was first opened, nanoseconds since the epoch.
    pub created: i64,
    pub network_ids: NetworkIds,
    pub host: Host,
    /// The file system the data root is on.
    pub file_system: String,
    pub db: Db,
    pub events: EventBus,
    pub containers: Table,
    pub execs: Execs,
    pub log_changes: LogChanges,
    pub images: ImageStore,
    pub volumes: VolumeStore,
    pub volume_turns: VolumeTurns,
    pub registry: Registry,
    pub network: Arc<NamespacePool>,
    pub launcher: Launcher,
    pub hierarchies: Hierarchies,
}

impl LocalEngine {
    /// Opens the engine on its data root, finds the containers that kept
    /// running while no daemon was there, and begins to serve them.
    pub async fn open(config: EngineConfig) -> Result<Self> {
        let engine = tokio::task::spawn_blocking(move || Self::assemble(config)).await??;
        engine.recover().await?;
        let greeting = engine.clone();
        let greeted = tokio::task::spawn_blocking(move || greeting.load_built_in_images()).await?;
        if let Err(error) = greeted {
            // An engine without it is still an engine.
            tracing::warn!(%error, "the built-in image cannot be loaded");
        }
        let pool = Arc::clone(&engine.shared.network);
        std::thread::Builder::new()
            .name("namespaces".to_owned())
            .spawn(move || pool.keep_full())?;
        let pool = Arc::clone(&engine.shared.network);
        std::thread::Builder::new()
            .name("firewall".to_owned())
            .spawn(move || pool.watch_firewall())?;
        let starting = engine.clone();
        tokio::spawn(async move { starting.start_by_policy().await });
        Ok(engine)
    }

    fn assemble(config: EngineConfig) -> Result<Self> {
        let root = &config.data_root;
        private_directory(root)?;
        private_directory(&config.exec_root)?;
        for part in ["containers", "image", "volumes"] {
            std::fs::create_dir_all(root.join(part)).map_err(at(&root.join(part)))?;
        }
        std::fs::create_dir_all(config.exec_root.join("c")).map_err(at(&config.exec_root))?;

        crate::builtin::install_init(root)?;
        let db = Db::open(&root.join("engine.db"))?;
        let id = db.setting("id", random_id)?;
        let created = db.setting("created", || clock::now().to_string())?;
        let network_ids = NetworkIds {
            bridge: db.setting("network.bridge", random_id)?,
            host: db.setting("network.host", random_id)?,
            none: db.setting("network.none", random_id)?,
        };
        // Whatever can fail without a trace comes before the bridge is made.
        let launcher = Launcher::new(&config.shim).map_err(Error::of)?;
        let bip = config
            .bip
            .as_deref()
            .map(|text| {
                text.parse()
                    .map_err(|_| Error::invalid(format!("invalid bridge address {text:?}")))
            })
            .transpose()?;
        let bridge = Bridge::open(BridgeConfig {
            bridge: config.bridge.clone(),
            table: config.nft_table.clone(),
            bip,
            mtu: config.mtu,
            default_address: config.publish_address,
            ip_forward: true,
            masquerade: true,
            inter_container: true,
            managed: true,
        })
        .map_err(Error::of)?;
        let options = OpenOptions::this_boot()?;
        let images = ImageStore::open(&root.join("image"), options).map_err(Error::of)?;
        let volumes = VolumeStore::open(&root.join("volumes")).map_err(Error::of)?;
        let shared = Shared {
            id,
            created: created.parse().unwrap_or(0),
            network_ids,
            host: Host::read(),
            file_system: file_system(root),
            db,
            events: EventBus::default(),
            containers: Table::default(),
            execs: Execs::default(),
            log_changes: LogChanges::default(),
            images,
            volumes,
            volume_turns: VolumeTurns::default(),
            registry: crate::images::registry(&config.registries)?,
            network: Arc::new(NamespacePool::new(Arc::new(bridge), READY_NAMESPACES)),
            launcher,
            hierarchies: Hierarchies::detect()?,
            config: RwLock::new(Arc::new(config)),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// The configuration now in force.
    pub fn config(&self) -> Arc<EngineConfig> {
        let config = self.shared.config.read().unwrap_or_else(|p| p.into_inner());
        Arc::clone(&config)
    }

    /// Puts the reloadable part of `config` in force and tells the events.
    pub fn reload(&self, config: EngineConfig) -> Result<()> {
        let registries = crate::images::registry_config(&config.registries)?;
        self.shared
            .registry
            .reconfigure(registries)
            .map_err(Error::of)?;
        *self
            .shared
            .config
            .write()
            .unwrap_or_else(|p| p.into_inner()) = Arc::new(config);
        self.daemon_event(
            bollard_stubs::models::EventMessageTypeEnum::DAEMON,
            "reload",
            &self.shared.id,
            &[("name", &self.shared.host.name)],
        );
        Ok(())
    }

    /// Leaves the containers running and lets go of what is only kept ready.
    pub async fn close(&self) {
        self.shared.network.close();
    }

    /// Stops every container, then removes the engine's bridge, rules and
    /// cgroups; for throwaway engines.
    pub async fn stop_all(&self) -> Result<()> {
        let mut stops = tokio::task::JoinSet::new();
        for container in self.shared.containers.all() {
            let engine = self.clone();
            stops.spawn(async move {
                let _turn = container.operation.lock().await;
                if container.status().counts_as_running() {
                    let _kept = container.keep();
                    engine.stop(&container, None, None).await.ok();
                }
            });
        }
        let patience = Duration::from_secs(30);
        let all = async { while stops.join_next().await.is_some() {} };
        let _in_time = tokio::time::timeout(patience, all).await;
        self.close().await;
        let engine = self.clone();
        tokio::task::spawn_blocking(move || {
            engine.remove_cgroups();
            engine
                .shared
                .network
                .bridge()
                .remove_all()
                .map_err(Error::of)
        })
        .await?
    }
}

fn random_id() -> String {
    let mut bytes = [0; 32];
    // Without randomness nothing else starts either.
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    hex(&bytes)
}

/// Makes a directory that other users may pass through but not list: volumes
/// and layers below it have modes of their own.
fn private_directory(path: &Path) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    if !path.exists() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(path)
            .map_err(at(path))?;
    }
    // The umask may have taken bits away.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o711)).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |error| Error::system(format!("{path}: {error}"))
}

/// The name of the file system that `path` is on.
fn file_system(path: &Path) -> String {
    const NAMES: &[(i64, &str)] = &[
        (0xef53, "extfs"),
        (0x5846_5342, "xfs"),
        (0x9123_683e, "btrfs"),
        (0x0102_1994, "tmpfs"),
        (0x794c_7630, "overlayfs"),
        (0x2fc1_2fc1, "zfs"),
        (0xf2f5_2010, "f2fs"),
    ];
    let kind = rustix::fs::statfs(path).map(|s| s.f_type);
    let known = |kind| NAMES.iter().find(|(magic, _)| *magic == kind);
    match kind.ok().and_then(known) {
        Some((_, name)) => (*name).to_owned(),
        None => "<unknown>".to_owned(),
    }
}
