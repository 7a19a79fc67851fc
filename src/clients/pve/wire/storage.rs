//! `/nodes/{node}/storage/{storage}/…`.

use serde::Deserialize;

use crate::domain::{
    Vmid,
    storage::{StorageDetail, Volume},
};

use super::{
    Broken, Envelope,
    lenient::{Flag, Int, Text},
    moment, said,
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    active: Flag,
    enabled: Flag,
    used: Int,
    avail: Int,
    total: Int,
    #[serde(borrow)]
    r#type: Text<'a>,
}

pub(in super::super) fn status(envelope: &Envelope<'_>) -> Result<StorageDetail, Broken> {
    let row: Status<'_> = envelope.object()?;
    let space = match (row.used.0, row.avail.0, row.total.0) {
        (Some(used), Some(avail), Some(total)) => Some((used, avail, total)),
        _ => None,
    };
    Ok(StorageDetail {
        active: row.active.yes(),
        enabled: row.enabled.yes(),
        space,
        plugin: said(row.r#type),
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct VolumeRow<'a> {
    #[serde(borrow)]
    volid: Text<'a>,
    #[serde(borrow)]
    content: Text<'a>,
    #[serde(borrow)]
    format: Text<'a>,
    #[serde(borrow)]
    notes: Text<'a>,
    size: Int,
    used: Int,
    vmid: Int,
    ctime: Int,
    protected: Flag,
    #[serde(borrow)]
    verification: Option<Verification<'a>>,
    /// The fingerprint of the key, or 1.
    #[serde(borrow)]
    encrypted: Text<'a>,
}

#[derive(Default)]
struct Verification<'a> {
    state: Text<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Verification<'a> {
    /// An object with a `state`; anything else says nothing.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Fields<'b> {
            #[serde(borrow)]
            state: Text<'b>,
        }
        let raw = <&'a serde_json::value::RawValue>::deserialize(deserializer)?;
        let fields: Fields<'a> = serde_json::from_str(raw.get()).unwrap_or_default();
        Ok(Self { state: fields.state })
    }
}

pub(in super::super) fn content(envelope: &Envelope<'_>) -> Result<Vec<Volume>, Broken> {
    envelope.list(|row: VolumeRow<'_>| {
        let Some(volid) = said(row.volid) else {
            tracing::warn!("a volume without an id is left out");
            return None;
        };
        Some(Volume {
            volid,
            content: said(row.content).unwrap_or_default(),
            format: said(row.format).unwrap_or_default(),
            size: row.size.0,
            used: row.used.0,
            vmid: row.vmid.u32().filter(|&vmid| vmid > 0).map(Vmid),
            time: moment(&row.ctime),
            notes: row
                .notes
                .as_str()
                .lines()
                .next()
                .filter(|line| !line.is_empty())
                .map(Into::into),
            protected: row.protected.yes(),
            verified: row.verification.and_then(|verification| said(verification.state)),
            encrypted: !matches!(row.encrypted.as_str(), "" | "0"),
        })
    })
}
