//! What a method gives back, and how a failure is worded.
//!
//! A failure carries its message in the reason phrase and, mostly, in the body as well. Those without a body are the
//! refusals of the sign-in and what the proxy to another node says.

use serde_json::{Map, Value, json};

/// The data of a successful call.
#[derive(Debug)]
pub(super) enum Data {
    /// `{"data": …}`.
    Value(Value),
    /// `{"data": …}` from text that is JSON already: long lists that are not worth a tree.
    Raw(String),
    /// `{"data": […], "total": n}`: one page of a longer list.
    Page(Value, usize),
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// How much of a failure is in the body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Body {
    /// `{"data":null,"message":…}`.
    Json,
    /// Nothing: the reason phrase is all.
    Empty,
    /// The reason as plain text.
    Plain,
}

/// A failed call.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) reason: String,
    errors: Map<String, Value>,
    body: Body,
}

/// The outcome of a method.
pub(super) type Outcome = Result<Data, Failure>;

impl Failure {
    fn new(status: u16, reason: impl Into<String>, body: Body) -> Self {
        Self {
            status,
            reason: reason.into(),
            errors: Map::new(),
            body,
        }
    }

    /// 500: the server's own words.
    pub(super) fn server(reason: impl Into<String>) -> Self {
        Self::new(500, reason, Body::Json)
    }

    /// 400 with one entry in `errors`.
    pub(super) fn parameter(name: &str, text: impl Into<String>) -> Self {
        Self::parameters([(name.to_owned(), text.into())])
    }

    /// 400 with an entry for each bad parameter.
    pub(super) fn parameters(errors: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut failure = Self::new(400, "Parameter verification failed.", Body::Json);
        failure.errors = errors
            .into_iter()
            .map(|(name, text)| (name, text.into()))
            .collect();
        failure
    }

    /// 403 with the path and the privileges that were asked for.
    pub(super) fn forbidden(path: &str, privileges: &str) -> Self {
        Self::new(
            403,
            format!("Permission check failed ({path}, {privileges})"),
            Body::Json,
        )
    }

    /// 403 with a detail that is no path.
    pub(super) fn forbidden_plain(detail: &str) -> Self {
        Self::new(403, format!("Permission check failed ({detail})"), Body::Json)
    }

    /// 403 without a detail.
    pub(super) fn refused() -> Self {
        Self::new(403, "Permission check failed", Body::Json)
    }

    /// 401 before any method ran: no body.
    pub(super) fn no_entry(reason: &str) -> Self {
        Self::new(401, reason, Body::Empty)
    }

    /// 401 by a method that ran.
    pub(super) fn denied(reason: &str) -> Self {
        Self::new(401, reason, Body::Json)
    }

    /// 401 of a sign-in with wrong credentials.
    pub(super) fn bad_login() -> Self {
        Self::new(401, "authentication failure", Body::Json)
    }

    /// 595 or 596: the node behind the asked one does not answer.
    pub(super) fn proxy(status: u16, reason: &str) -> Self {
        Self::new(status, reason, Body::Empty)
    }

    /// 501 for a path or method that does not exist.
    pub(super) fn unimplemented(method: &str, path: &str) -> Self {
        Self::new(
            501,
            format!("Method '{method} {path}' not implemented"),
            Body::Json,
        )
    }

    /// A refusal by the HTTP layer, as plain text.
    pub(super) fn plain(status: u16, reason: impl Into<String>) -> Self {
        Self::new(status, reason, Body::Plain)
    }

    /// A refusal by the HTTP layer without a body.
    pub(super) fn bare(status: u16, reason: impl Into<String>) -> Self {
        Self::new(status, reason, Body::Empty)
    }

    /// The body as it goes over the wire, and its content type.
    pub(super) fn body(&self) -> (String, &'static str) {
        match self.body {
            Body::Empty => (String::new(), ""),
            Body::Plain => (self.reason.clone(), "text/plain;charset=UTF-8"),
            Body::Json => (self.json().to_string(), "application/json;charset=UTF-8"),
        }
    }

    fn json(&self) -> Value {
        // The dispatcher's own 501 is the one message without a line end.
        let end = if self.status == 501 { "" } else { "\n" };
        let mut body = json!({"data": null, "message": format!("{}{end}", self.reason)});
        if !self.errors.is_empty() {
            body["errors"] = Value::Object(self.errors.clone());
        }
        body
    }

    /// The same failure for `/api2/extjs`, where the HTTP status is 200.
    pub(super) fn extjs(&self) -> Value {
        let mut body = self.json();
        body["success"] = json!(0);
        body["status"] = json!(self.status);
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_words_itself_as_the_real_server_does() {
        let failure = Failure::forbidden("/vms/100", "VM.PowerMgmt");
        assert_eq!(failure.status, 403);
        assert_eq!(failure.reason, "Permission check failed (/vms/100, VM.PowerMgmt)");
        let unknown = Failure::unimplemented("GET", "/nosuch");
        assert_eq!(unknown.json()["message"], "Method 'GET /nosuch' not implemented");
        let bad = Failure::parameter("vmid", "VM 100 already exists");
        assert_eq!(bad.json()["errors"]["vmid"], "VM 100 already exists");
        assert_eq!(bad.json()["message"], "Parameter verification failed.\n");
        assert_eq!(Failure::no_entry("No ticket").body().0, "");
    }
}
