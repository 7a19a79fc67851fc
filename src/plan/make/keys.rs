//! SSH keys of a guest: those that cloud-init gives it, and those of the running system.
//!
//! The running system is changed by a short script that its agent runs, not by writing the whole file: the agent's own
//! writing cuts the file off first and makes new ones that everybody may write to, and a key that somebody adds in
//! between would be lost. The script runs as the user whose file it is, so owner and mode are as they should be, and
//! run again it changes nothing.

use super::{
    super::{Deed, Proof, Refusal, Risk, Step, Weight, calls},
    Draft,
    guest::{On, lacks},
};
use crate::{
    domain::{GuestKind, call::percent_encode, config::GuestConfig, ssh_key::PublicKey},
    store::Feed,
};

/// Where the agent finds who lives where.
pub(in super::super) const ACCOUNTS: &str = "/etc/passwd";

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    let key = wanted(on)?;
    let mut draft = Draft {
        title: Some(on.title.clone()),
        ..Draft::default()
    };
    let mut left = Vec::new();
    if on.guest.kind == GuestKind::Lxc {
        return Err(on.not_possible(&format!(
            "is a container: the API reaches neither its keys nor its inside; on {} `pct exec {}` does",
            on.guest.node, on.guest.vmid
        )));
    }
    match configured(on, &key) {
        Ok(part) => take(&mut draft, part),
        Err(why) => left.push(format!("the cloud-init keys of {}: {why}", on.title)),
    }
    match inside(on, &key) {
        Ok(part) => take(&mut draft, part),
        Err(why) => left.push(format!("the running system of {}: {why}", on.title)),
    }
    if left.len() > 1 {
        return Err(Refusal::NotPossible(left.join("; ")));
    }
    draft.risks.extend(left.into_iter().map(Risk::left_out));
    Ok(draft)
}

fn take(draft: &mut Draft, part: Draft) {
    draft.steps.extend(part.steps);
    draft.risks.extend(part.risks);
}

/// The key that is meant. A key to revoke may be named by comment or fingerprint, if some cloud-init keys have it.
fn wanted(on: &On<'_>) -> Result<PublicKey, Refusal> {
    let word = on.task.argument("key");
    let why = match PublicKey::parse(word) {
        Ok(key) => return Ok(key),
        Err(why) => why,
    };
    if on.task.deed == Deed::GuestKeyAdd {
        return Err(Refusal::Argument(format!("the key {why}")));
    }
    let configs = on
        .task
        .store()
        .guests()
        .filter(|(cluster, _)| **cluster == on.guest_ref.cluster);
    let mut found: Vec<PublicKey> = Vec::new();
    for (cluster, guest) in configs {
        let reference = crate::domain::GuestRef {
            cluster: cluster.clone(),
            vmid: guest.vmid,
        };
        let Some(config) = on.task.store().guest_config(&reference) else {
            continue;
        };
        for line in config.get("sshkeys").map(decoded).unwrap_or_default().lines() {
            if let Ok(key) = PublicKey::parse(line)
                && key.is_meant_by(word)
                && !found.iter().any(|known| known.core() == key.core())
            {
                found.push(key);
            }
        }
    }
    match &found[..] {
        [key] => Ok(key.clone()),
        [] => Err(Refusal::NotFound(format!(
            "no cloud-init key of these guests is called `{word}`: give the whole line of the public key"
        ))),
        several => {
            let names: Vec<&str> = several.iter().map(PublicKey::fingerprint).collect();
            Err(Refusal::Argument(format!(
                "`{word}` is ambiguous: {}; give the fingerprint",
                names.join(", ")
            )))
        }
    }
}

/// The keys that cloud-init gives the guest when it starts.
fn configured(on: &On<'_>, key: &PublicKey) -> Result<Draft, String> {
    let store = on.task.store();
    let config = store
        .guest_config(on.guest_ref)
        .ok_or("its configuration could not be read")?;
    if !config
        .disks()
        .iter()
        .any(|disk| disk.volume.contains("cloudinit"))
    {
        return Err("it has no cloud-init drive".to_owned());
    }
    if lacks(store, &on.guest_ref.cluster, on.guest, "VM.Config.Cloudinit") {
        return Err(format!(
            "this sign-in lacks VM.Config.Cloudinit on /vms/{}",
            on.guest.vmid
        ));
    }
    let user = on.task.argument("user");
    if let Some(own) = config
        .get("ciuser")
        .filter(|own| !user.is_empty() && *own != user)
    {
        return Err(format!("they are those of {own}, not of {user}"));
    }
    let pending = store.guest_pending(on.guest_ref).unwrap_or_default();
    let text = match pending.iter().find(|change| &*change.key == "sshkeys") {
        Some(change) => change.pending.as_deref(),
        None => config.get("sshkeys"),
    };
    let text = text.map(decoded).unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let there = lines.iter().any(|line| key.is_in(line));
    let note = |what: &str| {
        Ok(Draft {
            risks: vec![Risk::new(
                Weight::Note,
                format!("the cloud-init keys of {} {what}", on.title),
            )],
            ..Draft::default()
        })
    };
    let line = key.to_string();
    let new: Vec<&str> = match (on.task.deed, there) {
        (Deed::GuestKeyAdd, true) => return note("have it already"),
        (Deed::GuestKeyAdd, false) => lines.iter().copied().chain([line.as_str()]).collect(),
        (_, false) => return note("do not have it"),
        (_, true) => lines.iter().copied().filter(|line| !key.is_in(line)).collect(),
    };
    let value = encoded(&new.join("\n"));
    let call = calls::ssh_keys(
        on.at(),
        (!new.is_empty()).then_some(&value),
        config.digest.as_deref(),
    );
    let mut risks = Vec::new();
    if new.is_empty() {
        let text = format!("no cloud-init key of {} remains", on.title);
        risks.push(Risk::new(Weight::Warning, text));
    }
    risks.push(Risk::new(
        Weight::Note,
        "cloud-init takes its keys at the next start; as its data changed, it may run as on a new machine (new host keys)",
    ));
    let proof = Proof::Holds {
        read: call.segments.clone(),
        values: vec![("sshkeys".into(), (!new.is_empty()).then(|| value.into()))],
    };
    Ok(Draft {
        steps: vec![
            on.task
                .step(&format!("{}: cloud-init keys", on.title), call, proof),
        ],
        risks,
        ..Draft::default()
    })
}

