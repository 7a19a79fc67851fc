//! Which key does what: the defaults of the action table, overlaid with the user's `keymap.toml`.
//!
//! What always holds here: a key does one thing in one scope, and every complaint names line and column.

use std::{collections::BTreeMap, path::Path};

use toml::de::{DeTable, DeValue};

use super::{
    chord::KeyChord,
    places::Places,
    problem::{Problem, advice},
    reader::Reader,
    secret::{cannot_read, read_text},
};
use crate::actions::{self, Action, Id, Scope};

/// The word that takes a key away.
const NOTHING: &str = "none";

const SCOPES: [Scope; 6] = [
    Scope::Global,
    Scope::List,
    Scope::Text,
    Scope::Log,
    Scope::Graph,
    Scope::Console,
];

/// Which key does what, by scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keymap {
    bindings: BTreeMap<(Scope, KeyChord), Id>,
}

impl Default for Keymap {
    /// The keys of the action table.
    fn default() -> Self {
        let mut bindings = BTreeMap::new();
        for action in actions::all() {
            // That each default is a key is a test's business; a user could do nothing about it.
            for chord in action.keys.iter().filter_map(|key| key.parse().ok()) {
                bindings.insert((action.scope, chord), action.id);
            }
        }
        Self { bindings }
    }
}

/// One line of a keymap file: the key, and what it does or that it does nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Override {
    /// Where; `None` for the action's own scope, or every scope if the key is taken away.
    scope: Option<Scope>,
    chord: KeyChord,
    action: Option<Id>,
}

impl Keymap {
    /// The defaults with the keymap files of the machine and the user over them, and what is wrong in those. A
    /// file with a mistake counts for nothing: half a keymap would surprise more than none.
    pub fn load(places: &Places) -> (Self, Vec<Problem>) {
        let mut keymap = Self::default();
        let mut problems = Vec::new();
        for path in places.candidates("keymap.toml").into_iter().rev() {
            match read_text(&path) {
                Ok((text, _)) => match parse(&path, &text) {
                    Ok(overrides) => keymap.overlay(&overrides),
                    Err(mut more) => problems.append(&mut more),
                },
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => problems.push(Problem::whole(path.display(), cannot_read(&error))),
            }
        }
        (keymap, problems)
    }

    fn overlay(&mut self, overrides: &[Override]) {
        for Override { scope, chord, action } in overrides {
            match action {
                Some(id) => {
                    let own = id.action().scope;
                    if scope.is_none() {
                        // What the user writes wins wherever the action means something, so nothing further in
                        // may keep the key.
                        self.bindings.retain(|(bound_in, bound), _| {
                            bound != chord || !bound_in.chain().contains(&own)
                        });
                    }
                    self.bindings.insert((scope.unwrap_or(own), *chord), *id);
                }
                None => self.bindings.retain(|(bound_in, bound), _| {
                    bound != chord || scope.is_some_and(|scope| scope != *bound_in)
                }),
            }
        }
    }

    /// What a key does in a pane of the scope: the innermost binding counts.
    pub fn action(&self, scope: Scope, chord: KeyChord) -> Option<Id> {
        scope
            .chain()
            .iter()
            .find_map(|scope| self.bindings.get(&(*scope, chord)).copied())
    }

    /// The keys of an action: those of the table that still hold in their order, then the user's.
    pub fn keys(&self, id: Id) -> Vec<KeyChord> {
        let action = id.action();
        let mut keys: Vec<KeyChord> = self
            .bindings
            .iter()
            .filter(|(_, bound)| **bound == id)
            .map(|((_, chord), _)| *chord)
            .collect();
        keys.sort();
        keys.dedup();
        let rank = |chord: &KeyChord| {
            let default = |key: &&str| key.parse() == Ok(*chord);
            action.keys.iter().position(default).unwrap_or(usize::MAX)
        };
        keys.sort_by_key(rank);
        keys
    }
}

