//! The table of methods: which paths exist, what they accept and who may call them.
//!
//! It is text (`methods.txt`), so that a reader can check it beside the official schema. Whatever is not in it is
//! answered with 501, as the real server does with what it does not know.

use std::{collections::HashMap, sync::OnceLock};

/// The kind of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

/// One accepted parameter.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    /// Its name without the `[n]` of indexed ones.
    pub(super) name: String,
    pub(super) indexed: bool,
    pub(super) optional: bool,
    pub(super) kind: Kind,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) values: Vec<String>,
    pub(super) longest: Option<usize>,
    pub(super) format: String,
    /// An array of whole numbers.
    pub(super) whole: bool,
}

/// One method of one path.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) verb: &'static str,
    pub(super) path: &'static str,
    pub(super) permission: &'static str,
    pub(super) parameters: Vec<Parameter>,
    /// For a directory: the key of its rows and its entries.
    pub(super) entries: Option<(&'static str, Vec<&'static str>)>,
}

impl Method {
    /// The parameter that accepts this name.
    pub(super) fn parameter(&self, name: &str) -> Option<&Parameter> {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        self.parameters.iter().find(|parameter| {
            if parameter.indexed {
                stem == parameter.name && stem.len() < name.len()
            } else {
                parameter.name == name
            }
        })
    }
}

/// The values of the path's variables, by name.
pub(super) type Variables = Vec<(&'static str, String)>;

/// All methods.
#[derive(Debug)]
pub(super) struct Table {
    methods: Vec<Method>,
}

impl Table {
    /// The one table, parsed once.
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Self::parse(include_str!("methods.txt")))
    }

    fn parse(text: &'static str) -> Self {
        let mut sets: HashMap<&str, Vec<Parameter>> = HashMap::new();
        let mut methods = Vec::new();
        for line in text.lines() {
            let mut words = line.split(' ').filter(|word| !word.is_empty());
            match (words.next(), words.next()) {
                (Some("SET"), Some(name)) => {
                    sets.insert(name, words.filter_map(parameter).collect());
                }
                (Some("DIR"), Some(path)) => {
                    let permission = words.next().unwrap_or("root");
                    let key = words.next().unwrap_or("name");
                    let entries = words.next().unwrap_or("").split(',').collect();
                    methods.push(Method {
                        verb: "GET",
                        path,
                        permission,
                        parameters: Vec::new(),
                        entries: Some((key, entries)),
                    });
                }
                (Some(verb), Some(path)) if !verb.starts_with('#') => {
                    let permission = words.next().unwrap_or("root");
                    let mut parameters = Vec::new();
                    for word in words {
                        match word.strip_prefix('+') {
                            Some(set) => parameters.extend(sets.get(set).into_iter().flatten().cloned()),
                            None => parameters.extend(parameter(word)),
                        }
                    }
                    methods.push(Method {
                        verb,
                        path,
                        permission,
                        parameters,
                        entries: None,
                    });
                }
                _ => {}
            }
        }
        Self { methods }
    }

    /// The method that answers, with the variables of its path. A path without variables wins over one with.
    pub(super) fn find(&self, verb: &str, path: &str) -> Option<(&Method, Variables)> {
        let mut best: Option<(&Method, Variables)> = None;
        for method in self.methods.iter().filter(|method| method.verb == verb) {
            if let Some(found) = matches(method.path, path)
                && best.as_ref().is_none_or(|(_, known)| found.len() < known.len())
            {
                best = Some((method, found));
            }
        }
        best
    }
}