/// The keys of the system that runs.
fn inside(on: &On<'_>, key: &PublicKey) -> Result<Draft, String> {
    let store = on.task.store();
    let cluster = &on.guest_ref.cluster;
    if !on.runs() {
        return Err("it is not running".to_owned());
    }
    if store
        .guest_config(on.guest_ref)
        .is_some_and(|config| !has_agent(config))
    {
        return Err("its guest agent is not switched on (Options, QEMU Guest Agent)".to_owned());
    }
    // The privilege has another name before 9.
    let one = |privilege: &str| !lacks(store, cluster, on.guest, privilege);
    if !one("VM.GuestAgent.Unrestricted") && !one("VM.Monitor") {
        return Err(format!(
            "this sign-in lacks VM.GuestAgent.Unrestricted (VM.Monitor before 9) on /vms/{}",
            on.guest.vmid
        ));
    }
    let accounts = store.guest_file(on.guest_ref, ACCOUNTS).ok_or_else(|| {
        let feed = Feed::GuestFile(on.guest.vmid, ACCOUNTS.into()).of(cluster);
        match store.freshness(&feed).error {
            Some(error) => format!("its agent does not tell who lives where: {}", error.message),
            None => "its agent was not asked".to_owned(),
        }
    })?;
    let config = store.guest_config(on.guest_ref);
    let user = match on.task.argument("user") {
        "" => config.and_then(|config| config.get("ciuser")).unwrap_or("root"),
        user => user,
    };
    let home = home(accounts, user).ok_or_else(|| format!("it has no user {user} with a home"))?;
    let folder = format!("{home}/.ssh");
    let file = format!("{folder}/authorized_keys");
    let add = on.task.deed == Deed::GuestKeyAdd;
    let script = if add {
        adding(key, &folder, &file)
    } else {
        revoking(key, &folder, &file)
    };
    let call = calls::agent_exec(on.at(), &["su", "-s", "/bin/sh", user, "-c", &script]);
    let mut risks = Vec::new();
    if !add {
        let text = format!(
            "who has only this key does not get into {} any more as {user}",
            on.title
        );
        risks.push(Risk::new(Weight::Warning, text));
    }
    let step = Step {
        proof: Proof::Command {
            file: file.clone().into(),
            part: key.core().into(),
            present: add,
        },
        ..on.task
            .step(&format!("{}: {file}", on.title), call, Proof::Nothing)
    };
    Ok(Draft {
        steps: vec![step],
        risks,
        ..Draft::default()
    })
}

fn has_agent(config: &GuestConfig) -> bool {
    let Some(text) = config.get("agent") else {
        return false;
    };
    text.split(',')
        .any(|part| matches!(part.trim(), "1" | "enabled=1"))
}

/// The home of a user, if it can stand in a script.
fn home<'a>(accounts: &'a str, user: &str) -> Option<&'a str> {
    let plain = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        !text.is_empty() && !text.starts_with('-') && text.chars().all(fits)
    };
    let line = accounts
        .lines()
        .find(|line| line.split(':').next() == Some(user))?;
    let home = line.split(':').nth(5)?.trim_end_matches('/');
    (plain(user) && plain(home) && home.starts_with('/')).then_some(home)
}

// Both scripts are lists of plain commands. A file may end without a line feed: an empty line goes before the new key.

fn adding(key: &PublicKey, folder: &str, file: &str) -> String {
    let core = key.core();
    [
        "umask 077",
        &format!("mkdir -p {folder} || exit 3"),
        &format!(
            "grep -v '^ *#' {file} 2>/dev/null | grep -qF '{core}' && echo 'was there already' && exit 0"
        ),
        &format!("echo >> {file} || exit 4"),
        &format!("echo '{key}' >> {file} || exit 4"),
        "echo added",
    ]
    .join("; ")
}

fn revoking(key: &PublicKey, folder: &str, file: &str) -> String {
    let core = key.core();
    let new = format!("{folder}/.authorized_keys.new");
    // The copy takes over the mode; the new file takes the place of the old one only when it is whole.
    [
        "umask 077",
        &format!("grep -qF '{core}' {file} || echo 'was not there'"),
        &format!("grep -qF '{core}' {file} || exit 0"),
        &format!("cp -p {file} {new} || exit 3"),
        &format!("sed '\\|{core}|d' {file} > {new} || exit 4"),
        &format!("mv {new} {file} || exit 5"),
        "echo removed",
    ]
    .join("; ")
}

fn encoded(text: &str) -> String {
    let mut into = String::new();
    percent_encode(text, &mut into);
    into
}

/// What stands behind percent signs; what makes no sense stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
