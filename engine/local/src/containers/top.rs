//! `GET /containers/{id}/top`: the host's `ps`, cut down to the container's
//! processes, as dockerd does it.

use std::collections::HashSet;

use bollard_stubs::models::ContainerTopResponse;
use bollard_stubs::query_parameters::TopOptions;
use dhow_model::lifecycle::Request;

use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// The processes of a running container; `ps_args` are for `ps` (`-ef`).
    pub async fn top_processes(
        &self,
        name: &str,
        options: Option<TopOptions>,
    ) -> Result<ContainerTopResponse> {
        let container = self.shared.containers.find(name)?;
        container
            .status()
            .permits(Request::Top, container.id.as_str())
            .map_err(Error::of)?;
        let pids: HashSet<u32> = self.container_pids(&container)?.into_iter().collect();
        let arguments = options
            .map(|o| o.ps_args)
            .filter(|a| !a.is_empty())
            .unwrap_or_else(|| "-ef".to_owned());
        let output = tokio::process::Command::new("ps")
            .args(arguments.split_whitespace())
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .map_err(|e| Error::system(format!("error running ps: {e}")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::system(format!("error running ps: {}", said.trim())));
        }
        let listed = parse(&String::from_utf8_lossy(&output.stdout), &pids)?;
        self.container_event(&container, "top", &[]);
        Ok(listed)
    }
}

/// The rows of `ps` output whose PID is one of `pids`.
fn parse(output: &str, pids: &HashSet<u32>) -> Result<ContainerTopResponse> {
    let mut lines = output.lines();
    let titles: Vec<String> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let pid_column = titles
        .iter()
        .position(|t| t == "PID")
        .ok_or_else(|| Error::system("Couldn't find PID field in ps output"))?;
    let mut processes = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let Some(pid) = fields.get(pid_column).and_then(|p| p.parse::<u32>().ok()) else {
            continue;
        };
        if !pids.contains(&pid) {
            continue;
        }
        // The last column is the command, with its own spaces.
        let last = titles.len() - 1;
        let mut row: Vec<String> = fields.iter().take(last).map(|f| f.to_string()).collect();
        row.push(fields.get(last..).unwrap_or_default().join(" "));
        processes.push(row);
    }
    Ok(ContainerTopResponse {
        titles: Some(titles),
        processes: Some(processes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_containers_rows_and_the_commands_spaces() {
        let output = "UID PID CMD\nroot 1 init\nroot 7 sleep 10 20\n";
        let top = parse(output, &HashSet::from([7])).unwrap();
        assert_eq!(
            top.processes.unwrap(),
            [["root", "7", "sleep 10 20"].map(str::to_owned)]
        );
    }

    #[test]
    fn output_without_pids_is_refused() {
        let error = parse("COMMAND\nsh\n", &HashSet::new()).unwrap_err();
        assert_eq!(error.to_string(), "Couldn't find PID field in ps output");
    }
}
