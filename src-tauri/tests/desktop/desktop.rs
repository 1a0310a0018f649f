//! A desktop of its own for a test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use dhow_testkit::{program, until, wait};
use tempfile::TempDir;
use zbus::blocking::{Connection, Proxy, connection};

use crate::process::Group;

/// Display, bus, window manager, perhaps a tray, and a home.
pub struct Desktop {
    folder: TempDir,
    display: String,
    bus: String,
    _processes: Vec<Group>,
}

const WATCHER: &str = "org.kde.StatusNotifierWatcher";

impl Desktop {
    /// One with a tray.
    #[track_caller]
    pub fn start() -> Self {
        let mut desktop = Self::without_tray();
        let panel = desktop
            .home()
            .join("config/xfce4/xfconf/xfce-perchannel-xml");
        std::fs::create_dir_all(&panel).expect("a temporary folder can be filled");
        std::fs::write(panel.join("xfce4-panel.xml"), PANEL)
            .expect("a temporary folder can be filled");
        let mut command = desktop.command("xfce4-panel");
        command.arg("--disable-wm-check");
        desktop._processes.push(Group::start(&command));
        until("the panel shows trays", || {
            let bus = desktop.connection();
            let watcher = Proxy::new(&bus, WATCHER, "/StatusNotifierWatcher", WATCHER).ok()?;
            let there: bool = watcher
                .get_property("IsStatusNotifierHostRegistered")
                .ok()?;
            there.then_some(())
        });
        desktop
    }

    /// One whose panel shows no tray, as some people have it.
    #[track_caller]
    pub fn without_tray() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["home", "run", "config", "state", "cache", "data", "bin"] {
            std::fs::create_dir(folder.path().join(name))
                .expect("a temporary folder can be filled");
        }
        let mut server = Command::new(needed("Xvfb"));
        server
            .args(["-displayfd", "1", "-screen", "0", "1280x900x24"])
            .args(["-nolisten", "tcp"]);
        let (server, number) = Group::start_and_hear(&server);
        let mut daemon = Command::new(needed("dbus-daemon"));
        daemon
            .args(["--session", "--nofork", "--print-address=1"])
            .envs(homes(folder.path()))
            .env("DISPLAY", format!(":{number}"));
        let (daemon, bus) = Group::start_and_hear(&daemon);
        let mut desktop = Self {
            folder,
            display: format!(":{number}"),
            bus,
            _processes: vec![daemon, server],
        };
        // Somebody who has been here before, unless a test says otherwise.
        desktop.set("[ui]\nonboarded = \"yes\"\n");
        // What a browser is asked to open is written down.
        let opened = desktop.home().join("opened");
        desktop.script("xdg-open", &format!("echo \"$1\" >> {}", opened.display()));
        // What the driver starts ends with the driver.
        let driver = needed("WebKitWebDriver");
        let script = format!(
            "exec setpriv --pdeathsig KILL -- {} \"$@\"",
            driver.display()
        );
        desktop.script("native-driver", &script);
        let manager = desktop.command("openbox");
        desktop._processes.insert(0, Group::start(&manager));
        desktop
    }

    fn script(&self, name: &str, line: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.program(name);
        std::fs::write(&path, format!("#!/bin/sh\n{line}\n"))
            .and_then(|()| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)))
            .expect("a temporary folder can be filled");
    }

    /// A program of this desktop's own.
    pub fn program(&self, name: &str) -> PathBuf {
        self.home().join("bin").join(name)
    }

    /// A program on this desktop.
    #[track_caller]
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(needed(name));
        command.envs(self.environment());
        command
    }

    /// What a program has to know to be on this desktop.
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut variables = homes(self.folder.path());
        for (name, value) in [
            ("DISPLAY", self.display.clone()),
            ("DBUS_SESSION_BUS_ADDRESS", self.bus.clone()),
            (
                "PATH",
                format!("{}/bin:{path}", self.folder.path().display()),
            ),
            ("GDK_BACKEND", "x11".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("NO_AT_BRIDGE", "1".to_owned()),
            ("DHOW_LOG", "debug".to_owned()),
        ] {
            variables.push((name.to_owned(), value));
        }
        variables
    }

    /// The bus's address.
    pub fn bus(&self) -> &str {
        &self.bus
    }

    pub fn connection(&self) -> Connection {
        connection::Builder::address(self.bus.as_str())
            .and_then(connection::Builder::build)
            .expect("the bus is there")
    }

    /// The person's folders.
    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// The app's settings file.
    pub fn settings(&self) -> PathBuf {
        self.home().join("config/dhow/settings.toml")
    }

    /// Writes the app's settings file.
    #[track_caller]
    pub fn set(&self, settings: &str) {
        let file = self.settings();
        let folder = file.parent().expect("the file is in a folder");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&file, settings))
            .expect("a temporary folder can be filled");
    }

    /// What the app has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home().join("state/dhow/logs/app.log")).unwrap_or_default()
    }

    /// What browsers were asked to open.
    pub fn opened(&self) -> String {
        std::fs::read_to_string(self.home().join("opened")).unwrap_or_default()
    }

    /// Presses keys, moves, clicks.
    #[track_caller]
    pub fn xdotool(&self, arguments: &[&str]) -> String {
        let output = self.command("xdotool").args(arguments).output();
        let output = output.expect("xdotool runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Presses `key` in the window of that title until it has had its effect:
    /// a window has the keyboard only some time after it is there.
    #[track_caller]
    pub fn press(&self, title: &str, key: &str, happened: impl Fn() -> bool) {
        until(&format!("a window called {title}"), || {
            self.shows(title).then_some(())
        });
        let name = format!("^{title}$");
        let find = ["search", "--onlyvisible", "--name", &name];
        until(&format!("what {key} does in {title}"), || {
            self.xdotool(&[&find[..], &["windowactivate", "--sync"]].concat());
            self.xdotool(&["key", key]);
            wait::within(Duration::from_secs(2), || happened().then_some(()))
        });
    }

    /// Closes the app's window as the person does.
    #[track_caller]
    pub fn close_window(&self) {
        self.press("Dhow", "alt+F4", || !self.shows("Dhow"));
    }

    /// Whether a window of this title is to be seen.
    pub fn shows(&self, title: &str) -> bool {
        let name = format!("^{title}$");
        !self
            .xdotool(&["search", "--onlyvisible", "--name", &name])
            .is_empty()
    }
}

fn homes(folder: &Path) -> Vec<(String, String)> {
    let names = [
        ("HOME", "home"),
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_DATA_HOME", "data"),
    ];
    let value = |name: &str| folder.join(name).display().to_string();
    names
        .map(|(key, name)| (key.to_owned(), value(name)))
        .into()
}

#[track_caller]
fn needed(name: &str) -> PathBuf {
    program::on_path(name)
        .unwrap_or_else(|| panic!("{name} is not installed: run the tests with `cargo xtask test`"))
}

/// A panel in the corner, with a tray and nothing else.
const PANEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=8;x=0;y=0"/>
      <property name="length" type="uint" value="20"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="40"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray"/>
  </property>
</channel>
"#;
