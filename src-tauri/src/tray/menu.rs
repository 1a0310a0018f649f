//! The menu as the system has it, changed in place.

use std::collections::HashMap;

use tauri::menu::{Menu, MenuItem, MenuItemKind, PredefinedMenuItem, Submenu};
use tauri::{AppHandle, Runtime};

use super::difference::Change;
use super::plan::{Item, Kind};

/// The system's menu, and its items by their keys.
pub struct Drawn<R: Runtime> {
    menu: Menu<R>,
    items: HashMap<String, MenuItemKind<R>>,
}

impl<R: Runtime> Drawn<R> {
    /// An empty menu.
    pub fn new(app: &AppHandle<R>) -> tauri::Result<Self> {
        Ok(Self {
            menu: Menu::new(app)?,
            items: HashMap::new(),
        })
    }

    /// The menu, to be hung on an icon.
    pub fn menu(&self) -> &Menu<R> {
        &self.menu
    }

    /// Makes the changes. Has to be called on the main thread, where they are
    /// one step for whoever looks.
    pub fn change(&mut self, app: &AppHandle<R>, changes: &[Change]) -> tauri::Result<()> {
        for change in changes {
            match change {
                Change::Relabel { key, label } => match self.items.get(key) {
                    Some(MenuItemKind::MenuItem(item)) => item.set_text(plain(label))?,
                    Some(MenuItemKind::Submenu(item)) => item.set_text(plain(label))?,
                    _ => {}
                },
                Change::Remove { parent, key } => {
                    if let Some(item) = self.items.remove(key) {
                        match self.parent(parent.as_deref()) {
                            Some(parent) => parent.remove(&item)?,
                            None => self.menu.remove(&item)?,
                        }
                        self.forget(&item)?;
                    }
                }
                Change::Insert {
                    parent,
                    position,
                    item,
                } => {
                    let made = self.make(app, item)?;
                    match self.parent(parent.as_deref()) {
                        Some(parent) => parent.insert(&made, *position)?,
                        None => self.menu.insert(&made, *position)?,
                    }
                }
            }
        }
        Ok(())
    }

    fn parent(&self, key: Option<&str>) -> Option<&Submenu<R>> {
        match self.items.get(key?) {
            Some(MenuItemKind::Submenu(menu)) => Some(menu),
            _ => None,
        }
    }

    fn make(&mut self, app: &AppHandle<R>, item: &Item) -> tauri::Result<MenuItemKind<R>> {
        let (key, label) = (item.key.as_str(), plain(&item.label));
        let none = None::<&str>;
        let made = match &item.kind {
            Kind::Note => MenuItemKind::MenuItem(MenuItem::with_id(app, key, label, false, none)?),
            Kind::Does(_) => {
                MenuItemKind::MenuItem(MenuItem::with_id(app, key, label, true, none)?)
            }
            Kind::Separator => MenuItemKind::Predefined(PredefinedMenuItem::separator(app)?),
            Kind::Holds(inner) => {
                let menu = Submenu::with_id(app, key, label, true)?;
                for item in inner {
                    menu.append(&self.make(app, item)?)?;
                }
                MenuItemKind::Submenu(menu)
            }
        };
        self.items.insert(key.to_owned(), made.clone());
        Ok(made)
    }

    /// Forgets what a removed menu holds.
    fn forget(&mut self, item: &MenuItemKind<R>) -> tauri::Result<()> {
        if let MenuItemKind::Submenu(menu) = item {
            for inner in menu.items()? {
                self.forget(&inner)?;
            }
            // Separators have no key of ours as their name: they are found by
            // what they are.
            let gone: Vec<_> = menu.items()?.iter().map(|item| item.id().clone()).collect();
            self.items.retain(|_, kept| !gone.contains(kept.id()));
        }
        Ok(())
    }
}

/// `&` would underline the letter behind it.
fn plain(label: &str) -> String {
    label.replace('&', "&&")
}
