//! The built pages, and how they are answered: with what they are, for how
//! long browsers may keep them, and whether they have them already.

use std::collections::HashMap;
use std::path::Path;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::answer::{self, Body};

/// Path, bytes and tag of everything that was built when this was.
const EMBEDDED: &[(&str, &[u8], &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page that a dashboard starts with.
const FIRST: &str = "index.html";

/// All pages, in memory.
pub struct Pages(HashMap<String, Page>);

struct Page {
    bytes: Bytes,
    tag: HeaderValue,
}

impl Pages {
    /// Those that are part of this program.
    pub fn built_in() -> Result<Self, Error> {
        Self::checked(
            EMBEDDED
                .iter()
                .filter_map(|(path, bytes, tag)| {
                    Some((
                        (*path).to_owned(),
                        Page::new(Bytes::from_static(bytes), tag)?,
                    ))
                })
                .collect(),
        )
    }

    /// Those that are in `folder` now.
    pub fn of_folder(folder: &Path) -> Result<Self, Error> {
        let mut pages = HashMap::new();
        read(folder, "", &mut pages)?;
        Self::checked(pages)
    }

    fn checked(pages: HashMap<String, Page>) -> Result<Self, Error> {
        if !pages.contains_key(FIRST) {
            return Err(Error::NoPages);
        }
        Ok(Self(pages))
    }

    /// Answers a request for `path`.
    pub(crate) fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Response<Body> {
        if method != Method::GET && method != Method::HEAD {
            let mut response = answer::error(StatusCode::METHOD_NOT_ALLOWED, "pages are only read");
            let methods = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, methods);
            return response;
        }
        let path = match path.trim_start_matches('/') {
            "" => FIRST,
            path => path,
        };
        let Some(page) = self.0.get(path) else {
            return answer::error(StatusCode::NOT_FOUND, "there is no such page");
        };
        let known = headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| page.tag == tag.trim());
        let mut response = if known {
            answer::empty(StatusCode::NOT_MODIFIED)
        } else {
            // The server leaves the body out where only the head is asked for.
            Response::new(answer::whole(page.bytes.clone()))
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind(path)));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(keeping(path)));
        headers.insert(ETAG, page.tag.clone());
        response
    }
}

impl Page {
    fn new(bytes: Bytes, tag: &str) -> Option<Self> {
        let tag = HeaderValue::try_from(format!("\"{tag}\"")).ok()?;
        Some(Self { bytes, tag })
    }
}

fn read(folder: &Path, prefix: &str, pages: &mut HashMap<String, Page>) -> Result<(), Error> {
    let failed = |path: &Path, source| Error::Pages {
        path: path.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let entry = entry.map_err(|error| failed(folder, error))?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = format!("{prefix}{}", name.to_string_lossy());
        if path.is_dir() {
            read(&path, &format!("{name}/"), pages)?;
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| failed(&path, error))?;
        let sum = Sha256::digest(&bytes);
        let tag: String = sum[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(page) = Page::new(bytes.into(), &tag) {
            pages.insert(name, page);
        }
    }
    Ok(())
}

fn kind(path: &str) -> &'static str {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// For how long browsers may keep a page: those with their own sum in their
/// name never change, the first one says which these are.
fn keeping(path: &str) -> &'static str {
    if path == FIRST {
        "no-store"
    } else if has_sum(path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// Whether the name is one that the bundler gave: `assets/name-XXXXXXXX.js`.
fn has_sum(path: &str) -> bool {
    const SUM: usize = 8;
    let Some(name) = path.strip_prefix("assets/") else {
        return false;
    };
    let stem = name.split('.').next().unwrap_or_default().as_bytes();
    stem.len() > SUM + 1 && stem[stem.len() - SUM - 1] == b'-'
}

#[cfg(test)]
mod tests {
    use super::{Pages, keeping};
    use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
    use http::{HeaderMap, Method};

    fn pages() -> Pages {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
        std::fs::write(folder.path().join("assets/index-Ab3_-x9Z.js"), "1").unwrap();
        Pages::of_folder(folder.path()).unwrap()
    }

    #[test]
    fn nothing_but_what_was_built_is_served() {
        let pages = pages();
        let status = |method: Method, path: &str| {
            let answer = pages.answer(&method, path, &HeaderMap::new());
            answer.status().as_u16()
        };
        assert_eq!(status(Method::GET, "/"), 200);
        assert_eq!(status(Method::HEAD, "/assets/index-Ab3_-x9Z.js"), 200);
        assert_eq!(status(Method::GET, "/assets"), 404);
        assert_eq!(status(Method::GET, "/../Cargo.toml"), 404);
        assert_eq!(status(Method::POST, "/"), 405);
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let pages = pages();
        let path = "/assets/index-Ab3_-x9Z.js";
        let first = pages.answer(&Method::GET, path, &HeaderMap::new());
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        let second = pages.answer(&Method::GET, path, &headers);
        assert_eq!(second.status(), 304);
        headers.insert(IF_NONE_MATCH, "\"other\"".parse().unwrap());
        let third = pages.answer(&Method::GET, path, &headers);
        assert_eq!(third.status(), 200);
        assert!(first.headers().contains_key(CACHE_CONTROL));
    }

    #[test]
    fn only_names_with_a_sum_are_kept() {
        assert_eq!(keeping("index.html"), "no-store");
        assert!(keeping("assets/index-Ab3_-x9Z.js").contains("immutable"));
        for path in ["mark.svg", "assets/logo.svg", "x/index-Ab3_-x9Z.js"] {
            assert_eq!(keeping(path), "no-cache");
        }
    }

    #[test]
    fn a_folder_without_a_first_page_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Pages::of_folder(folder.path()).is_err());
        assert!(Pages::of_folder(&folder.path().join("gone")).is_err());
    }
}
