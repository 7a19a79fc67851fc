//! What the server answers: JSON when it is well, a line of text when it is not.

use serde_json::Value;

/// Data, with a `total` beside it where the list is a part, and `success` where the real server says so.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub(super) value: Value,
    pub(super) total: Option<u64>,
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self { value, total: None }
    }
}

/// Why there is none.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) text: String,
}

pub(super) type Outcome = Result<Data, Refusal>;

impl Refusal {
    pub(super) fn new(status: u16, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { status, text }
    }

    /// 400, the usual one.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(400, text)
    }

    /// 401 of a sign-in.
    pub(super) fn stranger(text: &str) -> Self {
        Self::new(401, format!("authentication failed - {text}"))
    }

    /// 403 that tells no more.
    pub(super) fn forbidden() -> Self {
        Self::new(403, "permission check failed")
    }
}
