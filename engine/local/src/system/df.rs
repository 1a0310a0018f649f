//! `GET /system/df`.

use bollard_stubs::models::SystemDataUsageResponse;
use bollard_stubs::query_parameters::DataUsageOptions;

use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// What takes room on the disk.
    pub async fn df(&self, _options: Option<DataUsageOptions>) -> Result<SystemDataUsageResponse> {
        Err(Error::system("not written yet"))
    }
}
