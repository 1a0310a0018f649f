//! What has to be done to a menu so that it becomes another. Pure.
//!
//! A menu may be open while things happen. One that is replaced closes, or
//! flickers; so what stays is left alone.

use super::plan::{Item, Kind};

/// Whether the label of an inner menu can change where it is. GTK's are boxes
/// with a text in them, which the library below us does not find again: there
/// such a menu is made anew.
const MENUS_ARE_RELABELLED: bool = cfg!(not(target_os = "linux"));

/// One change. Parents are named by their keys, the menu itself by none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Relabel {
        key: String,
        label: String,
    },
    Remove {
        parent: Option<String>,
        key: String,
    },
    Insert {
        parent: Option<String>,
        position: usize,
        item: Item,
    },
}

/// The changes that make `new` of `old`, in order.
pub fn between(old: &[Item], new: &[Item]) -> Vec<Change> {
    let mut changes = Vec::new();
    level(None, old, new, &mut changes);
    changes
}

fn level(parent: Option<&str>, old: &[Item], new: &[Item], changes: &mut Vec<Change>) {
    let kept = kept(old, new);
    for item in old {
        if !kept.contains(&item.key.as_str()) {
            changes.push(Change::Remove {
                parent: parent.map(str::to_owned),
                key: item.key.clone(),
            });
        }
    }
    for (position, item) in new.iter().enumerate() {
        let before = old
            .iter()
            .find(|before| before.key == item.key && kept.contains(&before.key.as_str()));
        let Some(before) = before else {
            changes.push(Change::Insert {
                parent: parent.map(str::to_owned),
                position,
                item: item.clone(),
            });
            continue;
        };
        if before.label != item.label {
            changes.push(Change::Relabel {
                key: item.key.clone(),
                label: item.label.clone(),
            });
        }
        if let (Kind::Holds(old), Kind::Holds(new)) = (&before.kind, &item.kind) {
            level(Some(&item.key), old, new, changes);
        }
    }
}

/// The keys that can stay where they are: the longest run of items that are
/// in both, in the same order, and of the same kind.
fn kept<'a>(old: &'a [Item], new: &[Item]) -> Vec<&'a str> {
    let same = |a: &Item, b: &Item| {
        let stays = MENUS_ARE_RELABELLED || !matches!(a.kind, Kind::Holds(_)) || a.label == b.label;
        let alike = std::mem::discriminant(&a.kind) == std::mem::discriminant(&b.kind);
        a.key == b.key && alike && stays
    };
    // lengths[i][j]: the longest run of old[i..] and new[j..].
    let mut lengths = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i][j] = if same(&old[i], &new[j]) {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut kept) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if same(&old[i], &new[j]) {
            kept.push(old[i].key.as_str());
            (i, j) = (i + 1, j + 1);
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::plan::tests::{census, up};
    use super::super::plan::{Action, menu};
    use super::*;

    /// What a menu does with the changes.
    fn apply(items: &mut Vec<Item>, changes: &[Change]) {
        fn inside<'a>(items: &'a mut Vec<Item>, key: &str) -> Option<&'a mut Vec<Item>> {
            for item in items {
                if let Kind::Holds(inner) = &mut item.kind {
                    if item.key == key {
                        return Some(inner);
                    }
                    if let Some(found) = inside(inner, key) {
                        return Some(found);
                    }
                }
            }
            None
        }
        fn relabel(items: &mut [Item], key: &str, label: &str) {
            for item in items {
                if item.key == key {
                    item.label = label.to_owned();
                }
                if let Kind::Holds(inner) = &mut item.kind {
                    relabel(inner, key, label);
                }
            }
        }
        for change in changes {
            match change {
                Change::Relabel { key, label } => relabel(items, key, label),
                Change::Remove { parent, key } => {
                    let list = match parent {
                        Some(parent) => inside(items, parent).unwrap(),
                        None => items,
                    };
                    let at = list.iter().position(|item| item.key == *key).unwrap();
                    list.remove(at);
                }
                Change::Insert {
                    parent,
                    position,
                    item,
                } => {
                    let list = match parent {
                        Some(parent) => inside(items, parent).unwrap(),
                        None => items,
                    };
                    list.insert(*position, item.clone());
                }
            }
        }
    }

    const ONE: &str = r#"[{"Id":"a","Names":["/web"],"State":"running"}]"#;
    const STOPPED: &str = r#"[{"Id":"a","Names":["/web"],"State":"exited"}]"#;

    #[test]
    fn nothing_changes_where_nothing_did() {
        let same = menu(&up(), Some(&census(ONE)), None);
        assert_eq!(between(&same, &same), []);
    }

    #[test]
    fn health_is_one_item() {
        let before = menu(&up(), Some(&census(ONE)), None);
        let sick = ONE.replace("}]", r#","Status":"Up (unhealthy)"}]"#);
        let after = menu(&up(), Some(&census(&sick)), None);
        let changes = between(&before, &after);
        let of_web = |change: &Change| match change {
            Change::Relabel { key, .. } | Change::Remove { key, .. } => key == "container all a",
            Change::Insert { item, .. } => item.label == "▲ web",
        };
        assert!(changes.iter().all(of_web), "{changes:?}");
        let most = if MENUS_ARE_RELABELLED { 1 } else { 2 };
        assert_eq!(changes.len(), most, "{changes:?}");
    }

    #[test]
    fn a_container_that_stops_moves_and_the_rest_stays() {
        let mut items = menu(&up(), Some(&census(ONE)), None);
        let after = menu(&up(), Some(&census(STOPPED)), None);
        let changes = between(&items, &after);
        let touched = |change: &Change| match change {
            Change::Insert { item, .. } => item.key.clone(),
            Change::Remove { key, .. } | Change::Relabel { key, .. } => key.clone(),
        };
        let touched: Vec<String> = changes.iter().map(touched).collect();
        for stays in ["open", "settings", "quit", "ports", "separator 5"] {
            assert!(
                !touched.iter().any(|key| key == stays),
                "{stays}: {touched:?}"
            );
        }
        apply(&mut items, &changes);
        assert_eq!(items, after);
    }

    fn items(depth: u32) -> BoxedStrategy<Vec<Item>> {
        let leaf = (0..2_u8).prop_map(|kind| match kind {
            0 => Kind::Note,
            _ => Kind::Does(Action::Open),
        });
        let kind = if depth == 0 {
            leaf.boxed()
        } else {
            prop_oneof![leaf, items(depth - 1).prop_map(Kind::Holds)].boxed()
        };
        proptest::collection::btree_map(0..8_u8, (kind, 0..3_u8), 0..6)
            .prop_map(move |map| {
                let made = map.into_iter().map(|(key, (kind, label))| Item {
                    key: format!("{depth}.{key}"),
                    label: label.to_string(),
                    kind,
                });
                made.collect::<Vec<_>>()
            })
            .prop_shuffle()
            .boxed()
    }

    /// Keys of inner menus repeat in these random ones; a real menu's do not.
    fn distinct(mut items: Vec<Item>, prefix: &str) -> Vec<Item> {
        for item in &mut items {
            item.key = format!("{prefix}/{}", item.key);
            let key = item.key.clone();
            if let Kind::Holds(inner) = &mut item.kind {
                *inner = distinct(std::mem::take(inner), &key);
            }
        }
        items
    }

    proptest! {
        #[test]
        fn any_menu_becomes_any_other(old in items(2), new in items(2)) {
            let (old, new) = (distinct(old, ""), distinct(new, ""));
            let mut items = old.clone();
            apply(&mut items, &between(&old, &new));
            prop_assert_eq!(items, new);
        }
    }
}
