//! The configuration: resources, tags, notes, options. Each is one `PUT …/config` with the digest that was read.

use std::collections::BTreeSet;

use super::{
    super::{Arguments, Deed, Proof, Refusal, Risk, Weight, calls},
    Back, Draft,
    arguments::split_tags,
    clone::name_in_use,
    guest::On,
};
use crate::domain::GuestKind;

/// One property: its key, what it becomes (`None`: it is removed), and the argument that takes it back.
struct Change {
    key: &'static str,
    value: Option<String>,
    back: Option<(&'static str, String)>,
}

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    let mut risks = Vec::new();
    let changes = match on.task.deed {
        Deed::GuestResources => resources(on, &mut risks)?,
        Deed::GuestTags => vec![tags(on)?],
        Deed::GuestNotes => vec![notes(on)?],
        _ => options(on, &mut risks)?,
    };
    if changes.is_empty() {
        let names: Vec<&str> = on.task.deed.row().arguments.iter().map(|one| one.name).collect();
        return Err(Refusal::Argument(format!(
            "{} needs at least one of {}",
            on.task.deed.name(),
            names.join(", ")
        )));
    }
    let same = |change: &Change| {
        on.config()
            .is_some_and(|config| config.get(change.key).map(str::trim_end) == change.value.as_deref())
    };
    if changes.iter().all(same) {
        return Err(on.not_possible("has that already"));
    }
    let mut call = calls::config(on.at());
    for change in &changes {
        if let Some(value) = &change.value {
            call = call.with(change.key, value);
        }
    }
    let removed: Vec<&str> = changes
        .iter()
        .filter(|change| change.value.is_none())
        .map(|change| change.key)
        .collect();
    if !removed.is_empty() {
        call = call.with("delete", &removed.join(","));
    }
    if let Some(digest) = on.digest() {
        call = call.with("digest", digest);
    }
    let back = changes
        .iter()
        .map(|change| change.back.clone())
        .collect::<Option<Vec<_>>>()
        .map(|arguments| Back {
            deed: on.task.deed,
            arguments: arguments
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Arguments>(),
        });
    let values = changes
        .iter()
        .map(|change| (change.key.into(), change.value.as_deref().map(Into::into)))
        .collect();
    Ok(Draft {
        steps: vec![on.task.step(&on.title, call, holds(on, values))],
        risks,
        back,
        ..Draft::default()
    })
}

/// Whether it was written shows the configuration itself.
pub(super) fn holds(on: &On<'_>, values: Vec<(Box<str>, Option<Box<str>>)>) -> Proof {
    let vmid = on.guest.vmid.to_string();
    let read = [
        "nodes",
        on.guest.node.as_str(),
        on.guest.kind.as_str(),
        &vmid,
        "config",
    ];
    Proof::Holds {
        read: read.iter().map(|part| (*part).into()).collect(),
        values,
    }
}

fn resources(on: &On<'_>, risks: &mut Vec<Risk>) -> Result<Vec<Change>, Refusal> {
    let machine = on.guest.kind == GuestKind::Qemu;
    let mut changes = Vec::new();
    for (key, privilege, fits, default) in [
        ("cores", "VM.Config.CPU", true, machine.then_some("1")),
        ("sockets", "VM.Config.CPU", machine, Some("1")),
        ("memory", "VM.Config.Memory", true, Some("512")),
        ("swap", "VM.Config.Memory", !machine, Some("512")),
    ] {
        let Some(value) = on.task.given(key) else { continue };
        if !fits {
            let kind = if machine { "machine" } else { "container" };
            return Err(on.not_possible(&format!("is a {kind}: it has no {key}")));
        }
        on.needs_privilege(privilege)?;
        let old = on.former(key, default);
        changes.push(Change {
            key,
            value: Some(value.to_owned()),
            back: old.clone().map(|old| (key, old)),
        });
        if on.runs() {
            risks.push(when(on, key, value, old.as_deref()));
        }
    }
    Ok(changes)
}

/// Whether a change of a running guest takes effect at once.
fn when(on: &On<'_>, key: &str, value: &str, old: Option<&str>) -> Risk {
    let title = &on.title;
    if on.guest.kind == GuestKind::Lxc {
        return Risk::new(Weight::Note, format!("{key} of {title} changes at once"));
    }
    let grows = old
        .and_then(|old| Some(value.parse::<u64>().ok()? > old.parse::<u64>().ok()?))
        .unwrap_or(false);
    let plugs = on
        .config()
        .and_then(|config| config.get("hotplug"))
        .is_some_and(|plugs| plugs == "1" || plugs.split(',').any(|one| one == "memory"));
    if key == "memory" && grows && plugs {
        return Risk::new(Weight::Note, format!("memory of {title} is plugged in at once"));
    }
    Risk::new(
        Weight::Warning,
        format!("{title} runs: {key} waits for its next start (reboot it, by guest.reboot, not from inside)"),
    )
}

