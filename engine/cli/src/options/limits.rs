//! Resource limits and restart policies.

use serde_json::{Value, json};

/// `--ulimit name=soft[:hard]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ulimit {
    pub name: String,
    pub soft: i64,
    pub hard: i64,
}

impl Ulimit {
    /// As the API takes it.
    pub fn to_json(&self) -> Value {
        json!({"Name": self.name, "Soft": self.soft, "Hard": self.hard})
    }
}

/// Reads a `--ulimit`.
pub fn ulimit(text: &str) -> Result<Ulimit, String> {
    const NAMES: &[&str] = &[
        "as",
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("invalid ulimit argument: {text}"))?;
    if !NAMES.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
    };
    let (soft, hard) = match value.split_once(':') {
        Some((_, hard)) if hard.contains(':') => {
            return Err(format!(
                "too many limit value arguments - {value}, can only have up to two, `soft[:hard]`"
            ));
        }
        Some((soft, hard)) => (number(soft)?, number(hard)?),
        None => {
            let both = number(value)?;
            (both, both)
        }
    };
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(if soft == -1 {
            format!(
                "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: {hard}"
            )
        } else {
            format!("ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")
        });
    }
    Ok(Ulimit {
        name: name.to_owned(),
        soft,
        hard,
    })
}

/// `--restart name[:count]`.
pub fn restart_policy(text: &str) -> Result<Value, String> {
    let (name, count) = match text.split_once(':') {
        None => (text, 0),
        Some(("", _)) => {
            return Err(
                "invalid restart policy format: no policy provided before colon".to_owned(),
            );
        }
        Some((name, count)) => {
            let count = count.parse::<i64>().map_err(
                |_| "invalid restart policy format: maximum retry count must be an integer",
            )?;
            (name, count)
        }
    };
    Ok(json!({"Name": name, "MaximumRetryCount": count}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulimits() {
        let limit = |name: &str, soft, hard| Ulimit {
            name: name.to_owned(),
            soft,
            hard,
        };
        assert_eq!(ulimit("nofile=5"), Ok(limit("nofile", 5, 5)));
        assert_eq!(ulimit("core=0:-1"), Ok(limit("core", 0, -1)));
        assert_eq!(ulimit("foo").unwrap_err(), "invalid ulimit argument: foo");
        assert_eq!(ulimit("foo=1").unwrap_err(), "invalid ulimit type: foo");
        assert_eq!(
            ulimit("nofile=5:4").unwrap_err(),
            "ulimit soft limit must be less than or equal to hard limit: 5 > 4"
        );
        assert!(ulimit("nofile=1:2:3").is_err() && ulimit("nofile=x").is_err());
    }

    #[test]
    fn restart_policies() {
        let policy = restart_policy("on-failure:3").unwrap();
        assert_eq!(
            policy,
            json!({"Name": "on-failure", "MaximumRetryCount": 3})
        );
        assert!(restart_policy(":3").is_err() && restart_policy("always:x").is_err());
    }
}