/// The commented reference of all keys: `config/keymap.toml`, made from the action table.
pub fn reference() -> String {
    let mut text = String::from(
        "# Which key does what. Every line shows a default; `pvedeck keys` lists what holds with your changes.\n\
         # Your own file is ~/.config/pvedeck/keymap.toml (or /etc/pvedeck/keymap.toml for the whole machine).\n\
         #\n\
         # [keys] binds a key wherever its action means something:\n\
         #\n\
         #   [keys]\n\
         #   \"ctrl-k\" = \"palette.open\"\n\
         #   \"q\" = \"none\"               # takes the key away\n\
         #\n\
         # [keys.global], [keys.list], [keys.text], [keys.log] and [keys.graph] bind it there only; the innermost counts.\n\
         # In an open console only [keys.console] counts: every other key is the guest's.\n\
         # A key is a character (G is Shift and g) or one of: space enter esc tab backspace delete insert home end\n\
         # pageup pagedown up down left right minus f1 to f24, with ctrl-, alt-, shift- in front.\n",
    );
    for scope in SCOPES {
        text.extend(["\n[keys.", scope.as_str(), "]\n"]);
        for action in actions::all().filter(|action| action.scope == scope) {
            text.extend(["# ", action.name, ": ", action.help, "\n"]);
            for key in action.keys {
                let key = toml::Value::from(*key).to_string();
                text.extend(["#", &key, " = \"", action.name, "\"\n"]);
            }
        }
    }
    text
}

/// Parses a keymap file.
///
/// # Errors
/// All that is wrong in it, with line and column.
fn parse(file: &Path, text: &str) -> Result<Vec<Override>, Vec<Problem>> {
    let (mut reader, table) = Reader::parse(file, text);
    let Some(table) = table else {
        return Err(reader.problems);
    };
    reader.only("", &table, &["keys"]);
    let mut overrides = Vec::new();
    if let Some(keys) = reader.table(&table, "keys") {
        section(&mut reader, None, keys, &mut overrides);
        for (name, value) in keys {
            let DeValue::Table(inner) = value.get_ref() else {
                continue;
            };
            if let Some(scope) = SCOPES.into_iter().find(|scope| scope.as_str() == name.get_ref()) {
                section(&mut reader, Some(scope), inner, &mut overrides);
            } else {
                let hint = advice(name.get_ref(), SCOPES.into_iter().map(Scope::as_str));
                reader.complain(
                    &name.span(),
                    format!("there is no scope `{}`: {hint}", name.get_ref()),
                );
            }
        }
    }
    if reader.problems.is_empty() {
        Ok(overrides)
    } else {
        Err(reader.problems)
    }
}

