//! `/version`, `/nodes/localhost/status`, `/access/permissions`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::{backup::BackupServerStatus, config::GuestConfig};

use super::{
    super::request::Permissions,
    Broken, Envelope, inner,
    lenient::{Flag, Int, Num, Text},
    said,
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Version<'a> {
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    release: Text<'a>,
}

/// `3.2` and release `4` are what everybody calls 3.2.4.
pub(in super::super) fn version(envelope: &Envelope<'_>) -> Result<Box<str>, Broken> {
    let row: Version<'_> = envelope.object()?;
    Ok(match (row.version.as_str(), row.release.as_str()) {
        (version, "") => version.into(),
        (version, release) => format!("{version}.{release}").into(),
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    cpu: Num,
    uptime: Int,
    #[serde(borrow)]
    memory: Option<&'a RawValue>,
    #[serde(borrow)]
    root: Option<&'a RawValue>,
    #[serde(borrow)]
    info: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Space {
    used: Int,
    total: Int,
}

impl Space {
    fn pair(&self) -> Option<(u64, u64)> {
        Some((self.used.0?, self.total.0?))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Info<'a> {
    #[serde(borrow)]
    fingerprint: Text<'a>,
}

pub(in super::super) fn status(envelope: &Envelope<'_>) -> Result<BackupServerStatus, Broken> {
    let row: Status<'_> = envelope.object()?;
    Ok(BackupServerStatus {
        cpu: row.cpu.0,
        memory: inner::<Space>(row.memory).pair(),
        root: inner::<Space>(row.root).pair(),
        uptime: row.uptime.0,
        fingerprint: said(inner::<Info<'_>>(row.info).fingerprint),
    })
}

/// The rows of any list, each with its properties as texts.
pub(in super::super) fn rows(envelope: &Envelope<'_>) -> Result<Vec<GuestConfig>, Broken> {
    envelope.list(|fields: BTreeMap<String, serde_json::Value>| {
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        let entries = fields
            .into_iter()
            .map(|(name, value)| (name.into(), text(value).into()));
        Some(GuestConfig {
            entries: entries.collect(),
            ..GuestConfig::default()
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Clock<'a> {
    #[serde(borrow)]
    timezone: Text<'a>,
}

pub(in super::super) fn zone(envelope: &Envelope<'_>) -> Result<Box<str>, Broken> {
    let row: Clock<'_> = envelope.object()?;
    Ok(row.timezone.as_str().into())
}

/// Path and privileges, both sorted. The value of a privilege only says whether it is inherited.
pub(in super::super) fn permissions(envelope: &Envelope<'_>) -> Result<Permissions, Broken> {
    let paths: BTreeMap<Box<str>, BTreeMap<Box<str>, Flag>> = envelope.object()?;
    Ok(paths
        .into_iter()
        .map(|(path, privileges)| (path, privileges.into_keys().collect()))
        .collect())
}
