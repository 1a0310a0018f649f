//! Names in archives, made safe to hand to a tree.

use super::UnpackError;

/// `name` without leading slash, `.` and empty components, `..` taken back
/// word by word. What would climb above the root is an error naming `name`.
/// The root itself is the empty path.
pub(crate) fn clean(name: &[u8], root: &'static str) -> Result<Vec<u8>, UnpackError> {
    if name.contains(&0) {
        return Err(UnpackError::Name(name.to_vec()));
    }
    let mut path = Vec::with_capacity(name.len());
    for part in name.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match path.iter().rposition(|&b| b == b'/') {
                Some(slash) => path.truncate(slash),
                None if !path.is_empty() => path.clear(),
                None => return Err(UnpackError::Outside(name.to_vec(), root)),
            },
            part => {
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(part);
            }
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        let check = |name: &[u8], expected: Option<&[u8]>| {
            assert_eq!(clean(name, "root").ok().as_deref(), expected, "{name:?}");
        };
        check(b"a/b", Some(b"a/b"));
        check(b"/a//b/", Some(b"a/b"));
        check(b"./a/./b/.", Some(b"a/b"));
        check(b"a/../b", Some(b"b"));
        check(b"a/b/../../c", Some(b"c"));
        check(b"./", Some(b""));
        check(b"/", Some(b""));
        check(b"..", None);
        check(b"/..", None);
        check(b"a/../../b", None);
        check(b"a\0b", None);
    }
}
