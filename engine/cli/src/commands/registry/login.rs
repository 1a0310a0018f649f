//! `login` and `logout`: keeps and forgets a registry's credentials.

use std::io::{BufRead, Read, Write};

use clap::Args;
use dhow_client::Request;
use dhow_client::credentials::{self, Credentials};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::commands::from_terminal;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Log in to a registry
#[derive(Args)]
pub struct LoginArguments {
    /// The password, or a token
    #[arg(short, long)]
    password: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// The user
    #[arg(short, long)]
    username: Option<String>,
    #[arg(value_name = "[SERVER]")]
    server: Option<String>,
}

/// Log out from a registry
#[derive(Args)]
pub struct LogoutArguments {
    #[arg(value_name = "[SERVER]")]
    server: Option<String>,
}

/// Runs `login`.
pub async fn login(arguments: LoginArguments, session: &Session) -> Result<i32, Failure> {
    let server = key(arguments.server.as_deref());
    let mut config = session.target()?.config.clone();
    let given = given(&arguments)?;
    let mut credentials = match given {
        (Some(username), Some(password)) => Credentials {
            username,
            password,
            ..Credentials::default()
        },
        (username, password) => {
            let stored = credentials::lookup(&config, &server).await?;
            let usable = username.is_none() && password.is_none() && !stored.is_empty();
            if usable {
                output::warn(&format!(
                    "Authenticating with existing credentials... [Username: {}]\n",
                    stored.username
                ));
                let program = session.program.name;
                output::warn(&format!(
                    " Info -> To login with a different account, run '{program} logout' followed by '{program} login'\n\n"
                ));
                stored
            } else {
                ask(username, password)?
            }
        }
    };
    credentials.server_address.clone_from(&server);
    let answer = session
        .json(Request::post("/auth").json(&credentials))
        .await?;
    let token = answer.str("IdentityToken");
    if !token.is_empty() {
        credentials.password.clear();
        credentials.identity_token = token.to_owned();
    }
    let kept_by_helper = config.credential_helper(&server).is_some();
    let known = credentials::lookup(&config, &server).await?;
    if known != credentials {
        credentials::store(&mut config, &credentials).await?;
    }
    if !kept_by_helper && known != credentials && !credentials.password.is_empty() {
        let path = config.path().display();
        output::warn(&format!(
            "\nWARNING! Your credentials are stored unencrypted in '{path}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n"
        ));
    }
    let status = answer.str("Status");
    if !status.is_empty() {
        output::line(status);
    }
    Ok(0)
}

/// Runs `logout`.
pub async fn logout(arguments: LogoutArguments, session: &Session) -> Result<i32, Failure> {
    let server = key(arguments.server.as_deref());
    let directory = session.environment.docker_config(&session.choice);
    let mut config = dhow_client::ConfigFile::load(&directory)?;
    let shown = arguments.server.as_deref().unwrap_or(&server);
    output::line(&format!("Removing login credentials for {shown}"));
    if let Err(error) = credentials::erase(&mut config, &server).await {
        output::warn(&format!("WARNING: could not erase credentials: {error}"));
    }
    Ok(0)
}

/// The key of the server that was named, or of Docker Hub.
fn key(server: Option<&str>) -> String {
    credentials::key_of(server.unwrap_or_default())
}

/// User and password as flags and standard input give them.
fn given(arguments: &LoginArguments) -> Result<(Option<String>, Option<String>), Failure> {
    let username = arguments.username.clone().filter(|name| !name.is_empty());
    if arguments.password.is_some() {
        if arguments.password_stdin {
            return Err(Failure::message(
                "conflicting options: cannot specify both --password and --password-stdin",
            ));
        }
        output::warn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
    }
    if !arguments.password_stdin {
        let password = arguments.password.clone().filter(|text| !text.is_empty());
        return Ok((username, password));
    }
    if username.is_none() {
        return Err(Failure::message(
            "the --password-stdin option requires --username to be set",
        ));
    }
    let mut password = String::new();
    std::io::stdin().lock().read_to_string(&mut password)?;
    let password = password
        .strip_suffix('\n')
        .map(|text| text.strip_suffix('\r').unwrap_or(text))
        .unwrap_or(&password);
    Ok((
        username,
        Some(password.to_owned()).filter(|p| !p.is_empty()),
    ))
}

/// Asks the person for what is missing.
fn ask(username: Option<String>, password: Option<String>) -> Result<Credentials, Failure> {
    if !from_terminal() {
        return Err(Failure::message(
            "Error: Cannot perform an interactive login from a non TTY device",
        ));
    }
    let username = match username {
        Some(username) => username,
        None => prompt("Username: ")?,
    };
    if username.is_empty() {
        return Err(Failure::message("Error: Non-null Username Required"));
    }
    let password = match password {
        Some(password) => password,
        None => {
            let password = hidden("Password: ");
            output::line("");
            password?
        }
    };
    if password.is_empty() {
        return Err(Failure::message("Error: Password Required"));
    }
    Ok(Credentials {
        username,
        password,
        ..Credentials::default()
    })
}

fn prompt(text: &str) -> Result<String, Failure> {
    output::print(text);
    let _ = std::io::stdout().flush();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// The same without showing what is typed.
fn hidden(text: &str) -> Result<String, Failure> {
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).map_err(std::io::Error::from)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &silent).map_err(std::io::Error::from)?;
    let line = prompt(text);
    let _ = tcsetattr(&stdin, OptionalActions::Now, &before);
    line
}

#[cfg(test)]
mod tests {
    use dhow_client::credentials::HUB;

    use super::*;

    #[test]
    fn servers_are_known_by_their_host() {
        assert_eq!(key(None), HUB);
        assert_eq!(key(Some("docker.io")), HUB);
        assert_eq!(key(Some("https://r.example:5000/v2/")), "r.example:5000");
    }
}
