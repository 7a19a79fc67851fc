//! Which series belong to which guest, node or storage.
//!
//! What always holds here: a series that names another cluster is never taken; where nothing fits, what was tried is part
//! of the answer, so that a screen can say it instead of showing an empty graph.

use std::{collections::HashMap, fmt, net::IpAddr};

use super::{
    GuestKind, Vmid,
    metric::{Labels, quoted},
};

/// What is known of an object, to find its series by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Subject {
    /// What monitoring may call its cluster: the name in the configuration, and the cluster's own.
    pub clusters: Vec<Box<str>>,
    /// Of a guest.
    pub kind: Option<GuestKind>,
    /// Of a guest.
    pub vmid: Option<Vmid>,
    /// Of a guest or a node.
    pub name: Option<Box<str>>,
    /// The node itself, or where the guest or storage is.
    pub node: Option<Box<str>>,
    /// Of a storage.
    pub storage: Option<Box<str>>,
    /// Of a guest or a node, without prefix length.
    pub addresses: Vec<Box<str>>,
}

/// What a placeholder of a pattern stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Kind,
    Vmid,
    Name,
    Node,
    Storage,
    /// The name or an address, whatever domain or port is behind it.
    Host,
}

const FIELDS: [(&str, Field); 6] = [
    ("kind", Field::Kind),
    ("vmid", Field::Vmid),
    ("name", Field::Name),
    ("node", Field::Node),
    ("storage", Field::Storage),
    ("host", Field::Host),
];

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(Box<str>),
    Field(Field),
}

/// Labels and what they hold for an object: `id = "{kind}/{vmid}"`. All of them have to fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelMap(Vec<(Box<str>, Vec<Part>)>);

/// What a label of an object's series has to be.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Wanted {
    Exactly(String),
    Host(Vec<String>),
}

impl LabelMap {
    /// Reads labels with their patterns.
    ///
    /// # Errors
    /// Which of them cannot be, and why.
    pub fn parse<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut map = Vec::new();
        for (label, pattern) in entries {
            let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
            if !label.starts_with(begins) || !label.chars().all(|c| begins(c) || c.is_ascii_digit()) {
                return Err(format!(
                    "`{label}` is not the name of a label: letters, digits and `_`"
                ));
            }
            map.push((label.into(), parts(pattern)?));
        }
        if map.is_empty() {
            return Err("at least one label is needed".to_owned());
        }
        Ok(Self(map))
    }

    /// What the labels of this object's series have to be; `None` if too little is known of it.
    fn wanted(&self, subject: &Subject) -> Option<Vec<(&str, Wanted)>> {
        self.0
            .iter()
            .map(|(label, parts)| {
                if let [Part::Field(Field::Host)] = parts[..] {
                    let hosts = hosts(subject);
                    return (!hosts.is_empty()).then_some((&**label, Wanted::Host(hosts)));
                }
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(part) => text.push_str(part),
                        Part::Field(field) => text.push_str(&value(*field, subject)?),
                    }
                }
                Some((&**label, Wanted::Exactly(text)))
            })
            .collect()
    }

    /// The PromQL matchers that choose this object's series: `id="qemu/100"`. `None` if too little is known of it.
    pub fn selector(&self, subject: &Subject) -> Option<String> {
        let wanted = self.wanted(subject)?;
        let matchers: Vec<String> = wanted
            .iter()
            .map(|(label, wanted)| match wanted {
                Wanted::Exactly(text) => format!("{label}={}", quoted(text)),
                Wanted::Host(hosts) => {
                    // Names without their domains: what is found too much is sorted out afterwards.
                    let hosts: Vec<String> = hosts.iter().map(|host| regex::escape(short(host))).collect();
                    let expression = format!("(?i:\\[?({})\\]?)([.][^:]*)?(:[0-9]+)?", hosts.join("|"));
                    format!("{label}=~{}", quoted(&expression))
                }
            })
            .collect();
        Some(matchers.join(", "))
    }

    /// The PromQL matchers that choose the series of all objects: the labels are there.
    pub fn selector_of_all(&self) -> String {
        let matchers: Vec<String> = self
            .0
            .iter()
            .map(|(label, parts)| match &parts[..] {
                [Part::Text(text)] => format!("{label}={}", quoted(text)),
                _ => format!("{label}!=\"\""),
            })
            .collect();
        matchers.join(", ")
    }

    /// What is tried for this object, in words.
    fn told(&self, subject: &Subject) -> String {
        let Some(wanted) = self.wanted(subject) else {
            let labels: Vec<&str> = self.0.iter().map(|(label, _)| &**label).collect();
            return format!("{} (too little is known)", labels.join(", "));
        };
        let told: Vec<String> = wanted
            .iter()
            .map(|(label, wanted)| match wanted {
                Wanted::Exactly(text) => format!("{label}={}", quoted(text)),
                Wanted::Host(hosts) => format!("{label} of {}", hosts.join(" or ")),
            })
            .collect();
        told.join(", ")
    }
}

