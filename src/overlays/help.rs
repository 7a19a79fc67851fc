//! Help: what every key does, made from the action table. Typing searches it.

use crate::{
    actions::{self, Scope},
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
    /// Where it means something.
    pub scope: Scope,
}

impl Help {
    /// Opens it; `keys` tells the keys of an action, as the user's keymap has them.
    pub fn new(keys: impl Fn(crate::actions::Id) -> String) -> Self {
        let rows = actions::all()
            .map(|action| HelpRow {
                keys: keys(action.id),
                title: action.title,
                name: action.name,
                help: action.help,
                scope: action.scope,
            })
            .collect();
        Self {
            line: Line::default(),
            rows,
            offset: 0,
        }
    }

    /// The rows that contain what is typed.
    pub fn shown(&self) -> Vec<&HelpRow> {
        let wanted = self.line.text().trim().to_lowercase();
        self.rows
            .iter()
            .filter(|row| {
                wanted.is_empty()
                    || [row.keys.as_str(), row.title, row.name, row.help]
                        .iter()
                        .any(|text| text.to_lowercase().contains(&wanted))
            })
            .collect()
    }

    /// Scrolls.
    pub fn scroll(&mut self, lines: isize) {
        let last = self.shown().len().saturating_sub(1);
        self.offset = self.offset.saturating_add_signed(lines).min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_searches_keys_and_words() {
        let mut help = Help::new(|id| id.action().keys.join(" "));
        assert_eq!(help.shown().len(), actions::all().count());
        help.line = Line::new("palette");
        assert!(help.shown().iter().any(|row| row.name == "palette.open"));
        assert!(help.shown().len() < actions::all().count());
    }
}
