//! The one table of actions: keys, palette, footer, help and `pvedeck keys` all come from it.
//!
//! What always holds here:
//! - Nothing in the program knows an action, or a default key, that [`all`] does not list: the console's own actions
//!   (`table.rs`), then the deeds, which change the world (`deed.rs`).
//! - Names are noun-verb and stable: keymaps and scripts use them.
//! - Whether an action is possible is decided here, with the reason ([`availability`]), never where keys are read.

mod availability;
pub mod deed;
mod place;
mod table;

pub use availability::{Reason, Target, availability};
pub use deed::{DEEDS, Deed};
pub use place::Place;
pub use table::{Action, Id, Scope};

/// Every action, in the order of help and palette: the console's own, then the deeds.
pub fn all() -> impl Iterator<Item = &'static Action> {
    let console = table::CONSOLE.iter().map(|id| id.action());
    console.chain(DEEDS.iter().map(|row| &row.action))
}

impl Id {
    /// The action of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        all().find(|action| action.name == name).map(|action| action.id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_action_finds_itself() {
        for action in all() {
            assert_eq!(action.id.action().name, action.name);
            assert_eq!(Id::from_name(action.name), Some(action.id));
            assert!(action.name.contains('.'), "{} is not noun-verb", action.name);
            assert!(
                !action.help.is_empty() && action.help.ends_with('.'),
                "{}: help is a sentence",
                action.name
            );
        }
    }

    #[test]
    fn no_default_key_means_two_things_at_once() {
        let mut seen: BTreeMap<(&str, Scope), &str> = BTreeMap::new();
        for action in all() {
            for key in action.keys {
                if let Some(other) = seen.insert((key, action.scope), action.name) {
                    panic!("{key} is both {other} and {}", action.name);
                }
            }
        }
    }
}
