//! `[acting]` and `[quotas.NAME]`: what actions ask for, warn of and refuse.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{problem::advice, reader::Reader};
use crate::{
    actions::deed::{DEEDS, Danger, Deed},
    domain::{
        ClusterId,
        quota::{Quota, Resource, Scope},
    },
};

/// All keys of `[acting]`.
pub(super) const ACTING_KEYS: &[&str] = &["production_tags", "backup_age", "at_once", "confirm"];
/// All keys of `[quotas.NAME]`.
pub(super) const QUOTA_KEYS: &[&str] = &["cluster", "pool", "tag", "guests", "cores", "memory", "disk"];

/// Bytes in the unit of quotas.
const GIB: u64 = 1 << 30;

/// What the configuration says about acting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acting {
    /// Guests with one of these tags are production.
    pub production_tags: Vec<String>,
    /// Hours after which a last backup is too old where something may be lost.
    pub backup_age: u64,
    /// Steps of a plan that are under way at a time.
    pub at_once: u64,
    /// What actions take beyond what the table says: only ever more.
    pub confirm: BTreeMap<Deed, Danger>,
}

impl Default for Acting {
    fn default() -> Self {
        Self {
            production_tags: vec!["prod".to_owned(), "production".to_owned()],
            backup_age: 48,
            at_once: 1,
            confirm: BTreeMap::new(),
        }
    }
}

impl Acting {
    /// Lets what the table says override this.
    pub(super) fn overlay(&mut self, reader: &mut Reader<'_>, table: &DeTable<'_>) {
        reader.only("acting", table, ACTING_KEYS);
        if let Some(tags) = reader.strings(table, "production_tags") {
            self.production_tags = tags.value.into_iter().map(|tag| tag.value).collect();
        }
        if let Some(hours) = reader.integer(table, "backup_age", 1..=8760) {
            self.backup_age = hours;
        }
        if let Some(steps) = reader.integer(table, "at_once", 1..=20) {
            self.at_once = steps;
        }
        let Some(confirm) = reader.table(table, "confirm") else {
            return;
        };
        for key in confirm.keys() {
            let (span, name) = (key.span(), key.get_ref().as_ref());
            let Some(row) = DEEDS.iter().find(|row| row.action.name == name) else {
                let hint = advice(name, DEEDS.iter().map(|row| row.action.name));
                reader.complain(&span, format!("there is no action `{name}`: {hint}"));
                continue;
            };
            let Some(wanted) = reader.string(confirm, name) else {
                continue;
            };
            let level = match wanted.value.as_str() {
                "none" => Danger::None,
                "yes" => Danger::Confirm,
                "name" => Danger::TypeName,
                other => {
                    reader.complain(
                        &wanted.span,
                        format!("`{name}` asks for none, yes or name, not \"{other}\""),
                    );
                    continue;
                }
            };
            if level < row.danger {
                reader.complain(
                    &wanted.span,
                    format!("`{name}` asks for \"{}\" at least", word(row.danger)),
                );
                continue;
            }
            // A file can only add to what the ones before it ask for.
            let known = self.confirm.entry(row.deed).or_insert(level);
            *known = level.max(*known);
        }
    }
}

/// The word of a level in the file.
fn word(level: Danger) -> &'static str {
    match level {
        Danger::None => "none",
        Danger::Confirm => "yes",
        Danger::TypeName => "name",
    }
}

