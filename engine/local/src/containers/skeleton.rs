//! Methods not yet written; each goes to a module of its own.

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::*;
use dhow_model::ErrorKind;

use super::ArchiveStat;
use super::container::Container;
use super::record::Record;
use crate::{ByteStream, Error, LocalEngine, Result};

fn missing<T>() -> Result<T> {
    Err(Error::new(ErrorKind::NotImplemented, "not written yet"))
}

impl LocalEngine {
    pub(crate) fn copy_root_attributes(
        &self,
        _record: &Record,
        _upper: &std::path::Path,
    ) -> Result<()> {
        Ok(())
    }
    pub(crate) fn make_volumes(&self, _container: &Container, _record: &Record) -> Result<()> {
        Ok(())
    }
    pub(crate) fn remove_new_volumes(&self, _record: &Record) {}
    pub(crate) async fn remove_unused_volume(&self, _name: &str) {}
    pub(crate) fn check_volume_name(&self, _name: &str) -> Result<()> {
        Ok(())
    }
    pub(crate) fn volume_directory(&self, name: &str) -> std::path::PathBuf {
        self.config()
            .data_root
            .join("volumes")
            .join(name)
            .join("_data")
    }
    pub(crate) fn load_built_in_images(&self) {}
}
