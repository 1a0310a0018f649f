//! The app as a person has it: a real window on a real display with a real
//! tray, and a real engine behind it. What was clicked is checked at the
//! engine.
//!
//! Each test has a desktop of its own: Xvfb, a bus, a window manager, a panel
//! with nothing but a tray. The page is driven by tauri-driver.

mod closing;
mod desktop;
mod driver;
mod menu;
mod process;

mod bridge;
mod command_line;
mod engine;
mod notices;
mod registries;
mod strangers;
mod system;
mod tray;
mod window;
