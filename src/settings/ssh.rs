//! `[ssh]`: which program gets the terminal for a node or a guest, and as whom it goes there.
//!
//! What always holds here:
//! - The program is an argument vector; no shell ever sees it.
//! - What goes into a placeholder cannot be taken for an option, nor for two words: anything but plain letters is
//!   refused, and so is what begins with `-`.

use toml::de::DeTable;

use super::{problem::advice, reader::Reader};

/// All keys of `[ssh]`.
pub(super) const SSH_KEYS: &[&str] = &["command", "user", "guest_user"];

/// What can stand in braces.
const PLACEHOLDERS: [&str; 5] = ["address", "name", "node", "vmid", "user"];

/// What the configuration says about SSH.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ssh {
    /// The program and its arguments, with placeholders.
    pub command: Vec<String>,
    /// Whether a file names the command; if not, it is the one that is built in.
    pub configured: bool,
    /// Who one is on a node.
    pub user: String,
    /// Who one is on a guest; the user of its cloud-init, or else `root`, if nothing is said.
    pub guest_user: Option<String>,
}

impl Default for Ssh {
    fn default() -> Self {
        Self {
            command: vec!["ssh".to_owned(), "{user}@{address}".to_owned()],
            configured: false,
            user: "root".to_owned(),
            guest_user: None,
        }
    }
}

/// What goes into the placeholders. All of it may be foreign.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Whereto {
    /// `{address}`
    pub address: Option<String>,
    /// `{name}`: of the guest, or of the node.
    pub name: String,
    /// `{node}`
    pub node: String,
    /// `{vmid}`; a node has none.
    pub vmid: Option<String>,
    /// `{user}`
    pub user: String,
}

impl Ssh {
    /// Lets what the table says override this.
    pub(super) fn overlay(&mut self, reader: &mut Reader<'_>, table: &DeTable<'_>) {
        reader.only("ssh", table, SSH_KEYS);
        if let Some(command) = reader.strings(table, "command") {
            for (index, word) in command.value.iter().enumerate() {
                for name in braced(&word.value) {
                    if index == 0 {
                        reader.complain(&word.span, "the program of `command` has no placeholders");
                    } else if !PLACEHOLDERS.contains(&name) {
                        let hint = advice(name, PLACEHOLDERS);
                        reader.complain(&word.span, format!("there is no placeholder {{{name}}}: {hint}"));
                    }
                }
            }
            self.command = command.value.into_iter().map(|word| word.value).collect();
            self.configured = true;
        }
        for (key, guest) in [("user", false), ("guest_user", true)] {
            let Some(user) = reader.string(table, key) else {
                continue;
            };
            if let Err(why) = plain(key, &user.value) {
                reader.complain(&user.span, why);
            } else if guest {
                self.guest_user = Some(user.value);
            } else {
                self.user = user.value;
            }
        }
    }

    /// Whether the command has this placeholder.
    pub fn asks_for(&self, placeholder: &str) -> bool {
        self.command
            .iter()
            .any(|word| braced(word).any(|name| name == placeholder))
    }

    /// The program and its arguments.
    ///
    /// # Errors
    /// What of the object cannot be part of it, and why.
    pub fn arguments(&self, to: &Whereto) -> Result<Vec<String>, String> {
        self.command.iter().map(|word| filled(word, to)).collect()
    }
}

/// The names that stand in braces.
fn braced(word: &str) -> impl Iterator<Item = &str> {
    word.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn filled(word: &str, to: &Whereto) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = word;
    while let Some((before, (name, after))) = rest
        .split_once('{')
        .and_then(|(before, inside)| Some((before, inside.split_once('}')?)))
    {
        let value = match name {
            "address" => to.address.as_deref().ok_or("no address of it is known")?,
            "name" => &to.name,
            "node" => &to.node,
            "vmid" => to
                .vmid
                .as_deref()
                .ok_or("a node has no VMID, which `[ssh] command` asks for")?,
            _ => &to.user,
        };
        plain(name, value)?;
        text.extend([before, value]);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// Whether a text can be part of an argument without meaning anything else.
fn plain(what: &str, value: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || "._-:".contains(c);
    if value.is_empty() {
        Err(format!("its {what} is empty"))
    } else if value.starts_with('-') {
        Err(format!(
            "its {what} begins with `-`, which a program would take for an option"
        ))
    } else if !value.chars().all(letter) {
        Err(format!(
            "its {what} has characters that do not belong into an address"
        ))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest() -> Whereto {
        Whereto {
            address: Some("192.0.2.7".to_owned()),
            name: "web-01".to_owned(),
            node: "pve1".to_owned(),
            vmid: Some("104".to_owned()),
            user: "root".to_owned(),
        }
    }

    fn with(command: &[&str]) -> Ssh {
        Ssh {
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            ..Ssh::default()
        }
    }

    #[test]
    fn each_placeholder_stays_inside_its_word() {
        assert_eq!(
            Ssh::default().arguments(&guest()).unwrap(),
            ["ssh", "root@192.0.2.7"]
        );
        let all = with(&["mosh", "-p", "{vmid}", "{name}.{node}.lab", "{", "}x{"]);
        assert_eq!(
            all.arguments(&guest()).unwrap(),
            ["mosh", "-p", "104", "web-01.pve1.lab", "{", "}x{"]
        );
        assert!(all.asks_for("vmid") && !all.asks_for("address"));
    }

    #[test]
    fn nothing_foreign_becomes_an_option_or_a_second_word() {
        for evil in [
            "-oProxyCommand=x",
            "a b",
            "a;b",
            "$(x)",
            "a\nb",
            "",
            "a{user}",
            "%h",
        ] {
            let name = Whereto {
                name: evil.to_owned(),
                ..guest()
            };
            assert!(with(&["ssh", "{name}"]).arguments(&name).is_err(), "{evil:?}");
            let user = Whereto {
                user: evil.to_owned(),
                ..guest()
            };
            assert!(Ssh::default().arguments(&user).is_err(), "{evil:?}");
        }
        let unknown = Whereto {
            address: None,
            ..guest()
        };
        assert!(
            Ssh::default()
                .arguments(&unknown)
                .unwrap_err()
                .contains("no address")
        );
    }
}
