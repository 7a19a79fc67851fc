//! Requests that read: built here without I/O, and sent elsewhere.

use crate::{clients::http::Lane, domain::call::percent_encode};

use super::envelope::{self, Broken, Decode};

/// A read whose answer becomes a `T`.
#[derive(Clone, Debug)]
pub struct Get<T> {
    path: String,
    query: Vec<(&'static str, String)>,
    lane: Lane,
    decode: Decode<T>,
}

impl<T> Get<T> {
    pub(in crate::clients) fn new(segments: &[&str], decode: Decode<T>) -> Self {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            percent_encode(segment, &mut path);
        }
        let lane = if segments.first() == Some(&"nodes") {
            Lane::Proxied
        } else {
            Lane::Direct
        };
        Self {
            path,
            query: Vec::new(),
            lane,
            decode,
        }
    }

    pub(in crate::clients) fn with(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// The path below `/api2/json`, encoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query parameters, not encoded.
    pub fn query(&self) -> &[(&'static str, String)] {
        &self.query
    }

    /// Path and query as they are sent.
    pub fn target(&self) -> String {
        let mut target = format!("/api2/json{}", self.path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            percent_encode(name, &mut target);
            target.push('=');
            percent_encode(value, &mut target);
        }
        target
    }

    /// Which lane it takes.
    pub(in crate::clients) fn lane(&self) -> Lane {
        self.lane
    }

    /// Turns an answer's JSON into the value.
    ///
    /// # Errors
    /// If it is no JSON, or its `data` has another shape than this endpoint's.
    pub fn decode(&self, body: &[u8]) -> Result<T, Broken> {
        // Text that guests wrote may be no UTF-8; a copy is made only then.
        let body = String::from_utf8_lossy(body);
        envelope::envelope(&body).and_then(|envelope| (self.decode)(&envelope))
    }

    pub(in crate::clients) fn sample(self) -> Sample {
        Sample {
            method: "GET",
            path: self.path,
            query: self.query,
        }
    }
}

impl<T> Get<T> {
    /// The same request, with its `data` as indented JSON.
    pub fn raw(self) -> Get<Box<str>> {
        Get {
            path: self.path,
            query: self.query,
            lane: self.lane,
            decode: envelope::pretty,
        }
    }
}

/// One request as it would be sent, for checks against the official schema.
#[derive(Clone, Debug)]
pub struct Sample {
    /// HTTP method.
    pub method: &'static str,
    /// Path below `/api2/json`, encoded.
    pub path: String,
    /// Parameters, not encoded.
    pub query: Vec<(&'static str, String)>,
}