/// Reads `[quotas.NAME]`. A quota of a later file takes the place of one of the same name.
pub(super) fn quotas(reader: &mut Reader<'_>, table: &DeTable<'_>, into: &mut Vec<Quota>) {
    for key in table.keys() {
        let (span, name) = (key.span(), key.get_ref().as_ref());
        let Some(quota) = reader.table(table, name) else {
            continue;
        };
        reader.only(&format!("quotas.{name}"), quota, QUOTA_KEYS);
        let text = |reader: &mut Reader<'_>, key: &str| reader.string(quota, key).map(|found| found.value);
        let (pool, tag) = (text(reader, "pool"), text(reader, "tag"));
        let cluster = text(reader, "cluster").map(ClusterId::from);
        let scope = match (pool, tag) {
            (Some(_), Some(_)) => {
                reader.complain(
                    &span,
                    format!("[quotas.{name}] counts a pool or a tag: use one of `pool` and `tag`"),
                );
                continue;
            }
            (None, Some(tag)) => Scope::Tag(tag),
            (Some(pool), None) => Scope::Pool(pool),
            (None, None) => Scope::Pool(name.to_owned()),
        };
        let mut limits = Vec::new();
        for resource in Resource::ALL {
            let unit = match resource {
                Resource::Memory | Resource::Disk => GIB,
                Resource::Guests | Resource::Cores => 1,
            };
            let limit = reader.integer(quota, resource.as_str(), 0..=10_000_000);
            limits.extend(limit.map(|limit| (resource, limit.saturating_mul(unit))));
        }
        if limits.is_empty() {
            reader.complain(
                &span,
                format!("[quotas.{name}] limits nothing: set guests, cores, memory or disk"),
            );
            continue;
        }
        into.retain(|known| known.name != name);
        into.push(Quota {
            name: name.to_owned(),
            cluster,
            scope,
            limits,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{REFERENCE, Settings, tests::home};
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        let (_dir, places) = home(&[("user/config.toml", text, 0o600)]);
        Settings::load(&places, None).map_err(|error| error.to_string())
    }

    #[test]
    fn the_reference_shows_the_defaults_and_valid_examples() {
        let from = REFERENCE.find("[acting]").unwrap();
        let shown: String = REFERENCE[from..]
            .lines()
            .map(|line| {
                line.strip_prefix('#')
                    .filter(|rest| !rest.starts_with(' '))
                    .unwrap_or(line)
            })
            .filter(|line| !line.starts_with("tag = ") && !line.starts_with('#'))
            .flat_map(|line| [line, "\n"])
            .collect();
        let settings = read(&shown).unwrap();
        let defaults = Acting::default();
        assert_eq!(settings.acting.production_tags, defaults.production_tags);
        assert_eq!(settings.acting.backup_age, defaults.backup_age);
        assert_eq!(settings.acting.at_once, defaults.at_once);
        assert_eq!(settings.acting.confirm[&Deed::GuestStart], Danger::Confirm);
        let quota = &settings.quotas[0];
        assert_eq!(
            (quota.name.as_str(), &quota.scope),
            ("acme", &Scope::Pool("acme".to_owned()))
        );
        assert_eq!(
            quota.limits,
            [
                (Resource::Guests, 10),
                (Resource::Cores, 40),
                (Resource::Memory, 128 << 30),
                (Resource::Disk, 2000 << 30)
            ]
        );
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, complaint) in [
            (
                "[acting]\nconfirm = { \"guest.stop\" = \"none\" }",
                "config.toml:2:28: `guest.stop` asks for \"yes\" at least",
            ),
            (
                "[acting.confirm]\n\"guest.stop\" = \"always\"",
                "config.toml:2:16: `guest.stop` asks for none, yes or name, not \"always\"",
            ),
            (
                "[acting.confirm]\n\"guest.strat\" = \"yes\"",
                "config.toml:2:1: there is no action `guest.strat`: did you mean `guest.start`?",
            ),
            (
                "[acting]\nat_once = 0",
                "config.toml:2:11: `at_once` must be a whole number from 1 to 20",
            ),
            (
                "[quotas.a]\npool = \"x\"",
                "config.toml:1:9: [quotas.a] limits nothing",
            ),
            (
                "[quotas.a]\npool = \"x\"\ntag = \"y\"\ncores = 1",
                "config.toml:1:9: [quotas.a] counts a pool or a tag",
            ),
            (
                "[quotas.a]\ncore = 1",
                "config.toml:2:1: unknown key `core` in [quotas.a]: did you mean `cores`?",
            ),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(complaint), "{text}\n{said}");
        }
    }
}
