//! A guest's configuration in sections: settings, disks, networks, pending changes.
//!
//! The cloud-init password is never shown, and keys only by their number.

use super::parts::{Facts, sourced, yes};
use crate::{
    domain::{
        config::{GuestConfig, PendingChange, is_disk_key},
        quantity::Bytes,
    },
    ui::{
        Cell, Tone,
        page::{Body, GridColumn, Section},
        pane::Freshness,
    },
};

/// The settings that one looks for first, in this order; the others follow as they are.
const FIRST: [&str; 22] = [
    "cores",
    "sockets",
    "vcpus",
    "cpu",
    "cpulimit",
    "memory",
    "balloon",
    "swap",
    "machine",
    "bios",
    "ostype",
    "arch",
    "boot",
    "scsihw",
    "agent",
    "onboot",
    "startup",
    "protection",
    "unprivileged",
    "features",
    "hookscript",
    "args",
];

/// What other sections show, or what is no setting.
fn is_elsewhere(key: &str) -> bool {
    matches!(
        key,
        "description" | "name" | "hostname" | "tags" | "lock" | "parent" | "snaptime" | "digest"
    ) || is_disk_key(key)
        || is_nic(key)
}

fn is_nic(key: &str) -> bool {
    key.strip_prefix("net")
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The value of a key as it may be shown.
fn value(key: &str, raw: &str) -> Cell {
    match key {
        "cipassword" => Cell::toned("set, not shown", Tone::Muted),
        "sshkeys" => {
            // Percent-encoded, one key a line.
            let keys = raw
                .split(['\n', '\r'])
                .flat_map(|line| line.split("%0A"))
                .filter(|key| !key.trim().is_empty())
                .count();
            Cell::text(format!("{keys} {}", if keys == 1 { "key" } else { "keys" }))
        }
        "memory" | "balloon" | "swap" => match raw.parse::<u64>() {
            Ok(mebibytes) => Cell::text(Bytes(mebibytes.saturating_mul(1 << 20)).to_string()),
            Err(_) => Cell::text(raw),
        },
        "onboot" | "protection" | "unprivileged" | "template" | "acpi" | "kvm" | "numa" | "tablet"
        | "freeze" | "localtime" | "console" | "debug"
            if matches!(raw, "0" | "1") =>
        {
            Cell::text(yes(raw == "1"))
        }
        _ => Cell::text(raw),
    }
}

/// Settings, disks and networks, all from the same feed.
pub(super) fn sections(fresh: &Freshness, config: Option<&GuestConfig>) -> [Section; 3] {
    [
        sourced("Configuration", fresh, config, "nothing set", settings),
        sourced("Disks", fresh, config, "no disk", disks).wants(76),
        sourced("Networks", fresh, config, "no network device", nics).wants(76),
    ]
}

fn settings(config: &GuestConfig) -> Body {
    let mut facts = Facts::default();
    for key in FIRST {
        facts.maybe(key, config.get(key).map(|raw| value(key, raw)));
    }
    for (key, raw) in &config.entries {
        if !FIRST.contains(&&**key) && !is_elsewhere(key) {
            facts.add(key, value(key, raw));
        }
    }
    facts.body()
}

fn disks(config: &GuestConfig) -> Body {
    let rows = config
        .disks()
        .into_iter()
        .map(|disk| {
            let options: Vec<String> = disk
                .cdrom
                .then(|| "cdrom".to_owned())
                .into_iter()
                .chain(disk.options.iter().map(|(key, value)| {
                    if value.is_empty() {
                        (*key).to_owned()
                    } else {
                        format!("{key}={value}")
                    }
                }))
                .collect();
            let volume = match &disk.storage {
                Some(storage) => disk
                    .volume
                    .strip_prefix(storage.as_str())
                    .map_or(disk.volume, |rest| rest.trim_start_matches(':')),
                None => disk.volume,
            };
            let tone = if disk.key.starts_with("unused") {
                Tone::Warn
            } else {
                Tone::Accent
            };
            vec![
                Cell::toned(disk.key, tone),
                Cell::text(disk.storage.as_ref().map_or("", |storage| storage.as_str())),
                Cell::text(volume),
                Cell::text(disk.size.unwrap_or_default()),
                Cell::toned(options.join(" "), Tone::Muted),
            ]
        })
        .collect();
    Body::Grid {
        columns: vec![
            GridColumn::text("disk"),
            GridColumn::text("storage"),
            GridColumn::text("volume"),
            GridColumn::number("size"),
            GridColumn::text("options"),
        ],
        rows,
    }
}

fn nics(config: &GuestConfig) -> Body {
    let rows = config
        .nics()
        .into_iter()
        .map(|nic| {
            // A machine's address is set by cloud-init under the same number.
            let number = nic.key.trim_start_matches("net");
            let ip = nic.ip.or_else(|| config.get(&format!("ipconfig{number}")));
            vec![
                Cell::toned(nic.key, Tone::Accent),
                Cell::text(nic.model),
                Cell::text(nic.mac.unwrap_or_default()),
                Cell::text(nic.bridge.unwrap_or_default()),
                Cell::text(nic.vlan.unwrap_or_default()),
                Cell::text(yes(nic.firewall)),
                Cell::text(ip.unwrap_or_default()),
            ]
        })
        .collect();
    Body::Grid {
        columns: vec![
            GridColumn::text("device"),
            GridColumn::text("model"),
            GridColumn::text("mac"),
            GridColumn::text("bridge"),
            GridColumn::number("vlan"),
            GridColumn::text("firewall"),
            GridColumn::text("configured ip"),
        ],
        rows,
    }
}

/// Changes that wait for the next start. Nothing where none waits.
pub(super) fn pending(fresh: &Freshness, changes: Option<&[PendingChange]>) -> Option<Section> {
    let waiting = |change: &&PendingChange| change.pending != change.current;
    if changes.is_some_and(|changes| changes.iter().filter(waiting).count() == 0) && fresh.error.is_none() {
        return None;
    }
    Some(sourced("Pending changes", fresh, changes, "none", |changes| {
        let mut facts = Facts::default();
        for change in changes.iter().filter(waiting) {
            let shown = |raw: &Option<Box<str>>| raw.as_deref().map(|raw| value(&change.key, raw).plain());
            let old = shown(&change.current).unwrap_or_else(|| "unset".to_owned());
            let cell = Cell::toned(format!("{old} -> "), Tone::Muted);
            facts.add(
                &change.key,
                match shown(&change.pending) {
                    Some(new) => cell.then(new, Tone::Warn),
                    None => cell.then("removed", Tone::Bad),
                },
            );
        }
        facts.body()
    }))
}

/// What the admin wrote about the guest. Nothing where nothing was written.
pub(super) fn notes(config: Option<&GuestConfig>) -> Option<Section> {
    let notes = config?.notes().filter(|notes| !notes.trim().is_empty())?;
    Some(Section::prose("Notes", notes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> GuestConfig {
        GuestConfig {
            entries: entries.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            digest: None,
        }
    }

    fn text(section: &Section) -> String {
        format!("{:?}", section.body)
    }

    #[test]
    fn no_password_and_no_key_is_shown() {
        let config = config(&[
            ("cipassword", "$5$secret"),
            ("ciuser", "admin"),
            (
                "sshkeys",
                "ssh-ed25519%20AAAAsecret%20a%0Assh-rsa%20BBBBsecret%20b%0A",
            ),
        ]);
        let [settings, ..] = sections(&Freshness::default(), Some(&config));
        assert!(!text(&settings).contains("secret"), "{settings:?}");
        assert!(text(&settings).contains("2 keys"));
        let changes = [PendingChange {
            key: "cipassword".into(),
            current: Some("secret1".into()),
            pending: Some("secret2".into()),
        }];
        let pending = pending(&Freshness::default(), Some(&changes)).unwrap();
        assert!(!text(&pending).contains("secret1") && !text(&pending).contains("secret2"));
    }

    #[test]
    fn the_asked_for_comes_first_and_the_rest_as_it_is() {
        let config = config(&[
            ("acpi", "0"),
            ("cores", "4"),
            ("memory", "4096"),
            ("name", "web-01"),
            ("net0", "virtio=BC:24:11:CD:5E:3E,bridge=vmbr0"),
            ("scsi0", "ceph:vm-104-disk-0,size=32G"),
            ("smbios1", "uuid=1"),
        ]);
        let [settings, disks, nics] = sections(&Freshness::default(), Some(&config));
        let Body::Facts(facts) = settings.body else {
            panic!("{settings:?}")
        };
        let facts: Vec<_> = facts.iter().map(|(k, v)| (k.as_str(), v.plain())).collect();
        assert_eq!(
            facts,
            [
                ("cores", "4".to_owned()),
                ("memory", "4.0 GiB".to_owned()),
                ("acpi", "no".to_owned()),
                ("smbios1", "uuid=1".to_owned()),
            ]
        );
        assert!(text(&disks).contains("vm-104-disk-0") && text(&disks).contains("ceph"));
        assert!(text(&nics).contains("BC:24:11:CD:5E:3E"));
    }

    #[test]
    fn only_what_really_waits_is_pending() {
        let change = |key: &str, current: Option<&str>, pending: Option<&str>| PendingChange {
            key: key.into(),
            current: current.map(Into::into),
            pending: pending.map(Into::into),
        };
        let none = [change("cores", Some("2"), Some("2"))];
        assert_eq!(pending(&Freshness::default(), Some(&none)), None);
        let some = [
            change("cores", Some("2"), Some("4")),
            change("args", Some("-x"), None),
        ];
        let section = pending(&Freshness::default(), Some(&some)).unwrap();
        let Body::Facts(facts) = &section.body else {
            panic!("{section:?}")
        };
        assert_eq!(facts[0].1.plain(), "2 -> 4");
        assert_eq!(facts[1].1.plain(), "-x -> removed");
    }
}
