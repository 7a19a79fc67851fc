//! The client, and what may change silences.

use super::{
    super::monitor::{Hand, Link, target},
    MonitorError, NotChanged, Settings, wire,
};
use crate::{
    clients::http::Message,
    domain::{
        Method,
        alert::{Alert, AlertGroup, Silence, SilenceCall},
        call::percent_encode,
    },
};

const SERVICE: &str = "Alertmanager";

/// What a server says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Its version.
    pub version: Option<Box<str>>,
    /// `ready`, `settling`, or `disabled` where it runs alone.
    pub cluster: Option<Box<str>>,
    /// The others of its cluster.
    pub peers: usize,
}

/// Reads one Alertmanager. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    link: Link,
}

type Result<T> = std::result::Result<T, MonitorError>;

// The methods fail for the same reasons: see `MonitorError`.
#[allow(
    clippy::missing_errors_doc,
    reason = "every method fails as `MonitorError` describes, and for nothing else"
)]
impl Client {
    /// Prepares to ask; nothing is sent yet.
    pub fn new(settings: &Settings) -> Result<Self> {
        Ok(Self {
            link: Link::new(SERVICE, settings)?,
        })
    }

    /// Where it asks.
    pub fn address(&self) -> &str {
        self.link.address()
    }

    /// What it says of itself. `/api/v2/status`.
    pub async fn status(&self) -> Result<Status> {
        self.ask("/api/v2/status", &[], wire::status).await
    }

    /// All alerts, those too that are silenced or inhibited. `/api/v2/alerts`.
    pub async fn alerts(&self) -> Result<Vec<Alert>> {
        let all = [("active", "true"), ("silenced", "true"), ("inhibited", "true")];
        self.ask("/api/v2/alerts", &all, wire::alerts).await
    }

    /// The same as they are told: in groups, by receiver. `/api/v2/alerts/groups`.
    pub async fn groups(&self) -> Result<Vec<AlertGroup>> {
        self.ask("/api/v2/alerts/groups", &[], wire::groups).await
    }

    /// All silences, expired ones too as long as the server keeps them. `/api/v2/silences`.
    pub async fn silences(&self) -> Result<Vec<Silence>> {
        self.ask("/api/v2/silences", &[], wire::silences).await
    }

    async fn ask<T>(&self, path: &str, query: &[(&str, &str)], decode: wire::Decode<T>) -> Result<T> {
        let target = target(path, query.iter().copied());
        let body = self.link.body(&target).await?;
        decode(&String::from_utf8_lossy(&body)).map_err(|why| self.link.malformed(&target, &why))
    }
}

/// Reads and changes the silences of one Alertmanager. Only where writing is allowed is one made.
#[derive(Clone, Debug)]
pub struct Silencer {
    client: Client,
    hand: Hand,
}

impl Silencer {
    /// Prepares to act; nothing is sent yet.
    ///
    /// # Errors
    /// [`MonitorError::Setup`] if what is configured cannot be used.
    pub fn new(settings: &Settings) -> Result<Self> {
        let hand = Hand::new(SERVICE, settings)?;
        Ok(Self {
            client: Client {
                link: hand.link().clone(),
            },
            hand,
        })
    }

    /// Its reading side.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a change, once. What was made comes back with its id: one that takes another's place has a new one.
    ///
    /// # Errors
    /// Whether it is certain that nothing was changed.
    pub async fn send(&self, call: &SilenceCall) -> std::result::Result<Option<Box<str>>, NotChanged> {
        let message = message(call);
        let body = self.hand.send(&message).await?;
        match call {
            SilenceCall::Expire(_) => Ok(None),
            SilenceCall::Create { .. } => wire::created(&String::from_utf8_lossy(&body))
                .map(Some)
                .map_err(|why| NotChanged::Unknown(self.hand.link().malformed(&message.target, &why))),
        }
    }
}

/// The change as it is sent.
fn message(call: &SilenceCall) -> Message {
    match call {
        SilenceCall::Create {
            replaces,
            matchers,
            starts,
            ends,
            by,
            comment,
        } => Message::json(
            Method::Post,
            "/api/v2/silences",
            &wire::silence(replaces.as_deref(), matchers, [*starts, *ends], by, comment),
        ),
        SilenceCall::Expire(id) => {
            let mut target = "/api/v2/silence/".to_owned();
            percent_encode(id, &mut target);
            Message::bare(Method::Delete, &target)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::alert::{MatchOp, Matcher};

    #[test]
    fn changes_as_they_are_sent() {
        let call = SilenceCall::Create {
            replaces: Some("abc".into()),
            matchers: vec![Matcher {
                name: "instance".into(),
                op: MatchOp::NotRegex,
                value: "pve.*".into(),
            }],
            starts: Timestamp::from_second(0).unwrap(),
            ends: Timestamp::from_second(3600).unwrap(),
            by: "alice@pam".into(),
            comment: "a \"test\"".into(),
        };
        let sent = message(&call);
        assert_eq!(
            (sent.verb, sent.target.as_str()),
            (Method::Post, "/api/v2/silences")
        );
        let body: serde_json::Value = serde_json::from_str(sent.body().unwrap()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "id": "abc",
                "matchers": [{"name": "instance", "value": "pve.*", "isRegex": true, "isEqual": false}],
                "startsAt": "1970-01-01T00:00:00Z", "endsAt": "1970-01-01T01:00:00Z",
                "createdBy": "alice@pam", "comment": "a \"test\"",
            })
        );
        let sent = message(&SilenceCall::Expire("a/../b".into()));
        assert_eq!(
            (sent.verb, sent.target.as_str()),
            (Method::Delete, "/api/v2/silence/a%2F..%2Fb")
        );
        assert_eq!(sent.body(), None);
    }
}
