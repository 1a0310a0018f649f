//! When the menu is about to be seen.
//!
//! On Linux the panel draws the menu, and asks us over the bus before it
//! does; the library below us answers it and tells nobody. So we have the bus
//! tell us of these questions, too. Where it does not (sandboxes), nobody is
//! told, and nothing is measured. Elsewhere the click itself is told.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Whom to tell, and what to listen to.
pub fn channel() -> (UnboundedSender<()>, UnboundedReceiver<()>) {
    let (sender, receiver) = unbounded_channel();
    #[cfg(target_os = "linux")]
    listen(sender.clone());
    (sender, receiver)
}

#[cfg(target_os = "linux")]
fn listen(sender: UnboundedSender<()>) {
    let spawned = std::thread::Builder::new()
        .name("menu".to_owned())
        .spawn(move || {
            if let Err(error) = bus::follow(|| sender.send(()).is_ok()) {
                tracing::info!(%error, "nobody tells when the menu opens");
            }
        });
    if let Err(error) = spawned {
        tracing::info!(%error, "nobody tells when the menu opens");
    }
}

#[cfg(target_os = "linux")]
mod bus {
    use std::collections::HashMap;

    use zbus::blocking::fdo::{DBusProxy, MonitoringProxy};
    use zbus::blocking::{Connection, MessageIterator};
    use zbus::message::Type;
    use zbus::names::BusName;
    use zbus::{MatchRule, Message};

    const MENU: &str = "com.canonical.dbusmenu";
    /// Panels ask about one menu, or about several at once.
    const ONE: &str = "AboutToShow";
    const SEVERAL: &str = "AboutToShowGroup";

    /// Calls `opened` whenever somebody is about to show our menu, until it
    /// says that nobody listens.
    pub fn follow(mut opened: impl FnMut() -> bool) -> zbus::Result<()> {
        let asking = Connection::session()?;
        let names = DBusProxy::new(&asking)?;
        // A connection that is told of others' messages can say nothing.
        let told = Connection::session()?;
        let rule = |member: &'static str| -> zbus::Result<MatchRule<'static>> {
            let calls = MatchRule::builder().msg_type(Type::MethodCall);
            Ok(calls.interface(MENU)?.member(member)?.build())
        };
        let rules = [rule(ONE)?, rule(SEVERAL)?];
        MonitoringProxy::new(&told)?.become_monitor(&rules, 0)?;
        let mut ours = HashMap::new();
        for message in MessageIterator::from(&told) {
            let message = message?;
            if is_for(&message, |name| {
                *ours.entry(name.to_string()).or_insert_with(|| {
                    let process = names.get_connection_unix_process_id(name.to_owned());
                    process.is_ok_and(|process| process == std::process::id())
                })
            }) && !opened()
            {
                break;
            }
        }
        Ok(())
    }

    /// Whether a message asks about the whole menu of somebody who is us.
    fn is_for(message: &Message, is_us: impl FnOnce(&BusName<'_>) -> bool) -> bool {
        let header = message.header();
        let body = message.body();
        let asked: Vec<i32> = match header.member().map(|member| member.as_str()) {
            Some(ONE) => body.deserialize().map(|id| vec![id]).unwrap_or_default(),
            Some(SEVERAL) => body.deserialize().unwrap_or_default(),
            _ => Vec::new(),
        };
        // 0 is the menu itself, any other an inner one.
        asked.contains(&0) && header.destination().is_some_and(is_us)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[track_caller]
        fn check<B>(member: &str, body: &B, expected: bool)
        where
            B: serde::Serialize + zbus::zvariant::DynamicType,
        {
            let message = Message::method_call("/menu", member)
                .and_then(|message| message.interface(MENU)?.destination(":1.7")?.build(body))
                .unwrap();
            assert_eq!(is_for(&message, |name| name == ":1.7"), expected);
            assert!(!is_for(&message, |_| false), "another's menu is no news");
        }

        #[test]
        fn only_questions_about_our_own_menu_count() {
            check(ONE, &0, true);
            check(ONE, &3, false);
            check(SEVERAL, &vec![4, 0], true);
            check(SEVERAL, &vec![4], false);
            check(SEVERAL, &"nonsense", false);
            check("GetProperty", &0, false);
        }
    }
}
