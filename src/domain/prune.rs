//! What a prune would do to the backups of a storage.
//!
//! What always holds here: what the server would not touch stays; groups are by kind and number of the guest.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{
    retention::{Candidate, Fate, Retention},
    storage::Volume,
};

/// What becomes of each of these backups of one storage, in the order given. The zone is that of the server that prunes.
pub fn prune(volumes: &[&Volume], rules: &Retention, zone: &TimeZone) -> Vec<Fate> {
    let mut fates = vec![Fate::Renamed; volumes.len()];
    let mut groups: BTreeMap<(u8, u32), Vec<usize>> = BTreeMap::new();
    for (index, volume) in volumes.iter().enumerate() {
        if volume.protected {
            fates[index] = Fate::Protected;
        }
        if let (Some(kind), Some(vmid), Some(_), true) =
            (volume.kind(), volume.vmid, volume.time, has_standard_name(volume))
        {
            groups.entry((kind as u8, vmid.0)).or_default().push(index);
        }
    }
    for group in groups.into_values() {
        let candidates: Vec<Candidate> = group
            .iter()
            .filter_map(|index| {
                Some(Candidate {
                    time: volumes[*index].time?,
                    protected: volumes[*index].protected,
                    finished: volumes[*index].size.is_some(),
                })
            })
            .collect();
        for (index, fate) in group.into_iter().zip(rules.preview(&candidates, zone)) {
            fates[index] = fate;
        }
    }
    fates
}

/// Whether a backup is still called what the server called it: `vzdump-qemu-104-2026_11_20-02_00_00.vma.zst`. A Backup
/// Server has no other names.
fn has_standard_name(volume: &Volume) -> bool {
    let name = volume.name();
    let Some(file) = name
        .rsplit('/')
        .next()
        .and_then(|file| file.strip_prefix("vzdump-"))
    else {
        return true;
    };
    let mut parts = file.splitn(3, '-').skip(2);
    let stamp = parts.next().unwrap_or_default();
    let pattern = "0000_00_00-00_00_00.";
    stamp.len() > pattern.len()
        && stamp
            .bytes()
            .zip(pattern.bytes())
            .all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Vmid;

    fn volume(volid: &str, time: &str) -> Volume {
        Volume {
            volid: volid.into(),
            content: "backup".into(),
            format: "vma.zst".into(),
            size: Some(1),
            used: None,
            vmid: Some(Vmid(104)),
            time: time.parse().ok(),
            notes: None,
            protected: false,
            verified: None,
            encrypted: false,
        }
    }

    #[test]
    fn machine_and_container_of_one_number_are_two_groups_and_other_names_stay() {
        let list = [
            volume(
                "a:backup/vzdump-qemu-104-2026_11_20-02_00_00.vma.zst",
                "2026-11-20T02:00:00Z",
            ),
            volume(
                "a:backup/vzdump-qemu-104-2026_11_21-02_00_00.vma.zst",
                "2026-11-21T02:00:00Z",
            ),
            volume(
                "a:backup/vzdump-lxc-104-2026_11_19-02_00_00.tar.zst",
                "2026-11-19T02:00:00Z",
            ),
            volume("a:backup/vzdump-qemu-104-keep.vma.zst", "2026-11-18T02:00:00Z"),
            volume("p:backup/vm/104/2026-11-17T02:00:00Z", "2026-11-17T02:00:00Z"),
        ];
        let list: Vec<&Volume> = list.iter().collect();
        let rules = "keep-last=1".parse().unwrap();
        let stays: Vec<bool> = prune(&list, &rules, &TimeZone::UTC)
            .into_iter()
            .map(Fate::stays)
            .collect();
        assert_eq!(stays, [false, true, true, true, false]);
    }
}