fn tags(on: &On<'_>) -> Result<Change, Refusal> {
    let lower = |list: &str| -> BTreeSet<String> { split_tags(list).map(str::to_lowercase).collect() };
    let given = |name: &str| on.task.given(name).map(lower);
    let now: BTreeSet<String> = match on.config() {
        Some(config) => lower(config.get("tags").unwrap_or_default()),
        None => on.guest.tags.iter().map(|tag| tag.to_lowercase()).collect(),
    };
    let wanted = match (given("set"), given("add"), given("remove")) {
        (None, None, None) => {
            return Err(Refusal::Argument(
                "guest.tags needs at least one of add, remove, set".to_owned(),
            ));
        }
        (Some(set), None, None) => set,
        (Some(_), ..) => {
            return Err(Refusal::Argument(
                "`set` says all tags: it does not go with add and remove".to_owned(),
            ));
        }
        (None, add, remove) => {
            let remove = remove.unwrap_or_default();
            now.union(&add.unwrap_or_default())
                .filter(|tag| !remove.contains(*tag))
                .cloned()
                .collect()
        }
    };
    if wanted == now {
        return Err(on.not_possible("has these tags already"));
    }
    let list = |tags: &mut dyn Iterator<Item = &String>, between: &str| {
        tags.map(String::as_str).collect::<Vec<_>>().join(between)
    };
    let gone = list(&mut now.difference(&wanted), ",");
    let new = list(&mut wanted.difference(&now), ",");
    // Put on or taken off, it goes back the same way for every guest; both at once, only by the whole list.
    let back = match (gone.is_empty(), new.is_empty()) {
        (true, _) => ("remove", new),
        (_, true) => ("add", gone),
        _ => ("set", list(&mut now.iter(), ",")),
    };
    Ok(Change {
        key: "tags",
        value: (!wanted.is_empty()).then(|| list(&mut wanted.iter(), ";")),
        back: Some(back),
    })
}

fn notes(on: &On<'_>) -> Result<Change, Refusal> {
    let old = on
        .config()
        .map(|config| config.notes().unwrap_or_default().trim_end());
    let new = match (on.task.given("notes"), on.task.given("append")) {
        (Some(notes), None) => notes.trim_end().to_owned(),
        (None, Some(more)) => {
            let Some(old) = old else {
                return Err(
                    on.not_possible("has notes that could not be read: nothing can be put below them")
                );
            };
            format!("{old}\n\n{}", more.trim_end()).trim_start().to_owned()
        }
        _ => {
            return Err(Refusal::Argument(
                "guest.notes needs one of notes, append".to_owned(),
            ));
        }
    };
    Ok(Change {
        key: "description",
        value: (!new.is_empty()).then_some(new),
        back: old.map(|old| ("notes", old.to_owned())),
    })
}

fn options(on: &On<'_>, risks: &mut Vec<Risk>) -> Result<Vec<Change>, Refusal> {
    let machine = on.guest.kind == GuestKind::Qemu;
    let mut changes = Vec::new();
    let mut change = |key, argument: &'static str, value: Option<String>, default| {
        changes.push(Change {
            key,
            value,
            back: on.former(key, default).map(|old| (argument, old)),
        });
    };
    if let Some(name) = on.task.given("name") {
        risks.extend(name_in_use(on, name));
        let key = if machine { "name" } else { "hostname" };
        change(key, "name", Some(name.to_owned()), None);
        if !machine && on.runs() {
            risks.push(Risk::new(
                Weight::Note,
                format!(
                    "{} runs: inside, it keeps its name until its next start",
                    on.title
                ),
            ));
        }
    }
    for key in ["onboot", "protection"] {
        if let Some(value) = on.task.given(key) {
            change(key, key, Some(value.to_owned()), Some("0"));
        }
    }
    if let Some(startup) = on.task.given("startup") {
        start_order(startup)?;
        change(
            "startup",
            "startup",
            (!startup.is_empty()).then(|| startup.to_owned()),
            Some(""),
        );
    }
    if let Some(agent) = on.task.given("agent") {
        if !machine {
            return Err(on.not_possible("is a container: it needs no guest agent"));
        }
        let old = on.config().and_then(|config| config.get("agent")).unwrap_or("0");
        // Options behind the switch stay.
        let rest = old
            .split_once(',')
            .map_or(String::new(), |(_, rest)| format!(",{rest}"));
        let enabled = old
            .split(',')
            .next()
            .is_some_and(|first| matches!(first, "1" | "enabled=1"));
        let value = if rest.is_empty() {
            agent.to_owned()
        } else {
            format!("enabled={agent}{rest}")
        };
        changes.push(Change {
            key: "agent",
            value: Some(value),
            back: Some(("agent", u8::from(enabled).to_string())),
        });
        if on.runs() {
            risks.push(Risk::new(
                Weight::Warning,
                format!("{} runs: the guest agent waits for its next start", on.title),
            ));
        }
    }
    Ok(changes)
}

/// The server's form: `order=2,up=30,down=60`, each part once, or the order alone.
fn start_order(text: &str) -> Result<(), Refusal> {
    let number = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    let mut seen = BTreeSet::new();
    let fits = text.split(',').all(|part| {
        let (key, value) = part.split_once('=').unwrap_or(("order", part));
        matches!(key, "order" | "up" | "down") && number(value) && seen.insert(key)
    });
    if fits || text.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Argument(format!(
            "`startup` is order=NUMBER,up=SECONDS,down=SECONDS or a part of it, not `{text}`"
        )))
    }
}
