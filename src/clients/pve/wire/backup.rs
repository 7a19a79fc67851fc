//! `/cluster/backup`, `/storage` and the prune preview of a storage.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::{
    BackupJob, StorageName, Vmid,
    backup_job::{JobGuest, JobVolume, Selection},
    retention::Retention,
    storage::{PruneMark, StorageDefinition},
};

use super::{
    Broken, Envelope, inner,
    lenient::{Flag, Int, Text},
    moment, said,
};

/// Options in one property: `keep-last=3,keep-daily=7`, or an object of them.
#[derive(Default)]
struct Options(Vec<(String, String)>);

impl Options {
    fn read(raw: Option<&RawValue>) -> Self {
        let Some(raw) = raw else { return Self::default() };
        let object: BTreeMap<String, Text<'_>> = inner(Some(raw));
        if !object.is_empty() {
            return Self(
                object
                    .iter()
                    .map(|(key, value)| (key.clone(), value.as_str().to_owned()))
                    .collect(),
            );
        }
        let text: Text<'_> = inner(Some(raw));
        let pairs = text.as_str().split(',').filter_map(|part| part.split_once('='));
        Self(
            pairs
                .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
                .collect(),
        )
    }

    /// Rules that make no sense are none: the server is the one that prunes.
    fn retention(&self) -> Option<Retention> {
        if self.0.is_empty() {
            return None;
        }
        let pairs = self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        Retention::from_pairs(pairs).ok()
    }

