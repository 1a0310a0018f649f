//! What the page may ask about logins at registries. They are the person's
//! own, and kept where `dhow login` keeps them; secrets only ever come in.

use dhow_client::{Choice, Environment, Login, LoginError, Logins};
use tauri::State;

use crate::engine::{Engine, find};

/// The logins of whoever runs us.
pub fn of_process() -> Logins {
    Logins::in_folder(Environment::of_process().docker_config(&Choice::default()))
}

/// Which there are.
#[tauri::command]
pub async fn registries(logins: State<'_, Logins>) -> Result<Vec<Login>, String> {
    logins.list().await.map_err(said)
}

/// Keeps another, once the engine found that it is good; answers what it said.
#[tauri::command]
pub async fn registry_log_in(
    server: String,
    user: String,
    secret: String,
    logins: State<'_, Logins>,
    engine: State<'_, Engine>,
) -> Result<String, String> {
    let client = engine.client().ok_or_else(|| {
        "the settings name no engine that can be understood, and an engine checks logins".to_owned()
    })?;
    let outcome = logins.log_in(&client, &server, &user, &secret).await;
    outcome.map_err(said)
}

/// Forgets one.
#[tauri::command]
pub async fn registry_log_out(server: String, logins: State<'_, Logins>) -> Result<(), String> {
    logins.log_out(&server).await.map_err(said)
}

fn said(error: LoginError) -> String {
    find::sentence(&error)
}
