//! `PUT` and `POST …/config`: who may change what, and whether it can be.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Call, power::lock_file, privilege::Wanted};
use crate::demo::{
    answer::{Failure, Outcome},
    params::decode,
    world::{
        configure::{Change, configure, revert},
        disks::{Drive, is_unused_key},
        guest::{Guest, Kind, is_disk_key},
        load::mix,
        seed_guests::mac,
        task::Effect,
    },
};

/// The words for a guest under a lock.
pub(super) fn locked(guest: &Guest) -> Result<(), String> {
    match guest.lock() {
        Some(lock) => Err(format!("{} is locked ({lock})", guest.kind.label())),
        None => Ok(()),
    }
}

/// The members of a list as parameters write it.
pub(super) fn split_list(text: &str) -> impl Iterator<Item = String> {
    text.split([',', ';', ' ', '\0'])
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
}

/// Parameters of the method that are no options of the guest.
const NO_OPTIONS: &[&str] = &[
    "delete",
    "digest",
    "skiplock",
    "background_delay",
    "force",
    "revert",
    "import-working-storage",
];

/// What a change of the configuration asks for.
#[derive(Debug)]
struct Asked {
    changes: Vec<Change>,
    revert: Vec<String>,
}

impl Call<'_> {
    pub(super) fn route_config(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("PUT" | "POST", "/config") => self.set_config(kind),
            ("PUT", "/unlink") => self.unlink(kind),
            _ => return None,
        })
    }

    fn unlink(&mut self, kind: Kind) -> Outcome {
        let list = self.params.text("idlist").to_owned();
        self.params.set("delete", &list);
        self.params.remove("idlist");
        self.set_config(kind)
    }

    fn set_config(&mut self, kind: Kind) -> Outcome {
        self.root_only("skiplock")?;
        if let Some(keys) = self.params.get("sshkeys") {
            check_keys(&decode(keys, false))?;
        }
        let asked = self.asked_changes(kind)?;
        let guest = self.guest(kind)?.clone();
        let pool = None;
        self.check_option_permissions(&guest, &asked, pool)?;
        let mut changes = asked.changes;
        self.place_all(&guest, &mut changes)?;
        self.unhindered(&guest)?;
        check_sense(&guest, &changes)?;
        let vmid = guest.vmid;
        if self.verb == "POST" {
            return self.configure_in_task(kind, vmid, changes, &asked.revert);
        }
        let strays = removed_volumes(&guest, &changes);
        if let Some(guest) = self.world.guests.get_mut(&vmid) {
            revert(guest, &asked.revert);
            configure(guest, changes);
        }
        self.world
            .volumes
            .retain(|volume| !strays.contains(&volume.volid));
        let said = format!("update {} {vmid}: {}", kind.label(), self.spoken());
        let (now, node, user) = (self.world.now, guest.node, self.who.full());
        self.world.note(now, node, 1878, user, 6, said);
        Ok(Value::Null.into())
    }

    /// The parameters as the log tells them, without secrets.
    fn spoken(&self) -> String {
        let words = self
            .params
            .iter()
            .filter(|(key, _)| !matches!(*key, "digest" | "background_delay"))
            .map(|(key, value)| {
                let value = if key == "cipassword" { "<hidden>" } else { value };
                format!("-{key} {value}")
            });
        words.collect::<Vec<_>>().join(" ")
    }

    fn configure_in_task(
        &mut self,
        kind: Kind,
        vmid: u32,
        changes: Vec<Change>,
        reverted: &[String],
    ) -> Outcome {
        let mut lines = vec![format!("update {} {vmid}: {}", kind.label(), self.spoken())];
        lines.extend(
            changes
                .iter()
                .filter(|(key, _)| is_disk_key(key))
                .filter_map(|(key, value)| Some((key, value.as_ref()?)))
                .map(|(key, value)| format!("{key}: successfully created disk '{value}'")),
        );
        if let Some(guest) = self.world.guests.get_mut(&vmid) {
            revert(guest, reverted);
        }
        let order = self
            .order(&format!("{}config", kind.task_prefix()), vmid.to_string())
            .holds(vmid)
            .says(lines);
        self.begin(order.does(Effect::Configure { vmid, changes }))
    }

    /// What the parameters ask for, if it makes sense at all.
    fn asked_changes(&self, kind: Kind) -> Result<Asked, Failure> {
        let set: BTreeSet<&str> = self
            .params
            .iter()
            .map(|(key, _)| key)
            .filter(|key| !NO_OPTIONS.contains(key))
            .collect();
        let gone: Vec<String> = split_list(self.params.text("delete")).collect();
        let back: Vec<String> = split_list(self.params.text("revert")).collect();
        if set.is_empty() && gone.is_empty() && back.is_empty() {
            return Err(Failure::server("no options specified"));
        }
        let known = |key: &str| {
            key != "force" && !NO_OPTIONS.contains(&key) && knows(kind, key)
                || matches!(key, "vmstate" | "lock")
        };
        for key in &back {
            if !known(key) {
                return Err(Failure::parameter("revert", format!("unknown option '{key}'")));
            }
            if set.contains(key.as_str()) {
                return Err(match kind {
                    Kind::Qemu => Failure::parameter(
                        "delete",
                        format!("you can't use '-{key}' and -revert {key}' at the same time"),
                    ),
                    Kind::Lxc => Failure::parameter(
                        "revert",
                        format!("you can't use '-{key}' and '-revert {key}' at the same time"),
                    ),
                });
            }
        }
        for key in &gone {
            if set.contains(key.as_str()) {
                return Err(Failure::parameter(
                    "delete",
                    format!("you can't use '-{key}' and -delete {key}' at the same time"),
                ));
            }
            if back.contains(key) {
                let (name, quote) = match kind {
                    Kind::Qemu => ("revert", ""),
                    Kind::Lxc => ("delete", "'"),
                };
                return Err(Failure::parameter(
                    name,
                    format!("you can't use '-delete {key}' and {quote}-revert {key}' at the same time"),
                ));
            }
            if !known(key) {
                return Err(Failure::parameter("delete", format!("unknown option '{key}'")));
            }
        }
        let mut changes: Vec<Change> = gone.into_iter().map(|key| (key, None)).collect();
        for (key, value) in self.params.iter().filter(|(key, _)| !NO_OPTIONS.contains(key)) {
            let key = if key == "cdrom" { "ide2" } else { key };
            let value =
                if key.starts_with("net") && key != "net" && key[3..].bytes().all(|b| b.is_ascii_digit()) {
                    self.with_mac(kind, self.vmid(), key, value)
                } else {
                    value.to_owned()
                };
            changes.push((key.to_owned(), Some(value)));
        }
        Ok(Asked {
            changes,
            revert: back,
        })
    }

    /// A network device without an address gets one; `vmid` and `index` make it different from others.
    pub(super) fn with_mac(&self, kind: Kind, vmid: u32, key: &str, value: &str) -> String {
        let fresh = || {
            let index = key.trim_start_matches("net").parse().unwrap_or(0);
            mac(mix(&[
                self.world.seed,
                self.world.now.cast_unsigned(),
                u64::from(vmid),
                index,
            ]))
        };
        match kind {
            Kind::Qemu => {
                let words: Vec<String> = value
                    .split(',')
                    .map(|word| match word.split_once('=') {
                        None => format!("{word}={}", fresh()),
                        Some(("model", model)) => format!("{model}={}", fresh()),
                        Some(_) => word.to_owned(),
                    })
                    .collect();
                words.join(",")
            }
            Kind::Lxc if value.split(',').any(|word| word.starts_with("hwaddr=")) => value.to_owned(),
            Kind::Lxc => {
                let kind = if value.contains("type=") { "" } else { ",type=veth" };
                format!("{value},hwaddr={}{kind}", fresh())
            }
        }
    }

    fn check_option_permissions(
        &self,
        guest: &Guest,
        asked: &Asked,
        pool: Option<&str>,
    ) -> Result<(), Failure> {
        if self.who.is_root_ticket() {
            return Ok(());
        }
        let gone = asked.changes.iter().filter(|(_, value)| value.is_none());
        let set = asked.changes.iter().filter(|(_, value)| value.is_some());
        let wanted = Wanted {
            vmid: guest.vmid,
            pool,
            old: Some(&guest.config),
        };
        for (key, value) in gone.chain(set) {
            self.check_option(guest.kind, &wanted, key, value.as_deref())?;
        }
        for key in &asked.revert {
            self.check_option(guest.kind, &wanted, key, guest.option(key))?;
        }
        Ok(())
    }

    /// Volumes for all disks that are asked for.
    fn place_all(&self, guest: &Guest, changes: &mut [Change]) -> Result<(), Failure> {
        let mut taken = Vec::new();
        for (key, value) in changes {
            if let Some(text) = value.as_mut().filter(|_| is_disk_key(key)) {
                *text = self.new_disk(guest, key, text, &taken)?;
                taken.push(Drive::parse(text).volid);
            }
        }
        Ok(())
    }

    /// Nothing is in the way of a change: digest, lock, lock file, quorum.
    fn unhindered(&self, guest: &Guest) -> Result<(), Failure> {
        let lock = if self.params.flag("skiplock") {
            Ok(())
        } else {
            locked(guest)
        };
        if guest.kind == Kind::Lxc {
            lock.clone().map_err(Failure::server)?;
        }
        self.check_digest(guest)?;
        lock.map_err(Failure::server)?;
        if guest.busy.is_some() {
            let file = lock_file(guest.kind, guest.vmid);
            return Err(Failure::server(format!("can't lock file '{file}' - got timeout")));
        }
        if !self.world.quorate {
            let file = Guest::file(guest.kind, &guest.node, guest.vmid);
            return Err(Failure::server(format!(
                "unable to open file '/etc/pve/{file}.tmp.{}' - Permission denied",
                guest.pid
            )));
        }
        Ok(())
    }

    /// The digest that the caller has seen is still the right one.
    pub(super) fn check_digest(&self, guest: &Guest) -> Result<(), Failure> {
        match self.params.get("digest") {
            Some(digest) if digest != guest.digest() => Err(Failure::server(match guest.kind {
                Kind::Qemu => "checksum mismatch (file change by other user?)",
                Kind::Lxc => "detected modified configuration - file changed by other user? Try again.",
            })),
            _ => Ok(()),
        }
    }
}