    fn text(&self) -> Option<Box<str>> {
        let words: Vec<String> = self
            .0
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        (!words.is_empty()).then(|| words.join(",").into())
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Job<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    enabled: Flag,
    #[serde(borrow)]
    schedule: Text<'a>,
    #[serde(borrow)]
    starttime: Text<'a>,
    #[serde(borrow)]
    dow: Text<'a>,
    #[serde(borrow)]
    storage: Text<'a>,
    all: Flag,
    #[serde(borrow)]
    vmid: Text<'a>,
    #[serde(borrow)]
    exclude: Text<'a>,
    #[serde(borrow)]
    pool: Text<'a>,
    #[serde(borrow)]
    node: Text<'a>,
    #[serde(borrow)]
    mode: Text<'a>,
    #[serde(borrow)]
    prune_backups: Option<&'a RawValue>,
    next_run: Int,
    repeat_missed: Flag,
    #[serde(borrow)]
    comment: Text<'a>,
    #[serde(borrow)]
    notes_template: Text<'a>,
    bwlimit: Int,
    #[serde(borrow)]
    fleecing: Option<&'a RawValue>,
}

fn vmids(list: &Text<'_>) -> Vec<Vmid> {
    list.as_str()
        .split([',', ';', ' ', '\0'])
        .filter_map(|word| word.trim().parse().ok())
        .collect()
}

/// `/cluster/backup`.
pub(in super::super) fn jobs(envelope: &Envelope<'_>) -> Result<Vec<BackupJob>, Broken> {
    envelope.list(|row: Job<'_>| {
        let Some(id) = said(row.id) else {
            tracing::warn!("a backup job without an id is left out");
            return None;
        };
        let selection = if row.all.yes() {
            Selection::All(vmids(&row.exclude))
        } else if let Some(pool) = said(row.pool) {
            Selection::Pool(pool)
        } else {
            Selection::Guests(vmids(&row.vmid))
        };
        let schedule = said(row.schedule).unwrap_or_else(|| {
            format!("{} {}", row.dow.as_str(), row.starttime.as_str())
                .trim()
                .into()
        });
        Some(BackupJob {
            id,
            // A job that says nothing of it is switched on.
            enabled: row.enabled.0.unwrap_or(true),
            schedule,
            storage: said(row.storage).map(|name| StorageName::from(&*name)),
            selection,
            node: said(row.node).map(|name| (&*name).into()),
            mode: said(row.mode).unwrap_or_else(|| "snapshot".into()),
            retention: Options::read(row.prune_backups).retention(),
            next: moment(&row.next_run),
            repeat_missed: row.repeat_missed.yes(),
            comment: said(row.comment),
            notes_template: said(row.notes_template),
            bwlimit: row.bwlimit.0.filter(|limit| *limit > 0),
            fleecing: Options::read(row.fleecing).text(),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tree<'a> {
    #[serde(borrow)]
    children: Vec<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TreeGuest<'a> {
    id: Int,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    children: Vec<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TreeVolume<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    included: Flag,
    #[serde(borrow)]
    reason: Text<'a>,
}

/// `/cluster/backup/{id}/included_volumes`.
pub(in super::super) fn included(envelope: &Envelope<'_>) -> Result<Vec<JobGuest>, Broken> {
    let tree: Tree<'_> = envelope.object()?;
    let guests = tree.children.into_iter().filter_map(|child| {
        let guest: TreeGuest<'_> = serde_json::from_str(child.get()).ok()?;
        let volumes = guest.children.iter().filter_map(|child| {
            let volume: TreeVolume<'_> = serde_json::from_str(child.get()).ok()?;
            Some(JobVolume {
                name: said(volume.name)?,
                included: volume.included.yes(),
                reason: said(volume.reason).unwrap_or_default(),
            })
        });
        Some(JobGuest {
            vmid: guest.id.u32().map(Vmid)?,
            name: said(guest.name),
            volumes: volumes.collect(),
        })
    });
    Ok(guests.collect())
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Definition<'a> {
    #[serde(borrow)]
    storage: Text<'a>,
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    prune_backups: Option<&'a RawValue>,
    #[serde(borrow)]
    namespace: Text<'a>,
    disable: Flag,
}

/// `/storage`.
pub(in super::super) fn definitions(envelope: &Envelope<'_>) -> Result<Vec<StorageDefinition>, Broken> {
    envelope.list(|row: Definition<'_>| {
        Some(StorageDefinition {
            name: StorageName::from(&*said(row.storage)?),
            plugin: said(row.r#type).unwrap_or_default(),
            retention: Options::read(row.prune_backups).retention(),
            namespace: said(row.namespace),
            disabled: row.disable.yes(),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Mark<'a> {
    #[serde(borrow)]
    volid: Text<'a>,
    #[serde(borrow)]
    mark: Text<'a>,
}

/// `/nodes/{node}/storage/{storage}/prunebackups`: what a prune would do, nothing is done.
pub(in super::super) fn prune(envelope: &Envelope<'_>) -> Result<Vec<(Box<str>, PruneMark)>, Broken> {
    envelope.list(|row: Mark<'_>| Some((said(row.volid)?, PruneMark::parse(row.mark.as_str())?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::proxmox::envelope::envelope, domain::retention::Rule};

    #[test]
    fn jobs_of_all_spellings() {
        let body = r#"{"data":[
            {"id":"nightly","all":1,"exclude":"104,105","enabled":1,"schedule":"02:00","storage":"pbs","mode":"snapshot",
             "prune-backups":{"keep-daily":"7","keep-weekly":4},"next-run":1795314000,"type":"vzdump"},
            {"id":"old","vmid":"100,101","starttime":"03:00","dow":"sat,sun","prune-backups":"keep-last=3"},
            {"id":"pool","pool":"acme","enabled":"0","schedule":"12:00","fleecing":{"enabled":1,"storage":"zfs"}},
            {"storage":"x"}, 7
        ]}"#;
        let jobs = jobs(&envelope(body).unwrap()).unwrap();
        assert_eq!(jobs.len(), 3);
        assert_eq!(jobs[0].selection, Selection::All(vec![Vmid(104), Vmid(105)]));
        assert_eq!(
            jobs[0].retention,
            Some(Retention::default().with(Rule::Daily, 7).with(Rule::Weekly, 4))
        );
        assert!(jobs[0].enabled && jobs[0].next.is_some());
        assert_eq!(&*jobs[1].schedule, "sat,sun 03:00");
        assert!(jobs[1].enabled && jobs[1].next.is_none());
        assert_eq!(jobs[2].selection, Selection::Pool("acme".into()));
        assert_eq!(jobs[2].fleecing.as_deref(), Some("enabled=1,storage=zfs"));
        assert!(!jobs[2].enabled);
    }

    #[test]
    fn volumes_of_a_job_and_marks_of_a_prune() {
        let body = r#"{"data":{"children":[{"id":104,"name":"web","type":"qemu","children":[
            {"id":"104:scsi0","name":"local:vm-104-disk-0","included":1,"reason":"backup=yes","leaf":1},7]},{"x":1}]}}"#;
        let guests = included(&envelope(body).unwrap()).unwrap();
        assert_eq!(
            (guests.len(), guests[0].vmid, guests[0].volumes.len()),
            (1, Vmid(104), 1)
        );
        assert!(guests[0].volumes[0].included);
        let body = r#"{"data":[{"ctime":1,"mark":"keep","type":"qemu","vmid":1,"volid":"a:b"},
            {"mark":"renamed","volid":"a:c"},{"mark":"?","volid":"a:d"}]}"#;
        let marks = prune(&envelope(body).unwrap()).unwrap();
        assert_eq!(
            marks,
            [
                ("a:b".into(), PruneMark::Keep),
                ("a:c".into(), PruneMark::Renamed)
            ]
        );
    }
}