fn parts(pattern: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((text, behind)) = rest.split_once('{') {
        let (word, behind) = behind.split_once('}').ok_or("a `{` without its `}`")?;
        if !text.is_empty() {
            parts.push(Part::Text(text.into()));
        }
        let (_, field) = FIELDS.iter().find(|(known, _)| *known == word).ok_or_else(|| {
            let words: Vec<String> = FIELDS.iter().map(|(word, _)| format!("{{{word}}}")).collect();
            format!("`{{{word}}}` stands for nothing; allowed: {}", words.join(", "))
        })?;
        parts.push(Part::Field(*field));
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.into()));
    }
    if parts.len() > 1 && parts.contains(&Part::Field(Field::Host)) {
        return Err("`{host}` stands alone: what is before or behind it is ignored anyway".to_owned());
    }
    if parts.is_empty() {
        return Err("the pattern is empty".to_owned());
    }
    Ok(parts)
}

fn value(field: Field, subject: &Subject) -> Option<String> {
    match field {
        Field::Kind => subject.kind.map(|kind| kind.as_str().to_owned()),
        Field::Vmid => subject.vmid.map(|vmid| vmid.to_string()),
        Field::Name => subject.name.as_deref().map(str::to_owned),
        Field::Node => subject.node.as_deref().map(str::to_owned),
        Field::Storage => subject.storage.as_deref().map(str::to_owned),
        Field::Host => None,
    }
}

fn hosts(subject: &Subject) -> Vec<String> {
    let known = subject.name.iter().chain(&subject.addresses);
    let mut hosts: Vec<String> = known.map(|host| host.to_ascii_lowercase()).collect();
    hosts.retain(|host| !host.is_empty());
    hosts
}

/// The host in the value of a label: without port and brackets, in lower case.
fn host_of(value: &str) -> String {
    let value = value.trim();
    let host = if let Some(rest) = value.strip_prefix('[') {
        rest.split(']').next().unwrap_or(rest)
    } else {
        match value.split_once(':') {
            // An IPv6 address without brackets has more colons, and no port.
            Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
            _ => value,
        }
    };
    host.to_ascii_lowercase()
}

/// The name without its domain; an address as it is.
fn short(host: &str) -> &str {
    if host.parse::<IpAddr>().is_ok() {
        host
    } else {
        host.split('.').next().unwrap_or(host)
    }
}

fn same_host(a: &str, b: &str) -> bool {
    // With a domain on both sides the domains count.
    a == b || (short(a) == short(b) && (short(a) == a || short(b) == b))
}

impl Wanted {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Exactly(text) => text == value,
            Self::Host(hosts) => {
                let seen = host_of(value);
                hosts.iter().any(|host| same_host(host, &seen))
            }
        }
    }
}

/// The series of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// By their places in the list that was searched, never none.
    Series(Vec<usize>),
    /// None, and what was tried.
    Nothing {
        /// One text for each way of finding them.
        tried: Vec<String>,
    },
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(all) if all.len() == 1 => f.write_str("1 series"),
            Self::Series(all) => write!(f, "{} series", all.len()),
            Self::Nothing { tried } if tried.is_empty() => f.write_str("no series found: nothing to try"),
            Self::Nothing { tried } => write!(f, "no series found, tried {}", tried.join("; ")),
        }
    }
}

