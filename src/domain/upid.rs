//! The name of a task: `UPID:NODE:PID:PSTART:STARTTIME:TYPE:ID:USER[!TOKEN]:` with hexadecimal numbers.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ids::NodeName;

/// A parsed UPID. It keeps the server's own text, so that it goes back exactly as it came.
#[derive(Clone)]
pub struct Upid {
    text: Arc<str>,
    /// The node whose worker runs the task.
    pub node: NodeName,
    /// When the task started.
    pub start: Timestamp,
    /// The worker type, such as `qmstart` or `vzdump`.
    pub kind: Arc<str>,
    /// What the task is about: mostly a VMID, empty if nothing.
    pub id: Arc<str>,
    /// Who started it, `user@realm` or `user@realm!token`.
    pub user: Arc<str>,
}

/// A text that is no UPID.
#[derive(Debug, thiserror::Error)]
#[error("not a task id: {0:?} (expected UPID:NODE:PID:PSTART:STARTTIME:TYPE:ID:USER:)")]
pub struct BadUpid(String);

impl Upid {
    /// The UPID as the server wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Upid {
    type Err = BadUpid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadUpid(text.chars().take(120).collect());
        let fields: Vec<&str> = text.split(':').collect();
        // A Backup Server's UPID has one field more (the task id) before the start time; both end in a colon.
        let (["UPID", _, _, _, start, kind, id, user, ""] | ["UPID", _, _, _, _, start, kind, id, user, ""]) =
            fields.as_slice()
        else {
            return Err(bad());
        };
        let node = fields[1];
        let seconds = i64::from_str_radix(start, 16).map_err(|_| bad())?;
        if node.is_empty() || kind.is_empty() {
            return Err(bad());
        }
        Ok(Self {
            text: text.into(),
            node: node.into(),
            start: Timestamp::from_second(seconds).map_err(|_| bad())?,
            kind: (*kind).into(),
            id: (*id).into(),
            user: (*user).into(),
        })
    }
}

impl PartialEq for Upid {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Upid {}
impl std::hash::Hash for Upid {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl PartialOrd for Upid {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Upid {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
impl fmt::Debug for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}
impl Serialize for Upid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de> Deserialize<'de> for Upid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a task of a Backup Server is about, as its UPID holds it: `main:vm/104` is `main\x3avm-104`.
pub fn escaped(id: &str) -> String {
    let mut text = String::new();
    for (index, byte) in id.bytes().enumerate() {
        match byte {
            b'/' => text.push('-'),
            b'.' if index > 0 => text.push('.'),
            b'_' => text.push('_'),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            // Writing into a string cannot fail.
            byte => drop(write!(text, r"\x{byte:02x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_and_an_empty_id_are_kept() {
        let upid: Upid = "UPID:pve1:00000680:0002597A:6B013B39:vncshell::root@pam!test:"
            .parse()
            .unwrap();
        assert_eq!(upid.node.as_str(), "pve1");
        assert_eq!(&*upid.kind, "vncshell");
        assert_eq!(&*upid.id, "");
        assert_eq!(&*upid.user, "root@pam!test");
        assert_eq!(upid.start.as_second(), 0x6B01_3B39);
    }

    #[test]
    fn what_is_no_upid_is_refused() {
        for text in [
            "",
            "UPID:",
            "UPID:a:b",
            "UPID:pve1:0:0:zz:qmstart:1:u:",
            "UPID:bad:status",
        ] {
            assert!(text.parse::<Upid>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_are_escaped_as_a_backup_server_does() {
        assert_eq!(escaped("backup1:vm/105"), r"backup1\x3avm-105");
        assert_eq!(
            escaped("-:backup1:backup2::local-copy"),
            r"\x2d\x3abackup1\x3abackup2\x3a\x3alocal\x2dcopy"
        );
    }

    #[test]
    fn a_backup_server_has_one_field_more() {
        let upid: Upid =
            "UPID:localhost:000002B1:00002F4C:00000003:6B0151C2:garbage_collection:store1:root@pam:"
                .parse()
                .unwrap();
        assert_eq!(&*upid.kind, "garbage_collection");
        assert_eq!(&*upid.id, "store1");
    }
}