/// Reads the lines of `[keys]` or `[keys.SCOPE]`.
fn section(
    reader: &mut Reader<'_>,
    scope: Option<Scope>,
    table: &DeTable<'_>,
    overrides: &mut Vec<Override>,
) {
    let mut lines: Vec<_> = table
        .iter()
        .filter(|(_, value)| !value.get_ref().is_table())
        .collect();
    lines.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in lines {
        let chord = match key.get_ref().parse::<KeyChord>() {
            Ok(chord) => chord,
            Err(error) => {
                reader.complain(&key.span(), error);
                continue;
            }
        };
        let Some(name) = reader.string(table, key.get_ref()) else {
            continue;
        };
        let action = match Id::from_name(&name.value) {
            Some(id) => Some(id),
            None if name.value == NOTHING => None,
            None => {
                let hint = advice(
                    &name.value,
                    actions::all().map(|action| action.name).chain([NOTHING]),
                );
                let hint = if hint.len() > 200 {
                    "`pvedeck keys` lists all".to_owned()
                } else {
                    hint
                };
                reader.complain(
                    &value.span(),
                    format!("there is no action `{}`: {hint}", name.value),
                );
                continue;
            }
        };
        if let (Some(scope), Some(id)) = (scope, action)
            && !scope.chain().contains(&id.action().scope)
        {
            let Action { name, scope: own, .. } = id.action();
            let message = format!(
                "`{name}` means nothing in [keys.{}]; it belongs to [keys.{}]",
                scope.as_str(),
                own.as_str()
            );
            reader.complain(&value.span(), message);
            continue;
        }
        let line = Override { scope, chord, action };
        if overrides
            .iter()
            .any(|other| other.chord == chord && other.scope == scope)
        {
            reader.complain(&key.span(), format!("the key {chord} is given twice"));
            continue;
        }
        overrides.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "keymap.toml";

    fn chord(text: &str) -> KeyChord {
        text.parse().unwrap()
    }

    fn with(text: &str) -> Keymap {
        let mut keymap = Keymap::default();
        keymap.overlay(&parse(Path::new(FILE), text).unwrap());
        keymap
    }

    fn complaint(text: &str) -> String {
        parse(Path::new(FILE), text)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn every_default_is_a_key_in_its_normal_form_and_bound() {
        let keymap = Keymap::default();
        for action in actions::all() {
            for key in action.keys {
                assert_eq!(chord(key).to_string(), *key, "{}", action.name);
                assert_eq!(keymap.action(action.scope, chord(key)), Some(action.id), "{key}");
            }
            let keys: Vec<String> = keymap.keys(action.id).iter().map(ToString::to_string).collect();
            assert_eq!(keys, action.keys, "{}", action.name);
        }
    }

    #[test]
    fn the_shipped_file_is_the_table() {
        let shipped = include_str!("../../config/keymap.toml");
        assert!(
            shipped == reference(),
            "write it anew: cargo run -- config print keymap > config/keymap.toml"
        );
        let uncommented: String = shipped
            .lines()
            .map(|line| {
                line.strip_prefix('#')
                    .filter(|rest| rest.starts_with(['"', '\'']))
                    .unwrap_or(line)
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        assert_eq!(with(&uncommented), Keymap::default());
        assert_eq!(
            uncommented.matches(" = \"").count() - 2,
            actions::all().map(|a| a.keys.len()).sum::<usize>()
        );
    }

    #[test]
    fn what_the_user_binds_wins_everywhere() {
        let keymap = with("[keys]\nj = \"palette.open\"\n\"ctrl-k\" = \"list.down\"");
        assert_eq!(keymap.action(Scope::List, chord("j")), Some(Id::Palette));
        assert_eq!(keymap.action(Scope::Log, chord("j")), Some(Id::Palette));
        assert_eq!(keymap.action(Scope::List, chord("C-k")), Some(Id::ListDown));
        assert_eq!(keymap.action(Scope::Text, chord("ctrl-k")), None);
        assert_eq!(keymap.keys(Id::ListDown), [chord("down"), chord("ctrl-k")]);
    }

    #[test]
    fn a_scope_keeps_the_key_to_itself() {
        let keymap = with("[keys.list]\nx = \"app.quit\"\n\"/\" = \"none\"");
        assert_eq!(keymap.action(Scope::List, chord("x")), Some(Id::Quit));
        assert_eq!(keymap.action(Scope::Text, chord("x")), None);
        assert_eq!(keymap.action(Scope::List, chord("/")), None);
        assert_eq!(keymap.action(Scope::Text, chord("/")), Some(Id::TextFind));
        assert_eq!(
            with("[keys]\n\"/\" = \"none\"").action(Scope::Text, chord("/")),
            None
        );
    }

    #[test]
    fn mistakes_have_a_line_and_a_column() {
        for (text, said) in [
            (
                "[keys]\nx = \"palete.open\"",
                "keymap.toml:2:5: there is no action `palete.open`: did you mean `palette.open`?",
            ),
            (
                "[keys]\nx = \"zzzzzzzzzzzzzzzz\"",
                "keymap.toml:2:5: there is no action `zzzzzzzzzzzzzzzz`: `pvedeck keys` lists all",
            ),
            (
                "[keys]\n\"ctrl-p\" = \"app.quit\"\n  C-p = \"help.open\"",
                "keymap.toml:3:3: the key ctrl-p is given twice",
            ),
            (
                "[keys]\nstrg-p = \"app.quit\"",
                "keymap.toml:2:1: `strg` is no modifier",
            ),
            (
                "[keys.lists]\nx = \"app.quit\"",
                "keymap.toml:1:7: there is no scope `lists`: did you mean `list`?",
            ),
            (
                "[keys.text]\nx = \"list.open\"",
                "keymap.toml:2:5: `list.open` means nothing in [keys.text]",
            ),
            (
                "[keys]\nx = 5",
                "keymap.toml:2:5: `x` must be text in quotes, not integer",
            ),
            (
                "[keyz]\n",
                "keymap.toml:1:2: unknown key `keyz`: did you mean `keys`?",
            ),
            ("[keys]\nx = ", "keymap.toml:2:5: not valid TOML"),
            (
                "[keys]\nx = \"app.quit\"\nx = \"app.quit\"",
                "keymap.toml:3:1: not valid TOML: duplicate key",
            ),
        ] {
            let complaint = complaint(text);
            assert!(complaint.starts_with(said), "{text}: {complaint}");
        }
    }

    #[test]
    fn a_wrong_file_is_a_warning_and_counts_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places {
            system: dir.path().join("etc"),
            user: Some(dir.path().into()),
            state: None,
            home: None,
        };
        assert_eq!(Keymap::load(&places), (Keymap::default(), vec![]));
        std::fs::write(dir.path().join(FILE), "[keys]\nx = \"app.quit\"\ny = \"nope\"").unwrap();
        let (keymap, problems) = Keymap::load(&places);
        assert_eq!(keymap, Keymap::default());
        assert_eq!(problems.len(), 1);
    }
}
