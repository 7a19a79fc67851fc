//! The filter line of every list: `web !test status:running tag:prod,lab`.
//!
//! Terms are separated by blanks and all must hold. A plain term must be part of the row's text, `!term` must
//! not, `key:value` compares one attribute; `key:a,b` takes either. Case never matters.

/// A parsed filter. An empty one lets everything pass.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Term {
    negate: bool,
    key: Option<Key>,
    values: Vec<String>,
}

/// The attributes that a filter can name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// `status:` of a node, guest, storage or task.
    Status,
    /// `node:`.
    Node,
    /// `tag:`.
    Tag,
    /// `pool:`.
    Pool,
    /// `type:` qemu, lxc, template; a storage plugin; a task type.
    Type,
    /// `cluster:`.
    Cluster,
    /// `name:`.
    Name,
    /// `user:` of a task.
    User,
}

impl Key {
    /// All keys with the word that names them.
    pub const ALL: [(&'static str, Self); 8] = [
        ("status", Self::Status),
        ("node", Self::Node),
        ("tag", Self::Tag),
        ("pool", Self::Pool),
        ("type", Self::Type),
        ("cluster", Self::Cluster),
        ("name", Self::Name),
        ("user", Self::User),
    ];

    fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, key)| *key)
    }
}

/// A row that can be filtered.
pub trait Searchable {
    /// Calls `see` with every text that a plain term may be part of, until it says `true`. Returns whether it did.
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool;

    /// Calls `see` with every value of the attribute, until it says `true`. Returns whether it did.
    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool;
}

impl Filter {
    /// Parses a filter line. Nothing is an error: an unknown key is taken as plain text.
    pub fn parse(line: &str) -> Self {
        let terms = line
            .split_whitespace()
            .filter_map(|word| {
                let (negate, word) = match word.strip_prefix('!') {
                    Some(rest) => (true, rest),
                    None => (false, word),
                };
                let (key, text) = match word.split_once(':').map(|(key, value)| (Key::parse(key), value)) {
                    Some((Some(key), value)) => (Some(key), value),
                    _ => (None, word),
                };
                let values: Vec<String> = match key {
                    Some(_) => text
                        .split(',')
                        .filter(|v| !v.is_empty())
                        .map(str::to_lowercase)
                        .collect(),
                    None if text.is_empty() => Vec::new(),
                    None => vec![text.to_lowercase()],
                };
                (!values.is_empty()).then_some(Term { negate, key, values })
            })
            .collect();
        Self { terms }
    }

    /// Whether it lets everything pass.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row passes.
    pub fn matches(&self, row: &dyn Searchable) -> bool {
        self.terms.iter().all(|term| {
            let hit = match term.key {
                None => row.any_text(&mut |text| contains_ignoring_case(text, &term.values[0])),
                // A name is mostly typed in part; the other attributes are words of a small set.
                Some(Key::Name) => row.any_value(Key::Name, &mut |value| {
                    term.values
                        .iter()
                        .any(|wanted| contains_ignoring_case(value, wanted))
                }),
                Some(key) => row.any_value(key, &mut |value| {
                    term.values
                        .iter()
                        .any(|wanted| value.eq_ignore_ascii_case(wanted) || value.to_lowercase() == *wanted)
                }),
            };
            hit != term.negate
        })
    }
}

/// `needle` is lower case already.
fn contains_ignoring_case(text: &str, needle: &str) -> bool {
    if text.is_ascii() {
        // The common case, without an allocation for each of ten thousand rows.
        let needle = needle.as_bytes();
        text.len() >= needle.len()
            && text
                .as_bytes()
                .windows(needle.len().max(1))
                .any(|window| window.eq_ignore_ascii_case(needle))
    } else {
        text.to_lowercase().contains(needle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row;
    impl Searchable for Row {
        fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
            ["104", "Web-01", "Straße"].into_iter().any(see)
        }
        fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
            match key {
                Key::Status => see("running"),
                Key::Tag => ["prod", "web"].into_iter().any(see),
                Key::Name => see("Web-01"),
                _ => false,
            }
        }
    }

    #[test]
    fn terms_are_anded_and_negated() {
        for (line, expected) in [
            ("", true),
            ("web", true),
            ("WEB 104", true),
            ("web db", false),
            ("!web", false),
            ("!db", true),
            ("status:running", true),
            ("status:Running,stopped", true),
            ("!status:running", false),
            ("tag:web", true),
            ("tag:we", false),
            ("!tag:lab", true),
            ("name:eb-0", true),
            ("straße", true),
            ("pool:acme", false),
            ("nokey:web", false),
            ("status:", true),
            ("!", true),
        ] {
            assert_eq!(Filter::parse(line).matches(&Row), expected, "{line:?}");
        }
    }
}
