//! The envelope of every answer, and its rows.
//!
//! What always holds here:
//! - A field that is absent, `null` or of an unexpected kind is `None`; unknown fields are skipped.
//! - One row that cannot be understood never fails a list. Nothing here panics on foreign data.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Int, Text};

/// Turns an answer into a value.
pub(in crate::clients) type Decode<T> = fn(&Envelope<'_>) -> Result<T, Broken>;

/// Why an answer could not be understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub(in crate::clients) String);

impl From<serde_json::Error> for Broken {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// Every answer: the data, and how many rows there are in all where the answer is a part.
#[derive(Deserialize)]
pub(in crate::clients) struct Envelope<'a> {
    #[serde(borrow, default)]
    pub(in crate::clients) data: Option<&'a RawValue>,
    #[serde(default)]
    pub(in crate::clients) total: Int,
}

/// Reads the envelope of an answer. An empty body is `null` data.
pub(in crate::clients) fn envelope(body: &str) -> Result<Envelope<'_>, Broken> {
    if body.trim().is_empty() {
        return Ok(Envelope {
            data: None,
            total: Int::default(),
        });
    }
    Ok(serde_json::from_str(body)?)
}

impl<'a> Envelope<'a> {
    /// The data as a `T`; where it is `null` or absent, the default.
    pub(in crate::clients) fn object<T: Deserialize<'a> + Default>(&self) -> Result<T, Broken> {
        match self.data {
            Some(data) => Ok(serde_json::from_str::<Option<T>>(data.get())?.unwrap_or_default()),
            None => Ok(T::default()),
        }
    }

    /// The rows of a list, unread. `null` is an empty list; an object's values are its rows.
    pub(in crate::clients) fn rows(&self) -> Result<Vec<&'a RawValue>, Broken> {
        let Some(data) = self.data else {
            return Ok(Vec::new());
        };
        Ok(serde_json::from_str::<Option<Vec<&'a RawValue>>>(data.get())?.unwrap_or_default())
    }

    /// The rows of a list that can be understood; the others are logged and left out.
    pub(in crate::clients) fn list<W: Deserialize<'a>, T>(
        &self,
        convert: impl Fn(W) -> Option<T>,
    ) -> Result<Vec<T>, Broken> {
        let rows = self.rows()?;
        let mut list = Vec::with_capacity(rows.len());
        for row in rows {
            match serde_json::from_str(row.get()).map(&convert) {
                Ok(Some(item)) => list.push(item),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, row = excerpt(row), "a row was not understood and is left out");
                }
            }
        }
        Ok(list)
    }
}

/// The beginning of a row, for messages.
pub(in crate::clients) fn excerpt(row: &RawValue) -> &str {
    let text = row.get();
    match text.char_indices().nth(160) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The data as indented JSON with sorted keys.
pub(in crate::clients) fn pretty(envelope: &Envelope<'_>) -> Result<Box<str>, Broken> {
    let value: serde_json::Value = match envelope.data {
        Some(data) => serde_json::from_str(data.get())?,
        None => serde_json::Value::Null,
    };
    Ok(serde_json::to_string_pretty(&value)?.into())
}

/// Seconds since 1970; 0 means "never" to Proxmox.
pub(in crate::clients) fn moment(seconds: &Int) -> Option<Timestamp> {
    let seconds = i64::try_from(seconds.0?).ok().filter(|&s| s > 0)?;
    Timestamp::from_second(seconds).ok()
}

/// Text that says something.
pub(in crate::clients) fn said(text: Text<'_>) -> Option<Box<str>> {
    text.0.filter(|text| !text.is_empty()).map(Into::into)
}

/// An object or list inside an object; whatever else stands there is the empty one.
pub(in crate::clients) fn inner<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}
