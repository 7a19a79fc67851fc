//! A request that changes the world, as a value: what a plan shows, what is sent, and what the journal keeps.
//!
//! What always holds here: nothing is sent from here; every segment and parameter is percent-encoded where it becomes
//! part of a line; no secret is part of a call.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

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

/// One call of the API below `/api2/json`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Call {
    /// What is done.
    pub method: Method,
    /// The path in its parts, not encoded.
    pub segments: Vec<Box<str>>,
    /// Parameters, not encoded, in the order in which they are sent.
    pub params: Vec<(Box<str>, Box<str>)>,
}

impl Call {
    /// A call without parameters.
    pub fn new(method: Method, segments: &[&str]) -> Self {
        Self {
            method,
            segments: segments.iter().map(|segment| (*segment).into()).collect(),
            params: Vec::new(),
        }
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.into(), value.into()));
        self
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
            target.push_str(&self.encoded());
        }
        target
    }

    /// The form that is sent as body; `None` for DELETE.
    pub fn body(&self) -> Option<String> {
        (self.method != Method::Delete).then(|| self.encoded())
    }

    fn encoded(&self) -> String {
        let mut form = String::new();
        for (index, (name, value)) in self.params.iter().enumerate() {
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
        for (name, value) in &self.params {
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
}
