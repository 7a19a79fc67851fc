//! Firewall configurations: of the cluster, of nodes and of guests.

use std::collections::BTreeMap;

use super::World;

/// Whose firewall it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Scope {
    Cluster,
    Node(String),
    Guest(u32),
}

/// A rule: property and value.
pub(crate) type FirewallRule = BTreeMap<String, String>;

/// An address with a name.
#[derive(Clone, Debug)]
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) cidr: String,
    pub(crate) comment: Option<String>,
}

/// An address in a set.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) cidr: String,
    pub(crate) nomatch: bool,
    pub(crate) comment: Option<String>,
}

/// A set of addresses.
#[derive(Clone, Default, Debug)]
pub(crate) struct IpSet {
    pub(crate) comment: Option<String>,
    pub(crate) entries: Vec<Entry>,
}

/// A security group.
#[derive(Clone, Default, Debug)]
pub(crate) struct Group {
    pub(crate) comment: Option<String>,
    pub(crate) rules: Vec<FirewallRule>,
}

/// One configuration file.
#[derive(Clone, Default, Debug)]
pub(crate) struct Firewall {
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) rules: Vec<FirewallRule>,
    /// By lower-cased name.
    pub(crate) aliases: BTreeMap<String, Alias>,
    pub(crate) ipsets: BTreeMap<String, IpSet>,
    pub(crate) groups: BTreeMap<String, Group>,
}

fn rule(words: &[(&str, &str)]) -> FirewallRule {
    words
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

impl Firewall {
    /// What is there before anybody changes anything.
    fn seeded(scope: &Scope) -> Self {
        let mut all = Self::default();
        let ssh = [
            ("type", "in"),
            ("action", "ACCEPT"),
            ("enable", "1"),
            ("macro", "SSH"),
        ];
        match scope {
            Scope::Cluster => {
                all.options.insert("enable".to_owned(), "0".to_owned());
                let mut first = rule(&ssh);
                first.insert("source".to_owned(), "10.10.0.0/24".to_owned());
                first.insert("comment".to_owned(), "administration".to_owned());
                all.rules.push(first);
                all.rules
                    .push(rule(&[("type", "in"), ("action", "DROP"), ("enable", "0")]));
                let web = [
                    ("type", "in"),
                    ("action", "ACCEPT"),
                    ("proto", "tcp"),
                    ("dport", "80,443"),
                    ("enable", "1"),
                ];
                all.groups.insert(
                    "webserver".to_owned(),
                    Group {
                        comment: Some("HTTP and HTTPS from everywhere".to_owned()),
                        rules: vec![rule(&web)],
                    },
                );
            }
            Scope::Node(_) => {}
            Scope::Guest(_) => all.rules.push(rule(&ssh)),
        }
        all
    }
}

impl World {
    /// A configuration to read.
    pub(crate) fn firewall(&self, scope: &Scope) -> Firewall {
        self.firewalls
            .get(scope)
            .cloned()
            .unwrap_or_else(|| Firewall::seeded(scope))
    }

    /// A configuration to change.
    pub(crate) fn firewall_mut(&mut self, scope: &Scope) -> &mut Firewall {
        self.firewalls
            .entry(scope.clone())
            .or_insert_with(|| Firewall::seeded(scope))
    }

    /// A copied guest takes its firewall along.
    pub(crate) fn copy_firewall(&mut self, from: u32, to: u32) {
        if let Some(own) = self.firewalls.get(&Scope::Guest(from)).cloned() {
            self.firewalls.insert(Scope::Guest(to), own);
        }
    }
}
