//! Events about containers, with the attributes dockerd gives them.

use std::collections::HashMap;

use bollard_stubs::models::EventMessageTypeEnum;
use dhow_model::mount::{Kind, Point};

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

    /// It runs: for the first time, or again.
    pub(crate) fn tell_start(&self, container: &Container) {
        self.network_event(container, "connect");
        self.volumes_mounted(container);
        self.container_event(container, "start", &[]);
    }

    /// It could not be started; it had its network already.
    pub(crate) fn tell_failed_start(&self, container: &Container) {
        self.network_event(container, "connect");
        self.volumes_mounted(container);
        self.network_event(container, "disconnect");
        self.volumes_unmounted(container);
    }

    /// The container's volumes are there for it now.
    fn volumes_mounted(&self, container: &Container) {
        for point in volumes_of(container) {
            self.daemon_event(
                EventMessageTypeEnum::VOLUME,
                "mount",
                &point.name,
                &[
                    ("container", container.id.as_str()),
                    ("destination", &point.destination),
                    ("driver", "local"),
                    ("propagation", ""),
                    ("read/write", &point.writable.to_string()),
                ],
            );
        }
    }

    /// The container ended and has let go of its volumes.
    pub(crate) fn volumes_unmounted(&self, container: &Container) {
        for point in volumes_of(container) {
            self.daemon_event(
                EventMessageTypeEnum::VOLUME,
                "unmount",
                &point.name,
                &[("container", container.id.as_str()), ("driver", "local")],
            );
        }
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

fn volumes_of(container: &Container) -> Vec<Point> {
    container.read(|r| {
        let points = r.mounts.iter().map(|mounted| &mounted.point);
        let volumes = points.filter(|point| point.spec.kind == Kind::Volume);
        volumes.cloned().collect()
    })
}
