//! Events about containers, with the attributes dockerd gives them.

use std::collections::HashMap;

use bollard_stubs::models::EventMessageTypeEnum;

use super::container::Container;
use crate::{LocalEngine, clock};

impl LocalEngine {
    /// `action` happened to the container: its labels, image and name go
    /// along, and `extra`.
    pub(crate) fn container_event(
        &self,
        container: &Container,
        action: &str,
        extra: &[(&str, &str)],
    ) {
        let mut attributes = container.read(|r| {
            let mut attributes = r.config.labels.clone().unwrap_or_default();
            attributes.insert(
                "image".to_owned(),
                r.config.image.clone().unwrap_or_default(),
            );
            attributes.insert("name".to_owned(), r.name.clone());
            attributes
        });
        attributes.extend(extra.iter().map(|(k, v)| (k.to_string(), v.to_string())));
        self.shared.events.publish(
            EventMessageTypeEnum::CONTAINER,
            action,
            container.id.as_str(),
            attributes,
            clock::now(),
        );
    }

    /// `action` happened to a thing that is no container.
    pub(crate) fn daemon_event(
        &self,
        kind: EventMessageTypeEnum,
        action: &str,
        id: &str,
        attributes: &[(&str, &str)],
    ) {
        let attributes: HashMap<String, String> = attributes
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        self.shared
            .events
            .publish(kind, action, id, attributes, clock::now());
    }
}
