//! Disks: make larger, move to another storage.

use super::{
    super::{Arguments, Deed, Proof, Refusal, Risk, Weight, calls},
    Back, Draft,
    guest::On,
};
use crate::domain::{Call, GuestKind, config::ConfigDisk, quantity::Bytes};

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    let key = on.task.argument("disk");
    let disks = on.disks();
    let known = disks.iter().find(|disk| disk.key == key);
    // What is not read yet is not known; the server then says it.
    if !disks.is_empty() {
        usable(on, key, known, &disks)?;
    }
    match on.task.deed {
        Deed::DiskResize => resize(on, key, known),
        _ => move_disk(on, key, known),
    }
}

fn usable(
    on: &On<'_>,
    key: &str,
    known: Option<&ConfigDisk<'_>>,
    disks: &[ConfigDisk<'_>],
) -> Result<(), Refusal> {
    match known {
        None => {
            let keys: Vec<&str> = disks
                .iter()
                .filter(|disk| !disk.cdrom)
                .map(|disk| disk.key)
                .collect();
            Err(Refusal::NotFound(format!(
                "{} has no disk `{key}`; it has: {}",
                on.title,
                keys.join(", ")
            )))
        }
        Some(disk) if disk.cdrom => Err(Refusal::NotPossible(format!(
            "`{key}` of {} is a CD drive",
            on.title
        ))),
        Some(disk) if disk.storage.is_none() => Err(Refusal::NotPossible(format!(
            "`{key}` of {} is not on a storage",
            on.title
        ))),
        Some(_) => Ok(()),
    }
}

/// What is read with a disk must not have changed when it is written.
fn guarded(on: &On<'_>, call: Call) -> Call {
    match on.digest() {
        Some(digest) => call.with("digest", digest),
        None => call,
    }
}

fn resize(on: &On<'_>, key: &str, known: Option<&ConfigDisk<'_>>) -> Result<Draft, Refusal> {
    let wanted = on.task.argument("size");
    let old = known.and_then(|disk| disk.size).and_then(bytes);
    if key.starts_with("unused") {
        return Err(on.not_possible(&format!("does not use `{key}`: attach it first")));
    }
    if let Some(old) = old
        && !wanted.starts_with('+')
        && let Some(new) = bytes(wanted)
    {
        let has = Bytes(old);
        if new < old {
            return Err(on.not_possible(&format!("has {has} on `{key}`, and a disk never gets smaller")));
        }
        if new == old {
            return Err(on.not_possible(&format!("has {has} on `{key}` already")));
        }
    }
    let snapshots = on.snapshots().map_or(0, <[_]>::len);
    let qcow2 = known.is_some_and(|disk| {
        disk.volume
            .rsplit_once('.')
            .is_some_and(|(_, format)| format == "qcow2")
    });
    if snapshots > 0 && qcow2 {
        return Err(on.not_possible(&format!(
            "has snapshots: a qcow2 disk such as `{key}` cannot grow until they are deleted"
        )));
    }
    let call = guarded(on, calls::resize(on.at(), key, wanted));
    let proof = Proof::Task {
        kinds: vec!["resize".into()],
        id: on.guest.vmid.to_string().into(),
    };
    let mut risks = vec![Risk::new(
        Weight::Warning,
        "a disk that has grown cannot be made smaller again".to_owned(),
    )];
    if on.guest.kind == GuestKind::Qemu {
        risks.push(Risk::new(
            Weight::Note,
            format!("partitions and file systems inside {} stay as they are", on.title),
        ));
    }
    Ok(Draft {
        steps: vec![on.task.step(&on.title, call, proof)],
        risks,
        ..Draft::default()
    })
}

fn move_disk(on: &On<'_>, key: &str, known: Option<&ConfigDisk<'_>>) -> Result<Draft, Refusal> {
    let (storage, format) = (on.task.argument("storage"), on.task.argument("format"));
    let container = on.guest.kind == GuestKind::Lxc;
    if container && on.runs() {
        return Err(on.not_possible("is a running container: its volumes can be moved while it is stopped"));
    }
    if container && !format.is_empty() {
        return Err(on.not_possible("is a container: its volumes have no format to choose"));
    }
    let target = on.storage(&storage.into());
    let Some(target) = target else {
        return Err(Refusal::NotFound(format!(
            "{} does not see a storage {storage}",
            on.guest.node
        )));
    };
    let content = if container { "rootdir" } else { "images" };
    if !target.content.iter().any(|known| &**known == content) {
        return Err(Refusal::NotPossible(format!("{storage} holds no {content}")));
    }
    let from = known.and_then(|disk| disk.storage.as_ref());
    if format.is_empty() && from.is_some_and(|from| from.as_str() == storage) {
        return Err(on.not_possible(&format!("has `{key}` on {storage} already")));
    }
    let snapshots = on.snapshots().map_or(0, <[_]>::len);
    let mut risks = Vec::new();
    if snapshots > 0 && on.task.flag("delete") {
        return Err(on.not_possible(
            "has snapshots: the source of a disk that they need cannot be removed with the move",
        ));
    }
    if snapshots > 0 {
        risks.push(Risk::new(
            Weight::Warning,
            format!("the snapshots of {} do not move along", on.title),
        ));
    }
    if !on.task.flag("delete") {
        risks.push(Risk::new(
            Weight::Note,
            format!("the source stays as an unused disk of {}", on.title),
        ));
    }
    let size = known.and_then(|disk| disk.size).and_then(bytes);
    if let (Some(size), Some(total), Some(used)) = (size, target.total, target.used)
        && size > total.saturating_sub(used)
    {
        let free = Bytes(total.saturating_sub(used));
        risks.push(Risk::new(
            Weight::Danger,
            format!(
                "{storage} has {free} free, and `{key}` of {} has {}",
                on.title,
                Bytes(size)
            ),
        ));
    }
    let mut call = calls::move_disk(on.at(), key, storage);
    if !format.is_empty() {
        call = call.with("format", format);
    }
    if on.task.flag("delete") {
        call = call.with("delete", "1");
    }
    let kind = if container { "move_volume" } else { "qmmove" };
    let proof = Proof::Task {
        kinds: vec![kind.into()],
        id: on.guest.vmid.to_string().into(),
    };
    let back = from.map(|from| Back {
        deed: Deed::DiskMove,
        arguments: Arguments::from([
            ("disk".to_owned(), key.to_owned()),
            ("storage".to_owned(), from.to_string()),
            ("delete".to_owned(), "1".to_owned()),
        ]),
    });
    Ok(Draft {
        steps: vec![on.task.step(&on.title, guarded(on, call), proof)],
        risks,
        back,
        ..Draft::default()
    })
}

/// Bytes of a size as configurations write it: `32G`, `+1.5T`, plain bytes.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim_start_matches('+');
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'K') => (&text[..at], 1u64 << 10),
        (at, 'M') => (&text[..at], 1 << 20),
        (at, 'G') => (&text[..at], 1 << 30),
        (at, 'T') => (&text[..at], 1 << 40),
        _ => (text, 1),
    };
    let number: f64 = digits.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some((number * unit as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_bytes() {
        for (text, expected) in [
            ("32G", Some(32 << 30)),
            ("+1.5T", Some(3 << 39)),
            ("512M", Some(512 << 20)),
            ("4096", Some(4096)),
            ("", None),
            ("G", None),
            ("-1G", None),
            ("nanG", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
