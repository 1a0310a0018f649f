//! The engine about itself: version, info, events, disk usage.

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::*;
use dhow_model::ErrorKind;

use crate::{Error, JsonStream, LocalEngine, Result};

fn missing<T>() -> Result<T> {
    Err(Error::new(ErrorKind::NotImplemented, "not written yet"))
}

impl LocalEngine {
    pub async fn info(&self) -> Result<SystemInfo> {
        missing()
    }
    pub async fn df(&self, _options: Option<DataUsageOptions>) -> Result<SystemDataUsageResponse> {
        missing()
    }
    pub async fn events(
        &self,
        _options: Option<EventsOptions>,
    ) -> Result<JsonStream<EventMessage>> {
        missing()
    }
}
