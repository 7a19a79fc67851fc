//! Groups and backups.

use serde::Deserialize;

use crate::domain::backup::{BackupGroup, BackupSnapshot, BackupType, Verification};

use super::{
    Broken, Envelope, inner,
    lenient::{Flag, Int, Text},
    moment, said,
};

/// What names a group. Foreign: it may be of a kind that nobody knows yet.
fn group(kind: &Text<'_>, id: Text<'_>) -> Option<(BackupType, Box<str>)> {
    let kind = BackupType::parse(kind.as_str()).or_else(|| {
        tracing::warn!(kind = kind.as_str(), "a backup of an unknown kind is left out");
        None
    })?;
    Some((kind, said(id)?))
}

fn first_line(text: &Text<'_>) -> Option<Box<str>> {
    text.as_str()
        .lines()
        .next()
        .filter(|line| !line.is_empty())
        .map(Into::into)
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct GroupRow<'a> {
    #[serde(borrow)]
    backup_type: Text<'a>,
    #[serde(borrow)]
    backup_id: Text<'a>,
    backup_count: Int,
    last_backup: Int,
    #[serde(borrow)]
    owner: Text<'a>,
    #[serde(borrow)]
    comment: Text<'a>,
}

pub(in super::super) fn groups(envelope: &Envelope<'_>) -> Result<Vec<BackupGroup>, Broken> {
    envelope.list(|row: GroupRow<'_>| {
        let (kind, id) = group(&row.backup_type, row.backup_id)?;
        Some(BackupGroup {
            kind,
            id,
            count: row.backup_count.0.unwrap_or_default(),
            last: moment(&row.last_backup),
            owner: row.owner.as_str().into(),
            comment: first_line(&row.comment),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct SnapshotRow<'a> {
    #[serde(borrow)]
    backup_type: Text<'a>,
    #[serde(borrow)]
    backup_id: Text<'a>,
    backup_time: Int,
    #[serde(borrow)]
    files: Option<Vec<&'a serde_json::value::RawValue>>,
    size: Int,
    #[serde(borrow)]
    owner: Text<'a>,
    #[serde(borrow)]
    comment: Text<'a>,
    #[serde(borrow)]
    fingerprint: Text<'a>,
    protected: Flag,
    #[serde(borrow)]
    verification: Option<&'a serde_json::value::RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct FileRow<'a> {
    #[serde(borrow)]
    filename: Text<'a>,
    #[serde(borrow)]
    crypt_mode: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Verified<'a> {
    #[serde(borrow)]
    state: Text<'a>,
}

pub(in super::super) fn list(envelope: &Envelope<'_>) -> Result<Vec<BackupSnapshot>, Broken> {
    envelope.list(|row: SnapshotRow<'_>| {
        let (kind, id) = group(&row.backup_type, row.backup_id)?;
        let files: Vec<FileRow<'_>> = row
            .files
            .unwrap_or_default()
            .into_iter()
            .map(|raw| inner(Some(raw)))
            .collect();
        Some(BackupSnapshot {
            kind,
            id,
            time: moment(&row.backup_time)?,
            size: row.size.0,
            encrypted: files.iter().any(|file| file.crypt_mode.as_str() == "encrypt"),
            files: files.into_iter().filter_map(|file| said(file.filename)).collect(),
            owner: row.owner.as_str().into(),
            comment: first_line(&row.comment),
            protected: row.protected.yes(),
            verification: Verification::parse(inner::<Verified<'_>>(row.verification).state.as_str()),
            key: said(row.fingerprint),
        })
    })
}
