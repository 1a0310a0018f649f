//! Who a container's process is: `user[:group]` looked up in the container's
//! own `passwd` and `group` files.
//!
//! The files' contents are the caller's; rules and texts are Docker's.

use dhow_model::{ErrorKind, HasKind};
use serde::{Deserialize, Serialize};

/// Numeric ids, as the kernel knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups, the primary one first.
    pub groups: Vec<u32>,
    /// The home directory, `/` where it is not known.
    pub home: String,
}

/// A user or group that cannot be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownUser {
    /// No such name.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    User(String),
    /// No such name.
    #[error("unable to find group {0}: no matching entries in group file")]
    Group(String),
    /// No such name among `--group-add`.
    #[error("Unable to find group {0}: no matching entries in group file")]
    AddedGroup(String),
    /// A number that is no id.
    #[error("uids and gids must be in range 0-{MAX_ID}")]
    Range,
}

impl HasKind for UnknownUser {
    fn kind(&self) -> ErrorKind {
        // Found out at the start, where Docker calls everything its own fault.
        ErrorKind::System
    }
}

/// Looks up `spec` (empty is root) and the added groups.
///
/// A missing file is an empty one.
pub fn resolve(
    spec: &str,
    added_groups: &[String],
    passwd: &str,
    group: &str,
) -> Result<User, UnknownUser> {
    let (user_word, group_word) = spec.split_once(':').unwrap_or((spec, ""));
    let user_number = user_word.parse::<i64>().ok();
    let entry = passwd.lines().filter_map(PasswdEntry::parse).find(|entry| {
        match (user_word, user_number) {
            ("", _) => entry.uid == 0,
            (_, Some(number)) => i64::from(entry.uid) == number,
            (name, None) => entry.name == name,
        }
    });
    let mut user = User {
        home: "/".to_owned(),
        ..User::default()
    };
    match (&entry, user_number) {
        (Some(entry), _) => {
            user.uid = entry.uid;
            user.gid = entry.gid;
            if !entry.home.is_empty() {
                user.home = entry.home.to_owned();
            }
        }
        (None, Some(number)) => user.uid = checked(number)?,
        (None, None) if user_word.is_empty() => {}
        (None, None) => return Err(UnknownUser::User(user_word.to_owned())),
    }
    let mut supplementary = Vec::new();
    if !group_word.is_empty() {
        user.gid = find_group(group_word, group)?
            .ok_or_else(|| UnknownUser::Group(group_word.to_owned()))?;
    } else if let Some(entry) = &entry {
        let member = |group: &GroupEntry| group.members.split(',').any(|name| name == entry.name);
        let groups = group.lines().filter_map(GroupEntry::parse);
        supplementary.extend(groups.filter(member).map(|group| group.gid));
    }
    for word in added_groups {
        let gid =
            find_group_by_any(word, group)?.ok_or_else(|| UnknownUser::AddedGroup(word.clone()))?;
        supplementary.push(gid);
    }
    user.groups.push(user.gid);
    for gid in supplementary {
        if !user.groups.contains(&gid) {
            user.groups.push(gid);
        }
    }
    Ok(user)
}

const MAX_ID: i64 = i32::MAX as i64;

struct PasswdEntry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> PasswdEntry<'a> {
    /// `name:password:uid:gid:comment:home:shell`; other lines are passed over.
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let mut fields = fields.skip(1);
        Some(Self {
            name,
            uid: fields.next()?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
            home: fields.nth(1).unwrap_or_default(),
        })
    }
}

struct GroupEntry<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> GroupEntry<'a> {
    /// `name:password:gid:member,member`; other lines are passed over.
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        Some(Self {
            name,
            gid: fields.nth(1)?.parse().ok()?,
            members: fields.next().unwrap_or_default(),
        })
    }
}

/// A number is always an id, even where a group has it as its name.
fn find_group(word: &str, file: &str) -> Result<Option<u32>, UnknownUser> {
    match word.parse::<i64>() {
        Ok(number) => checked(number).map(Some),
        Err(_) => Ok(named_group(word, file)),
    }
}