fn matches(template: &'static str, path: &str) -> Option<Variables> {
    let mut variables = Variables::new();
    let mut wanted = template.split('/').filter(|part| !part.is_empty());
    let mut given = path.split('/').filter(|part| !part.is_empty());
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(variables),
            (Some(want), Some(have)) => {
                match want.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    // A volume id, a network and the name of a nested pool hold slashes; they end their paths.
                    Some(name @ ("volume" | "cidr" | "poolid")) => {
                        let rest: Vec<&str> = std::iter::once(have).chain(given.by_ref()).collect();
                        variables.push((name, rest.join("/")));
                    }
                    Some(name) => variables.push((name, have.to_owned())),
                    None if want == have => {}
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}

/// Reads `limit?:i(0..)`; a word that is none is dropped.
fn parameter(word: &str) -> Option<Parameter> {
    let (name, mut rest) = word.split_once(':')?;
    let optional = name.ends_with('?');
    let name = name.trim_end_matches('?');
    let indexed = name.ends_with("[n]");
    let kind = match rest.chars().next()? {
        'i' => Kind::Integer,
        'n' => Kind::Number,
        'b' => Kind::Boolean,
        'a' => Kind::Array,
        'o' => Kind::Object,
        _ => Kind::Text,
    };
    rest = rest.get(1..)?;
    let mut parameter = Parameter {
        name: name.trim_end_matches("[n]").to_owned(),
        indexed,
        optional,
        kind,
        min: None,
        max: None,
        values: Vec::new(),
        longest: None,
        format: String::new(),
        whole: kind == Kind::Array && rest.starts_with('i'),
    };
    rest = rest.strip_prefix('i').filter(|_| parameter.whole).unwrap_or(rest);
    if let Some((range, after)) = rest.strip_prefix('(').and_then(|text| text.split_once(')')) {
        let (low, high) = range.split_once("..")?;
        parameter.min = low.parse().ok();
        parameter.max = high.parse().ok();
        rest = after;
    }
    if let Some((values, after)) = rest.strip_prefix('{').and_then(|text| text.split_once('}')) {
        parameter.values = match values {
            "%qemu-disks" => machine_disks(),
            "%qemu-volumes" => [machine_disks(), numbered(&[("unused", 256)])].concat(),
            "%lxc-disks" => container_disks(),
            "%lxc-volumes" => [container_disks(), numbered(&[("unused", 256)])].concat(),
            list => list.split(',').map(str::to_owned).collect(),
        };
        rest = after;
    }
    let (longest, format) = rest.split_once('@').unwrap_or((rest, ""));
    parameter.longest = longest.strip_prefix('#').and_then(|number| number.parse().ok());
    format.clone_into(&mut parameter.format);
    Some(parameter)
}

fn machine_disks() -> Vec<String> {
    let mut disks = numbered(&[("ide", 4), ("scsi", 31), ("virtio", 16), ("sata", 6)]);
    disks.extend(["efidisk0".to_owned(), "tpmstate0".to_owned()]);
    disks
}

fn container_disks() -> Vec<String> {
    [vec!["rootfs".to_owned()], numbered(&[("mp", 256)])].concat()
}

fn numbered(stems: &[(&str, usize)]) -> Vec<String> {
    stems
        .iter()
        .flat_map(|(stem, count)| (0..*count).map(move |index| format!("{stem}{index}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_path_wins_and_variables_are_named() {
        let table = Table::get();
        let (method, variables) = table
            .find("GET", "/nodes/pve1/qemu/100/status/current")
            .expect("known");
        assert_eq!(method.path, "/nodes/{node}/qemu/{vmid}/status/current");
        assert_eq!(
            variables,
            [("node", "pve1".to_owned()), ("vmid", "100".to_owned())]
        );
        assert!(table.find("GET", "/cluster/nosuch").is_none());
        assert!(table.find("POST", "/version").is_none());
        let (_, volume) = table
            .find("GET", "/nodes/pve1/storage/local/content/local:iso/a.iso")
            .expect("known");
        assert_eq!(volume[2], ("volume", "local:iso/a.iso".to_owned()));
    }

    #[test]
    fn parameters_carry_their_limits() {
        let (method, _) = Table::get()
            .find("PUT", "/nodes/pve1/qemu/100/config")
            .expect("known");
        assert!(method.parameter("net0").is_some_and(|net| net.indexed));
        assert!(method.parameter("net").is_none());
        assert_eq!(method.parameter("cores").and_then(|cores| cores.min), Some(1.0));
        assert!(method.parameter("nosuch").is_none());
        let (resize, _) = Table::get()
            .find("PUT", "/nodes/pve1/qemu/100/resize")
            .expect("known");
        let disk = resize.parameter("disk").expect("known");
        assert!(disk.values.contains(&"scsi30".to_owned()));
    }
}
