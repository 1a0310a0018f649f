//! Methods not yet written; each goes to a module of its own.

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::*;
use dhow_model::ErrorKind;

use super::{ArchiveStat, AttachOptions, LogsQuery, PreparedStream, WaitResult};
use crate::{ByteStream, Error, JsonStream, LocalEngine, Result};

fn missing<T>() -> Result<T> {
    Err(Error::new(ErrorKind::NotImplemented, "not written yet"))
}

impl LocalEngine {
    pub async fn list_containers(
        &self,
        _options: Option<ListContainersOptions>,
    ) -> Result<Vec<ContainerSummary>> {
        missing()
    }
    pub async fn create_container(
        &self,
        _options: Option<CreateContainerOptions>,
        _body: ContainerCreateBody,
    ) -> Result<ContainerCreateResponse> {
        missing()
    }
    pub async fn inspect_container(
        &self,
        _name: &str,
        _options: Option<InspectContainerOptions>,
    ) -> Result<ContainerInspectResponse> {
        missing()
    }
    pub async fn start_container(
        &self,
        _name: &str,
        _options: Option<StartContainerOptions>,
    ) -> Result<()> {
        missing()
    }
    pub async fn stop_container(
        &self,
        _name: &str,
        _options: Option<StopContainerOptions>,
    ) -> Result<()> {
        missing()
    }
    pub async fn restart_container(
        &self,
        _name: &str,
        _options: Option<RestartContainerOptions>,
    ) -> Result<()> {
        missing()
    }
    pub async fn kill_container(
        &self,
        _name: &str,
        _options: Option<KillContainerOptions>,
    ) -> Result<()> {
        missing()
    }
    pub async fn pause_container(&self, _name: &str) -> Result<()> {
        missing()
    }
    pub async fn unpause_container(&self, _name: &str) -> Result<()> {
        missing()
    }
    /// Errors (unknown container, bad condition) come from the call; the
    /// returned future ends when the condition holds. Send the response's
    /// headers before awaiting it, as dockerd does.
    pub async fn wait_container(
        &self,
        _name: &str,
        _options: Option<WaitContainerOptions>,
    ) -> Result<WaitResult> {
        missing()
    }
    pub async fn rename_container(
        &self,
        _name: &str,
        _options: RenameContainerOptions,
    ) -> Result<()> {
        missing()
    }
    pub async fn update_container(
        &self,
        _name: &str,
        _body: ContainerUpdateBody,
    ) -> Result<ContainerUpdateResponse> {
        missing()
    }
    pub async fn remove_container(
        &self,
        _name: &str,
        _options: Option<RemoveContainerOptions>,
    ) -> Result<()> {
        missing()
    }
    pub async fn top_processes(
        &self,
        _name: &str,
        _options: Option<TopOptions>,
    ) -> Result<ContainerTopResponse> {
        missing()
    }
    pub async fn stats(
        &self,
        _name: &str,
        _options: Option<StatsOptions>,
    ) -> Result<JsonStream<ContainerStatsResponse>> {
        missing()
    }
    /// Checks the container and reserves the attachment; connect the client
    /// with [`PreparedStream::connect`] after the upgrade was answered.
    /// `PreparedStream::multiplexed` says which content type to answer.
    pub async fn attach_container(
        &self,
        _name: &str,
        _options: AttachOptions,
    ) -> Result<PreparedStream> {
        missing()
    }
    pub async fn resize_container_tty(
        &self,
        _name: &str,
        _options: ResizeContainerTTYOptions,
    ) -> Result<()> {
        missing()
    }
    /// Bytes are ready for the wire: stdcopy frames, or raw for a tty
    /// container (the bool says which: true = multiplexed frames).
    pub async fn logs(&self, _name: &str, _query: LogsQuery) -> Result<(bool, ByteStream)> {
        missing()
    }
    pub async fn get_container_archive_info(
        &self,
        _name: &str,
        _path: &str,
    ) -> Result<ArchiveStat> {
        missing()
    }
    pub async fn download_from_container(
        &self,
        _name: &str,
        _options: DownloadFromContainerOptions,
    ) -> Result<(ArchiveStat, ByteStream)> {
        missing()
    }
    /// `archive` is an uncompressed, gzip, bzip2 or xz tar.
    pub async fn upload_to_container(
        &self,
        _name: &str,
        _options: UploadToContainerOptions,
        _archive: ByteStream,
    ) -> Result<()> {
        missing()
    }
    pub async fn container_changes(&self, _name: &str) -> Result<Option<Vec<FilesystemChange>>> {
        missing()
    }
    pub async fn export_container(&self, _name: &str) -> Result<ByteStream> {
        missing()
    }
    pub async fn prune_containers(
        &self,
        _options: Option<PruneContainersOptions>,
    ) -> Result<ContainerPruneResponse> {
        missing()
    }
    pub async fn create_exec(&self, _container: &str, _config: ExecConfig) -> Result<IdResponse> {
        missing()
    }
    /// Starts detached (`detach` true) and returns `None`, or prepares the
    /// stream: the process starts when the client is connected; a failure to
    /// start is then told in the stream, as dockerd does.
    pub async fn start_exec(
        &self,
        _exec: &str,
        _config: ExecStartConfig,
    ) -> Result<Option<PreparedStream>> {
        missing()
    }
    pub async fn inspect_exec(&self, _exec: &str) -> Result<ExecInspectResponse> {
        missing()
    }
    pub async fn resize_exec(&self, _exec: &str, _options: ResizeExecOptions) -> Result<()> {
        missing()
    }
}