/// A group may also be named by a number.
fn find_group_by_any(word: &str, file: &str) -> Result<Option<u32>, UnknownUser> {
    match named_group(word, file) {
        Some(gid) => Ok(Some(gid)),
        None => find_group(word, file),
    }
}

fn named_group(word: &str, file: &str) -> Option<u32> {
    let groups = file.lines().filter_map(GroupEntry::parse);
    groups
        .into_iter()
        .find(|group| group.name == word)
        .map(|group| group.gid)
}

fn checked(number: i64) -> Result<u32, UnknownUser> {
    match u32::try_from(number) {
        Ok(id) if number <= MAX_ID => Ok(id),
        _ => Err(UnknownUser::Range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\n\
        www:x:33:34:www:/var/www:/bin/false\n1000:x:5:6::/five:\nplus:x:1001:1001:::\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,www\nwww:x:34:\nvideo:x:44:www\n77:x:78:\n";

    fn check(spec: &str, added: &[&str], uid: u32, gid: u32, groups: &[u32], home: &str) {
        let added: Vec<String> = added.iter().map(|word| word.to_string()).collect();
        let user = resolve(spec, &added, PASSWD, GROUP).unwrap_or_else(|e| panic!("{spec}: {e}"));
        let expected = User {
            uid,
            gid,
            groups: groups.to_vec(),
            home: home.to_owned(),
        };
        assert_eq!(user, expected, "{spec}");
    }

    #[test]
    fn users_and_groups_are_looked_up() {
        check("", &[], 0, 0, &[0, 10], "/root");
        check("root", &[], 0, 0, &[0, 10], "/root");
        check("www", &[], 33, 34, &[34, 10, 44], "/var/www");
        check("33", &[], 33, 34, &[34, 10, 44], "/var/www");
        check("www:video", &[], 33, 44, &[44], "/var/www");
        check("www:999", &[], 33, 999, &[999], "/var/www");
        check("4242", &[], 4242, 0, &[0], "/");
        check("4242:video", &[], 4242, 44, &[44], "/");
        check(":video", &[], 0, 44, &[44], "/root");
        check("plus", &[], 1001, 1001, &[1001], "/");
        check(
            "www",
            &["video", "77", "123"],
            33,
            34,
            &[34, 10, 44, 78, 123],
            "/var/www",
        );
        // A number is an id, not the user of that name.
        check("1000", &[], 1000, 0, &[0], "/");
    }

    #[test]
    fn images_without_files_have_root_and_numbers() {
        let user = resolve("", &[], "", "").unwrap();
        assert_eq!((user.uid, user.gid, user.groups), (0, 0, vec![0]));
        assert_eq!(resolve("5:6", &[], "", "").unwrap().gid, 6);
        assert!(resolve("root", &[], "", "").is_err());
    }

    #[test]
    fn unknown_ones_are_named_in_docker_s_words() {
        let refuse = |spec: &str, added: &[&str], message: &str| {
            let added: Vec<String> = added.iter().map(|word| word.to_string()).collect();
            let error = resolve(spec, &added, PASSWD, GROUP).expect_err(spec);
            assert_eq!(error.to_string(), message);
        };
        refuse(
            "foo",
            &[],
            "unable to find user foo: no matching entries in passwd file",
        );
        refuse(
            "root:foo",
            &[],
            "unable to find group foo: no matching entries in group file",
        );
        refuse(
            "root",
            &["foo"],
            "Unable to find group foo: no matching entries in group file",
        );
        refuse("-1", &[], "uids and gids must be in range 0-2147483647");
        refuse(
            "2147483648",
            &[],
            "uids and gids must be in range 0-2147483647",
        );
        refuse(
            "0:2147483648",
            &[],
            "uids and gids must be in range 0-2147483647",
        );
        refuse("0", &["-5"], "uids and gids must be in range 0-2147483647");
    }
}