/// Volumes that go when their unused entries go.
fn removed_volumes(guest: &Guest, changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .filter(|(key, value)| value.is_none() && is_unused_key(key))
        .filter_map(|(key, _)| guest.option(key).map(str::to_owned))
        .collect()
}

/// Public keys look like public keys.
fn check_keys(text: &str) -> Result<(), Failure> {
    let is_key = |line: &str| {
        let mut words = line.split_whitespace().skip_while(|word| {
            !["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"]
                .iter()
                .any(|start| word.starts_with(start))
        });
        words.next().is_some() && words.next().is_some_and(|blob| blob.len() > 20)
    };
    let bad = text
        .lines()
        .map(str::trim)
        .any(|line| !line.is_empty() && !is_key(line));
    if bad {
        return Err(Failure::server("SSH public key validation error"));
    }
    Ok(())
}

/// Whether guests of this kind have this option.
fn knows(kind: Kind, key: &str) -> bool {
    let path = match kind {
        Kind::Qemu => "/nodes/n/qemu/100/config",
        Kind::Lxc => "/nodes/n/lxc/100/config",
    };
    crate::demo::table::Table::get()
        .find("PUT", path)
        .is_some_and(|(method, _)| method.parameter(key).is_some())
}

/// Changes that contradict the rest of the configuration.
fn check_sense(guest: &Guest, changes: &[Change]) -> Result<(), Failure> {
    let after = |key: &str| -> Option<String> {
        let change = changes.iter().rev().find(|(other, _)| other == key);
        match change {
            Some((_, value)) => value.clone(),
            None => guest.option(key).map(str::to_owned),
        }
    };
    if guest.kind == Kind::Qemu && changes.iter().any(|(key, _)| key == "memory" || key == "balloon") {
        let number = |key: &str| after(key).and_then(|text| text.parse::<u64>().ok());
        if number("balloon").unwrap_or(0) > number("memory").unwrap_or(512) {
            return Err(Failure::server(
                "balloon value too large (must be smaller than assigned memory)",
            ));
        }
    }
    for (key, value) in changes {
        if let (None, Some(old), true) = (value, guest.option(key), guest.option("protection") == Some("1")) {
            if is_unused_key(key) {
                return Err(Failure::server(format!(
                    "can't remove unused disk '{old}' - protection mode enabled"
                )));
            }
            if is_disk_key(key) && guest.kind == Kind::Qemu {
                return Err(Failure::server(format!(
                    "can't remove drive '{key}' - protection mode enabled"
                )));
            }
        }
        if key == "boot"
            && let Some(order) = value.as_deref().and_then(|boot| boot.strip_prefix("order="))
            && let Some(device) = order
                .split(';')
                .find(|device| !device.is_empty() && after(device).is_none())
        {
            return Err(Failure::server(format!(
                "invalid bootorder: device '{device}' does not exist'"
            )));
        }
        if value.is_none()
            && is_unused_key(key)
            && let Some(volid) = guest.option(key)
            && guest.is_snapshotted(volid)
        {
            return Err(Failure::server(format!(
                "unable to delete '{volid}' - volume is still in use (snapshot?)"
            )));
        }
    }
    Ok(())
}
