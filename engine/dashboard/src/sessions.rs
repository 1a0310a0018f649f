//! Which browsers were let in.
//!
//! A link carries a token, which opens one session, once, soon. A session has
//! two halves, and every request needs both. The **cookie** can be read by no
//! script, but browsers send it to every port of the address, so to
//! containers that publish one. The **key** is kept by our pages alone, since
//! what pages keep is kept by port, but a script could read it.
//!
//! Pure: the clock is an argument, and nothing is sent.

use std::time::{Duration, Instant};

use crate::secret::Secret;

/// How long a link that nobody opens is good for.
pub const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Links that wait to be opened, and browsers at the same time. Beyond that
/// the oldest goes.
const TOKENS: usize = 8;
const SESSIONS: usize = 32;

/// For whom a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever reads it, on the terminal for example.
    Anyone,
    /// Processes of this user: for links that go through a place that others
    /// can read, such as a command line.
    User(u32),
}

/// A browser that was let in.
#[derive(Debug, Clone)]
pub struct Session {
    pub cookie: Secret,
    pub key: Secret,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Sessions {
    tokens: Vec<Token>,
    sessions: Vec<Session>,
}

#[derive(Debug)]
struct Token {
    secret: Secret,
    audience: Audience,
    until: Instant,
}

impl Sessions {
    /// Makes `secret` open a session from now on.
    pub fn issue(&mut self, secret: Secret, audience: Audience, now: Instant) {
        if self.tokens.len() >= TOKENS {
            self.tokens.remove(0);
        }
        self.tokens.push(Token {
            secret,
            audience,
            until: now + PATIENCE,
        });
    }

    /// Opens `session` if `text` is a token that is still good for a process
    /// of the user `owner`; it is not afterwards.
    pub fn open(
        &mut self,
        text: &str,
        owner: impl FnOnce() -> Option<u32>,
        session: Session,
        now: Instant,
    ) -> bool {
        self.tokens.retain(|token| now < token.until);
        let Some(index) = self.tokens.iter().position(|token| token.secret.is(text)) else {
            return false;
        };
        // It stays for whom it is meant.
        if let Audience::User(user) = self.tokens[index].audience
            && owner() != Some(user)
        {
            return false;
        }
        self.tokens.remove(index);
        if self.sessions.len() >= SESSIONS {
            self.sessions.remove(0);
        }
        self.sessions.push(session);
        true
    }

    /// The session that one of `cookies` belongs to. Several may have been
    /// sent: other ports can set cookies of any name.
    pub fn of_cookies<'a>(&self, cookies: impl Iterator<Item = &'a str>) -> Option<&Session> {
        let mut cookies = cookies;
        cookies.find_map(|text| self.sessions.iter().find(|s| s.cookie.is(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Audience, PATIENCE, SESSIONS, Session, Sessions};
    use crate::secret::Secret;
    use std::time::{Duration, Instant};

    fn secret() -> Secret {
        Secret::new().unwrap()
    }

    fn session() -> Session {
        Session {
            cookie: secret(),
            key: secret(),
        }
    }

    #[test]
    fn a_token_opens_one_session_in_time() {
        let mut sessions = Sessions::default();
        let now = Instant::now();
        let (token, late) = (secret(), secret());
        sessions.issue(token.clone(), Audience::Anyone, now);
        sessions.issue(late.clone(), Audience::Anyone, now);
        let mut open = |token: &Secret, seconds| {
            let now = now + Duration::from_secs(seconds);
            sessions.open(&token.text(), || None, session(), now)
        };
        assert!(!open(&secret(), 0));
        assert!(open(&token, 1));
        assert!(!open(&token, 1));
        assert!(!open(&late, PATIENCE.as_secs()));
    }

    #[test]
    fn a_link_for_one_user_is_no_use_to_another() {
        let mut sessions = Sessions::default();
        let (token, now) = (secret(), Instant::now());
        sessions.issue(token.clone(), Audience::User(1000), now);
        let mut open = |owner: Option<u32>| sessions.open(&token.text(), || owner, session(), now);
        assert!(!open(Some(1001)) && !open(None));
        assert!(open(Some(1000)));
    }

    #[test]
    fn strange_cookies_do_not_hide_ours() {
        let mut sessions = Sessions::default();
        let (token, opened, now) = (secret(), session(), Instant::now());
        sessions.issue(token.clone(), Audience::Anyone, now);
        assert!(sessions.open(&token.text(), || None, opened.clone(), now));
        let (ours, theirs) = (opened.cookie.text(), secret().text());
        let of = |texts: &[&str]| sessions.of_cookies(texts.iter().copied()).is_some();
        assert!(of(&[&theirs, &ours]) && !of(&[&theirs]) && !of(&[]));
        assert!(!of(&[&opened.key.text()]), "the key is no cookie");
    }

    #[test]
    fn the_oldest_of_too_many_goes() {
        let mut sessions = Sessions::default();
        let now = Instant::now();
        let first = session();
        for index in 0..=SESSIONS {
            let token = secret();
            let session = if index == 0 { first.clone() } else { session() };
            sessions.issue(token.clone(), Audience::Anyone, now);
            assert!(sessions.open(&token.text(), || None, session, now));
        }
        let cookie = first.cookie.text();
        assert!(sessions.of_cookies([cookie.as_str()].into_iter()).is_none());
    }
}
