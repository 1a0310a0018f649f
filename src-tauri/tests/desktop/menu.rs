//! The tray's menu, as the panel has it: over the bus.

use std::collections::HashMap;

use dhow_testkit::until;
use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedValue, Structure, Value};

use crate::desktop::Desktop;

/// The menu of the app's tray icon.
pub struct Menu {
    bus: Connection,
    service: String,
    path: String,
}

/// An item of it.
#[derive(Debug, Clone)]
pub struct Item {
    id: i32,
    pub label: String,
    pub enabled: bool,
    pub items: Vec<Item>,
}

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

impl Menu {
    /// Waits until the icon is in the tray.
    #[track_caller]
    pub fn of(desktop: &Desktop) -> Self {
        let bus = desktop.connection();
        let (service, path) = until("the icon is in the tray", || {
            let watcher = Proxy::new(&bus, WATCHER, "/StatusNotifierWatcher", WATCHER).ok()?;
            let items: Vec<String> = watcher.get_property("RegisteredStatusNotifierItems").ok()?;
            let (service, path) = items.first()?.split_once('/')?;
            let path = format!("/{path}");
            let item = Proxy::new(&bus, service, path.as_str(), ITEM).ok()?;
            let menu: zbus::zvariant::OwnedObjectPath = item.get_property("Menu").ok()?;
            Some((service.to_owned(), menu.to_string()))
        });
        Self { bus, service, path }
    }

    /// The path of the picture that the icon has.
    pub fn icon(&self) -> String {
        let path = self.path.trim_end_matches("/Menu");
        let item = Proxy::new(&self.bus, self.service.as_str(), path, ITEM);
        let name = item.and_then(|item| item.get_property("IconName"));
        name.unwrap_or_default()
    }

    /// What it shows.
    #[track_caller]
    pub fn items(&self) -> Vec<Item> {
        let reply = self
            .proxy()
            .call_method("GetLayout", &(0_i32, -1_i32, Vec::<String>::new()));
        let reply = reply.expect("the menu answers");
        let body = reply.body();
        let layout: Structure<'_> = body.deserialize().expect("a layout is a structure");
        let Some(Value::Structure(root)) = layout.fields().get(1) else {
            panic!("no root in {layout:?}");
        };
        item(root).items
    }

    /// Its lines, those of inner menus indented.
    #[track_caller]
    pub fn text(&self) -> String {
        fn lines(items: &[Item], depth: usize, text: &mut String) {
            for item in items {
                text.push_str(&format!("{}{}\n", "  ".repeat(depth), item.label));
                lines(&item.items, depth + 1, text);
            }
        }
        let mut text = String::new();
        lines(&self.items(), 0, &mut text);
        text
    }

    /// Waits until a line is there.
    #[track_caller]
    pub fn shows(&self, line: &str) {
        until(&format!("{line:?} in the menu"), || {
            self.text()
                .lines()
                .any(|found| found.trim() == line)
                .then_some(())
        });
    }

    /// Says that it is about to be shown, as a panel does.
    #[track_caller]
    pub fn open(&self) {
        let outcome = self.proxy().call_method("AboutToShow", &0_i32);
        outcome.expect("the menu takes questions");
    }

    /// Clicks the item with these labels on the way to it.
    #[track_caller]
    pub fn click(&self, labels: &[&str]) {
        let id = until(&format!("{labels:?} in the menu"), || {
            find(&self.items(), labels)
        });
        let data = Value::from(0_i32);
        let outcome = self
            .proxy()
            .call_method("Event", &(id, "clicked", data, 0_u32));
        outcome.expect("the menu takes clicks");
    }

    fn proxy(&self) -> Proxy<'_> {
        Proxy::new(&self.bus, self.service.as_str(), self.path.as_str(), MENU)
            .expect("the menu is on the bus")
    }
}

fn find(items: &[Item], labels: &[&str]) -> Option<i32> {
    let (label, rest) = labels.split_first()?;
    let item = items.iter().find(|item| item.label == *label)?;
    match rest {
        [] => item.enabled.then_some(item.id),
        rest => find(&item.items, rest),
    }
}

/// `(ia{sv}av)`: a number, properties, and inner items.
fn item(layout: &Structure<'_>) -> Item {
    let [Value::I32(id), properties, Value::Array(inner)] = layout.fields() else {
        panic!("no item: {layout:?}");
    };
    let properties: HashMap<String, OwnedValue> = properties
        .try_clone()
        .ok()
        .and_then(|properties| properties.try_into().ok())
        .unwrap_or_default();
    let label = properties.get("label").and_then(|label| match &**label {
        Value::Str(label) => Some(label.to_string()),
        _ => None,
    });
    let enabled = properties
        .get("enabled")
        .is_none_or(|enabled| !matches!(**enabled, Value::Bool(false)));
    let items = inner
        .iter()
        .filter_map(|inner| match inner {
            Value::Value(inner) => match &**inner {
                Value::Structure(layout) => Some(item(layout)),
                _ => None,
            },
            Value::Structure(layout) => Some(item(layout)),
            _ => None,
        })
        .collect();
    Item {
        id: *id,
        // An underlined letter is marked; a real underscore is doubled.
        label: label.unwrap_or_default().replace("__", "_"),
        enabled,
        items,
    }
}
