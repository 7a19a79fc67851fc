//! Changes of a configuration: what takes effect at once, and what waits for the next start.

use super::{
    disks::{Drive, is_unused_key},
    guest::{Guest, Kind, is_disk_key},
};

/// Options of VMs that never touch the running machine.
const FAST: &[&str] = &[
    "description",
    "hookscript",
    "lock",
    "migrate_downtime",
    "migrate_speed",
    "name",
    "onboot",
    "protection",
    "shares",
    "startup",
    "tags",
    "vmstatestorage",
    "cicustom",
    "cipassword",
    "citype",
    "ciupgrade",
    "ciuser",
    "nameserver",
    "searchdomain",
    "sshkeys",
    "template",
    "cpuunits",
    "cpulimit",
    "agent",
    "balloon",
];

/// Options of containers that never touch the running one, or that it takes while it runs.
const FAST_CT: &[&str] = &[
    "description",
    "onboot",
    "startup",
    "protection",
    "hostname",
    "hookscript",
    "cores",
    "tags",
    "lock",
    "template",
    "cpulimit",
    "cpuunits",
    "memory",
    "swap",
];

/// Words of a disk option that a running VM takes at once.
const LIVE_WORDS: &[&str] = &["backup", "replicate", "size"];

/// One change: the option and its new value; `None` deletes.
pub(crate) type Change = (String, Option<String>);

/// Applies changes of the configuration, or has them wait.
pub(crate) fn configure(guest: &mut Guest, changes: Vec<Change>) {
    for (key, value) in changes {
        let value = match (key.as_str(), value) {
            ("tags", Some(tags)) => Some(sorted_tags(&tags)).filter(|tags| !tags.is_empty()),
            (_, value) => value,
        };
        if guest.config.get(&key) == value.as_ref() {
            guest.pending.remove(&key);
            continue;
        }
        if guest.is_running() && !takes_at_once(guest, &key, value.as_deref()) {
            guest.pending.insert(key, value);
            continue;
        }
        guest.pending.remove(&key);
        set(guest, key, value);
    }
}

/// Takes back what waits.
pub(crate) fn revert(guest: &mut Guest, keys: &[String]) {
    for key in keys {
        guest.pending.remove(key);
    }
}

/// What waited for the next start becomes real.
pub(crate) fn apply_pending(guest: &mut Guest) {
    for (key, value) in std::mem::take(&mut guest.pending) {
        set(guest, key, value);
    }
}

/// Sets an option; a volume that loses its place is kept as unused.
fn set(guest: &mut Guest, key: String, value: Option<String>) {
    let old = guest.config.remove(&key);
    if is_disk_key(&key)
        && let Some(old) = old.as_deref().map(Drive::parse)
        && old.volid.contains(':')
        && !old.is_cdrom()
        && value
            .as_deref()
            .map(Drive::parse)
            .is_none_or(|new| new.volid != old.volid)
    {
        guest.add_unused(&old.volid);
    }
    let Some(value) = value else {
        forget_boot(guest, &key);
        return;
    };
    if is_disk_key(&key) {
        let volid = Drive::parse(&value).volid;
        guest
            .config
            .retain(|other, unused| !(is_unused_key(other) && *unused == volid));
    }
    guest.config.insert(key, value);
}

/// A device that is gone is no longer booted from.
fn forget_boot(guest: &mut Guest, key: &str) {
    let Some(boot) = guest.config.get_mut("boot") else {
        return;
    };
    let Some(order) = boot.strip_prefix("order=") else {
        return;
    };
    let left: Vec<&str> = order.split(';').filter(|device| *device != key).collect();
    let text = if left.is_empty() {
        " ".to_owned()
    } else {
        format!("order={}", left.join(";"))
    };
    *boot = text;
}

fn takes_at_once(guest: &Guest, key: &str, value: Option<&str>) -> bool {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    if is_unused_key(key) {
        return true;
    }
    match guest.kind {
        Kind::Lxc => {
            FAST_CT.contains(&key)
                || stem == "net" && stem != key
                // A mount point is added to a running container, not changed or taken away.
                || stem == "mp" && value.is_some() && !guest.config.contains_key(key)
        }
        Kind::Qemu => {
            let hot = |feature: &str| match guest.option("hotplug") {
                None | Some("1") => matches!(feature, "network" | "disk" | "usb"),
                Some(list) => list.split([',', ';', ' ']).any(|own| own == feature),
            };
            FAST.contains(&key)
                || stem == "ipconfig"
                || stem == "net" && stem != key && hot("network")
                || stem == "usb" && hot("usb")
                || key == "vcpus" && hot("cpu")
                || key == "memory" && hot("memory")
                || is_disk_key(key) && disk_at_once(guest, key, value, hot("disk"))
        }
    }
}

/// Whether a running VM takes this change of a disk.
fn disk_at_once(guest: &Guest, key: &str, value: Option<&str>, hotplug: bool) -> bool {
    let fixed = key.starts_with("ide") || key.starts_with("sata") || matches!(key, "efidisk0" | "tpmstate0");
    let old = guest.option(key).map(Drive::parse);
    let new = value.map(Drive::parse);
    match (old, new) {
        (Some(old), Some(new)) if old.is_cdrom() && new.is_cdrom() => true,
        (Some(old), Some(new)) if old.volid == new.volid => {
            let lasting = |drive: Drive| -> std::collections::BTreeSet<String> {
                let is_live = |word: &String| {
                    let name = word.split('=').next().unwrap_or_default();
                    LIVE_WORDS.contains(&name) || name.starts_with("mbps") || name.starts_with("iops")
                };
                drive.words.into_iter().filter(|word| !is_live(word)).collect()
            };
            lasting(old) == lasting(new)
        }
        _ => hotplug && !fixed,
    }
}

/// Tags come back sorted, lower-cased and once each.
fn sorted_tags(list: &str) -> String {
    let tags: std::collections::BTreeSet<String> = crate::demo::params::tags(list)
        .map(str::to_ascii_lowercase)
        .collect();
    tags.into_iter().collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_back_sorted_and_lower_cased() {
        assert_eq!(sorted_tags("Web;prod,Db;web"), "db;prod;web");
    }
}
