//! A request that changes the world, as a value: what a plan shows, what is sent, and what the journal keeps.
//!
//! What always holds here: nothing is sent from here; every segment and parameter is percent-encoded where it becomes
//! part of a line; a secret is sent and nothing else: it is neither shown nor written down ([`Secret`]).

use std::fmt::{self, Write as _};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};

/// The methods that change something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Creates or starts something.
    Post,
    /// Changes something.
    Put,
    /// Removes or ends something.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Parameters that are secrets wherever the API has them. Whoever adds a call need not think of it.
const SECRETS: &[&str] = &[
    "password",
    "cipassword",
    "new-password",
    "confirmation-password",
    "token",
    "tokenvalue",
    "secret",
    "keyring",
    "encryption-key",
    "eab-hmac-key",
    "target-endpoint",
];

/// What stands in the place of a secret.
pub const HIDDEN: &str = "(secret)";

/// The value of a parameter that only the server may read. What is read back from a file knows no more than that there
/// was one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Option<Box<str>>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(None))
    }
}

/// One call of the API below `/api2/json`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Call {
    /// What is done.
    pub method: Method,
    /// The path in its parts, not encoded.
    pub segments: Vec<Box<str>>,
    /// Parameters, not encoded, in the order in which they are sent.
    pub params: Vec<(Box<str>, Box<str>)>,
    /// Parameters that are secrets; they are sent behind the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<(Box<str>, Secret)>,
}

impl Call {
    /// A call without parameters.
    pub fn new(method: Method, segments: &[&str]) -> Self {
        Self {
            method,
            segments: segments.iter().map(|segment| (*segment).into()).collect(),
            params: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// The same with one more parameter. What is called like a secret is one.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if SECRETS.contains(&name) {
            return self.with_secret(name, value);
        }
        self.params.push((name.into(), value.into()));
        self
    }

    /// The same with one more secret. A DELETE has none: its parameters stand in the logs of servers.
    #[must_use]
    pub fn with_secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((name.into(), Secret(Some(value.into()))));
        self
    }

    /// A secret that it needs and that is not known any more: it cannot be sent.
    pub fn lost_secret(&self) -> Option<&str> {
        let lost = |(_, value): &&(Box<str>, Secret)| value.0.is_none();
        self.secrets.iter().find(lost).map(|(name, _)| &**name)
    }

    /// Parameters as they may be shown: [`HIDDEN`] in the place of a secret.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        let open = self.params.iter().map(|(name, value)| (&**name, &**value));
        open.chain(self.secrets.iter().map(|(name, _)| (&**name, HIDDEN)))
    }

    /// The path below `/api2/json`, encoded.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            percent_encode(segment, &mut path);
        }
        path
    }

    /// Path and query as they are sent. The server refuses a DELETE with a body: its parameters are the query.
    pub fn target(&self) -> String {
        let mut target = format!("/api2/json{}", self.path());
        if self.method == Method::Delete && !self.params.is_empty() {
            target.push('?');
            let open = self.params.iter().map(|(name, value)| (&**name, &**value));
            target.push_str(&Self::encoded(open));
        }
        target
    }

    /// The form that is sent as body, secrets and all: for the wire alone. `None` for DELETE.
    pub fn body(&self) -> Option<String> {
        let open = self.params.iter().map(|(name, value)| (&**name, &**value));
        let secret = self.secrets.iter();
        let secret = secret.filter_map(|(name, value)| Some((&**name, value.0.as_deref()?)));
        (self.method != Method::Delete).then(|| Self::encoded(open.chain(secret)))
    }

    fn encoded<'a>(params: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let mut form = String::new();
        for (index, (name, value)) in params.enumerate() {
            if index > 0 {
                form.push('&');
            }
            percent_encode(name, &mut form);
            form.push('=');
            percent_encode(value, &mut form);
        }
        form
    }
}

impl fmt::Display for Call {
    /// `POST /nodes/pve1/qemu/104/migrate target=pve2 online=1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.path())?;
        for (name, value) in self.shown() {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

/// Encodes all but letters, digits and `-._~`.
pub fn percent_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_go_where_the_method_takes_them() {
        let post = Call::new(Method::Post, &["nodes", "pve1", "qemu", "104", "snapshot"])
            .with("snapname", "before")
            .with("description", "a&b=c ü");
        assert_eq!(post.target(), "/api2/json/nodes/pve1/qemu/104/snapshot");
        assert_eq!(
            post.body().as_deref(),
            Some("snapname=before&description=a%26b%3Dc%20%C3%BC")
        );
        let delete = Call::new(Method::Delete, &["nodes", "pve1", "tasks", "UPID:x/y:"]).with("force", "1");
        assert_eq!(
            delete.target(),
            "/api2/json/nodes/pve1/tasks/UPID%3Ax%2Fy%3A?force=1"
        );
        assert_eq!(delete.body(), None);
        assert_eq!(
            delete.to_string(),
            "DELETE /nodes/pve1/tasks/UPID%3Ax%2Fy%3A force=1"
        );
    }

    #[test]
    fn a_secret_is_sent_and_nothing_else() {
        let config = Call::new(Method::Put, &["nodes", "pve1", "qemu", "104", "config"])
            .with("cipassword", "hunter 2")
            .with("ciuser", "admin");
        assert_eq!(
            config.body().as_deref(),
            Some("ciuser=admin&cipassword=hunter%202")
        );
        assert_eq!(
            config.to_string(),
            "PUT /nodes/pve1/qemu/104/config ciuser=admin cipassword=(secret)"
        );
        assert!(!format!("{config:?}").contains("hunter"), "{config:?}");
        assert_eq!(config.lost_secret(), None);
        let kept = serde_json::to_string(&config).unwrap();
        assert!(!kept.contains("hunter"), "{kept}");
        let back: Call = serde_json::from_str(&kept).unwrap();
        assert_eq!(back.to_string(), config.to_string());
        assert_eq!(back.lost_secret(), Some("cipassword"));
    }
}