/// Finds the series of each object: by the first of the maps that fits any. `cluster_label` is the label that names the
/// cluster; a series without it belongs to any.
pub fn find(maps: &[LabelMap], cluster_label: &str, subjects: &[Subject], series: &[&Labels]) -> Vec<Found> {
    let indexes: Vec<HashMap<String, Vec<usize>>> = maps.iter().map(|map| index(map, series)).collect();
    subjects
        .iter()
        .map(|subject| {
            for (map, index) in maps.iter().zip(&indexes) {
                let Some(wanted) = map.wanted(subject) else {
                    continue;
                };
                let mut found: Vec<usize> = keys(&wanted)
                    .iter()
                    .filter_map(|key| index.get(key))
                    .flatten()
                    .copied()
                    .filter(|&place| fits(&wanted, subject, cluster_label, series[place]))
                    .collect();
                found.sort_unstable();
                found.dedup();
                if !found.is_empty() {
                    return Found::Series(found);
                }
            }
            Found::Nothing {
                tried: maps.iter().map(|map| map.told(subject)).collect(),
            }
        })
        .collect()
}

/// Whose a series is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Nobody's who is known.
    Nobody,
    /// That of the object at this place in the list.
    One(usize),
    /// Several objects fit: nobody can say.
    Several,
}

/// The other way round than [`find`]: the object that each series belongs to, by one map alone.
pub fn owners(map: &LabelMap, cluster_label: &str, subjects: &[&Subject], series: &[&Labels]) -> Vec<Owner> {
    let mut owners = vec![Owner::Nobody; series.len()];
    let index = index(map, series);
    if index.is_empty() {
        return owners;
    }
    for (at, subject) in subjects.iter().enumerate() {
        let Some(wanted) = map.wanted(subject) else {
            continue;
        };
        let mut found: Vec<usize> = keys(&wanted)
            .iter()
            .filter_map(|key| index.get(key))
            .flatten()
            .copied()
            .filter(|&place| fits(&wanted, subject, cluster_label, series[place]))
            .collect();
        found.sort_unstable();
        found.dedup();
        for place in found {
            owners[place] = match owners[place] {
                Owner::Nobody => Owner::One(at),
                _ => Owner::Several,
            };
        }
    }
    owners
}

/// The series by what their first mapped label holds: thousands of guests meet thousands of series in one column.
fn index(map: &LabelMap, series: &[&Labels]) -> HashMap<String, Vec<usize>> {
    let mut index: HashMap<String, Vec<usize>> = HashMap::new();
    let Some((label, parts)) = map.0.iter().max_by_key(|(_, parts)| telling(parts)) else {
        return index;
    };
    let by_host = parts[..] == [Part::Field(Field::Host)];
    for (place, labels) in series.iter().enumerate() {
        if let Some(value) = labels.get(label) {
            let key = if by_host {
                short(&host_of(value)).to_owned()
            } else {
                value.to_owned()
            };
            index.entry(key).or_default().push(place);
        }
    }
    index
}

/// How much a label tells about which object it is: a text that is the same for all tells nothing.
fn telling(parts: &[Part]) -> usize {
    parts
        .iter()
        .map(|part| match part {
            Part::Text(_) => 0,
            Part::Field(Field::Kind) => 1,
            Part::Field(Field::Node) => 2,
            Part::Field(_) => 3,
        })
        .sum()
}

/// The keys under which [`index`] may have the series.
fn keys(wanted: &[(&str, Wanted)]) -> Vec<String> {
    wanted
        .iter()
        .flat_map(|(_, wanted)| match wanted {
            Wanted::Exactly(text) => vec![text.clone()],
            Wanted::Host(hosts) => hosts.iter().map(|host| short(host).to_owned()).collect(),
        })
        .collect()
}

fn fits(wanted: &[(&str, Wanted)], subject: &Subject, cluster_label: &str, labels: &Labels) -> bool {
    let here = labels
        .get(cluster_label)
        .is_none_or(|cluster| subject.clusters.iter().any(|known| **known == *cluster));
    here && wanted
        .iter()
        .all(|(label, wanted)| labels.get(label).is_some_and(|value| wanted.holds(value)))
}

#[cfg(test)]
mod tests;
