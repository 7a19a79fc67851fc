//! Help: what every key does, made from the action table, under headings. Typing searches it.

use crate::{
    actions::{self, DEEDS, Scope, deed::Object},
    ui::line::Line,
};

/// The open help.
#[derive(Debug)]
pub struct Help {
    /// What is searched for.
    pub line: Line,
    rows: Vec<HelpRow>,
    /// The first row in sight.
    pub offset: usize,
}

/// One line of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HelpRow {
    /// Keys, separated by blanks; empty if there is none.
    pub keys: String,
    /// The action's title.
    pub title: &'static str,
    /// Its stable name.
    pub name: &'static str,
    /// What it does.
    pub help: &'static str,
    /// The heading that it stands under.
    pub group: &'static str,
}

/// What is shown: a heading, or a row under it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown<'a> {
    /// A heading.
    Heading(&'static str),
    /// An action.
    Row(&'a HelpRow),
}

/// Where the keys of a scope mean something.
fn heading(scope: Scope) -> &'static str {
    match scope {
        Scope::List => "In lists",
        Scope::Text => "In pages and logs",
        Scope::Log => "In logs",
        Scope::Graph => "In graphs",
        Scope::Global => "Everywhere",
        Scope::Console => "In an open console",
    }
}

/// What deeds are done to.
fn deeds_on(object: Object) -> &'static str {
    match object {
        Object::Guest => "On guests: key of the menu, then the letter",
        Object::Node => "On nodes: key of the menu, then the letter",
        Object::Task => "On tasks: key of the menu, then the letter",
        Object::Datastore => "On datastores: key of the menu, then the letter",
        Object::ServerBackup => "On server backups: key of the menu, then the letter",
    }
}

impl Help {
    /// Opens it; `keys` tells the keys of an action, as the user's keymap has them.
    pub fn new(keys: impl Fn(crate::actions::Id) -> String) -> Self {
        let row = |action: &'static actions::Action, keys: String, group| HelpRow {
            keys,
            title: action.title,
            name: action.name,
            help: action.help,
            group,
        };
        let scopes = [
            Scope::Global,
            Scope::List,
            Scope::Text,
            Scope::Log,
            Scope::Graph,
            Scope::Console,
        ];
        let mut rows: Vec<HelpRow> = scopes
            .into_iter()
            .flat_map(|scope| {
                let of_scope = move |action: &&actions::Action| {
                    action.scope == scope && !matches!(action.id, actions::Id::Deed(_))
                };
                actions::all().filter(of_scope)
            })
            .map(|action| row(action, keys(action.id), heading(action.scope)))
            .collect();
        let menu = keys(actions::Id::MenuOpen);
        let menu = menu.split(' ').next().unwrap_or_default();
        let mut deeds: Vec<HelpRow> = DEEDS
            .iter()
            .map(|deed| {
                let own = keys(deed.action.id);
                let letter = deed.letter.map(|letter| format!("{menu} {letter}"));
                let both: Vec<String> = letter
                    .into_iter()
                    .chain((!own.is_empty()).then_some(own))
                    .collect();
                row(&deed.action, both.join(" "), deeds_on(deed.object))
            })
            .collect();
        // What stands together in the table need not be of one sort.
        deeds.sort_by_key(|row| row.group);
        rows.extend(deeds);
        Self {
            line: Line::default(),
            rows,
            offset: 0,
        }
    }

    /// The rows that contain what is typed, each group under its heading.
    pub fn shown(&self) -> Vec<Shown<'_>> {
        let wanted = self.line.text().trim().to_lowercase();
        let fits = |row: &&HelpRow| {
            wanted.is_empty()
                || [row.keys.as_str(), row.title, row.name, row.help]
                    .iter()
                    .any(|text| text.to_lowercase().contains(&wanted))
        };
        let mut shown = Vec::new();
        let mut group = "";
        for row in self.rows.iter().filter(fits) {
            if row.group != group {
                group = row.group;
                shown.push(Shown::Heading(group));
            }
            shown.push(Shown::Row(row));
        }
        shown
    }

    /// Scrolls.
    pub fn scroll(&mut self, lines: isize) {
        let last = self.shown().len().saturating_sub(1);
        self.offset = self.offset.saturating_add_signed(lines).min(last);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(help: &Help) -> Vec<&'static str> {
        let rows = help.shown().into_iter().filter_map(|shown| match shown {
            Shown::Row(row) => Some(row.name),
            Shown::Heading(_) => None,
        });
        rows.collect()
    }

    #[test]
    fn help_knows_every_action_once_and_no_other() {
        let help = Help::new(|id| id.action().keys.join(" "));
        let all: BTreeSet<&str> = actions::all().map(|action| action.name).collect();
        assert_eq!(names(&help).len(), all.len());
        assert_eq!(names(&help).into_iter().collect::<BTreeSet<_>>(), all);
    }

    #[test]
    fn each_group_has_one_heading() {
        let help = Help::new(|id| id.action().keys.join(" "));
        let headings: Vec<&str> = help
            .shown()
            .into_iter()
            .filter_map(|shown| match shown {
                Shown::Heading(heading) => Some(heading),
                Shown::Row(_) => None,
            })
            .collect();
        let different: BTreeSet<&&str> = headings.iter().collect();
        assert_eq!(headings.len(), different.len(), "{headings:?}");
        assert!(headings.len() >= 5, "{headings:?}");
    }

    #[test]
    fn help_searches_keys_and_words() {
        let mut help = Help::new(|id| id.action().keys.join(" "));
        help.line = Line::new("palette");
        assert!(names(&help).contains(&"palette.open"));
        assert!(names(&help).len() < actions::all().count());
        help.line = Line::new("guest.shutdown");
        assert!(matches!(help.shown()[1], Shown::Row(row) if row.keys == "s d"));
    }
}
