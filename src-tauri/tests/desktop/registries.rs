//! Logins at registries, by the page in the window: the person's own store, a
//! registry with a password, and the engine that asks it.

use dhow_testkit::registry::{Options, PASSWORD, USER};
use dhow_testkit::{Engine, Registry, fixture};
use serde_json::json;

use crate::desktop::Desktop;
use crate::driver::App;

#[test]
fn a_login_is_kept_shown_to_its_registry_and_forgotten() {
    let engine = Engine::start();
    let registry = Registry::with(Options {
        password: true,
        ..Options::default()
    });
    let reference = registry.push(&fixture::busybox(), "busybox:1");
    let server = registry.address();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    let list = || app.evaluate("return await invoke('registries')");
    let log_in = |secret: &str| {
        app.run_async(&format!(
            "return await invoke('registry_log_in',
                 {{ server: '{server}', user: '{USER}', secret: '{secret}' }})"
        ))
    };
    // As far as the answer's text, and all of it.
    let mut number = 3000;
    let mut pull = || {
        number += 1;
        let said = app.evaluate(&format!(
            "const head = {{ number: {number}, method: 'POST', body: 'none',
                 path: '/v1.51/images/create?fromImage={reference}',
                 headers: [['dhow-registry', '{server}']] }};
             await invoke('engine_request', {{ head }});
             let text = '';
             for (;;) {{
                 const bytes = await invoke('engine_read', {{ number: {number} }});
                 if (bytes.byteLength === 0) return text;
                 text += new TextDecoder().decode(bytes);
             }}"
        ));
        said.as_str().unwrap_or_default().to_owned()
    };

    assert_eq!(list(), json!([]));
    let refused = log_in("wrong");
    let sentence = refused["failed"].as_str().unwrap_or_default();
    assert!(sentence.contains("401"), "{refused}");
    assert_eq!(list(), json!([]));
    let said = pull();
    assert!(said.contains("no basic auth credentials"), "{said}");

    assert_eq!(log_in(PASSWORD)["value"], "Login Succeeded");
    let known = json!([{ "server": server, "user": USER, "store": "file" }]);
    assert_eq!(list(), known);
    let file = desktop.home().join("home/.docker/config.json");
    let text = std::fs::read_to_string(&file).expect("the login is in the person's own file");
    assert!(text.contains(server), "{text}");
    let said = pull();
    assert!(said.contains("Downloaded newer image"), "{said}");
    assert!(!desktop.log().contains(PASSWORD), "a secret is in the log");

    app.evaluate(&format!(
        "await invoke('registry_log_out', {{ server: '{server}' }})"
    ));
    assert_eq!(list(), json!([]));
}
