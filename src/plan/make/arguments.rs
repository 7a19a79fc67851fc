//! Whether the arguments fit the deed, as far as that shows without looking at a target.

use super::super::{Argument, Arguments, Deed, Kind, Refusal};

/// Longest name of a snapshot that the server takes.
const SNAPSHOT_NAME: usize = 40;
/// Longest notes that the server takes, in bytes.
const NOTES: usize = 8192;

/// Checks names, values and what is missing.
pub(super) fn check(deed: Deed, given: &Arguments) -> Result<(), Refusal> {
    let row = deed.row();
    for (name, value) in given {
        let Some(argument) = row.arguments.iter().find(|known| known.name == name) else {
            let known: Vec<&str> = row.arguments.iter().map(|known| known.name).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            return Err(Refusal::Argument(format!(
                "{} has no argument `{name}`; it has: {known}",
                deed.name()
            )));
        };
        if let Err(fault) = value_fits(argument, value) {
            return Err(Refusal::Argument(format!("`{name}` {fault}, not `{value}`")));
        }
    }
    match row
        .arguments
        .iter()
        .find(|known| known.required && given.get(known.name).is_none_or(String::is_empty))
    {
        Some(missing) => Err(Refusal::Argument(format!(
            "{} needs `{}`: {}",
            deed.name(),
            missing.name,
            missing.help
        ))),
        None => Ok(()),
    }
}

/// Whether a value fits its argument, as far as that shows without looking at a target.
///
/// # Errors
/// What it should be, as words behind the name.
pub fn value_fits(argument: &Argument, value: &str) -> Result<(), String> {
    match argument.kind {
        Kind::Flag if !matches!(value, "0" | "1") => Err("is 0 or 1".to_owned()),
        Kind::Number(least, most) => match value.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(()),
            _ => Err(format!("is a whole number from {least} to {most}")),
        },
        Kind::NewVmid => match value.parse::<u32>() {
            Ok(100..=999_999_999) => Ok(()),
            _ => Err("is a VMID from 100 to 999999999".to_owned()),
        },
        Kind::Choice(words) if !words.contains(&value) => Err(format!("is one of {}", words.join(", "))),
        Kind::NewSnapshot => snapshot_name(value),
        Kind::Size => size(value),
        Kind::Name => name(value),
        Kind::Tags => tags(value),
        Kind::Lines if value.len() > NOTES => Err(format!("has at most {NOTES} bytes")),
        Kind::Lines if value.contains('\0') => Err("is text".to_owned()),
        Kind::Lines => Ok(()),
        _ if value.contains(['\n', '\r', '\0']) => Err("is one line".to_owned()),
        _ => Ok(()),
    }
}

/// The server's rule for names of snapshots.
fn snapshot_name(name: &str) -> Result<(), String> {
    let fits = name.len() >= 2
        && name.len() <= SNAPSHOT_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if !fits {
        return Err(format!(
            "begins with a letter and has 2 to {SNAPSHOT_NAME} letters, digits, `-` or `_`"
        ));
    }
    if name == "current" {
        return Err("cannot be the name of the present state".to_owned());
    }
    Ok(())
}

/// The server's rule for names of guests: labels of DNS with dots between.
fn name(name: &str) -> Result<(), String> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= 255 && name.split('.').all(label) {
        Ok(())
    } else {
        Err("is a DNS name: letters, digits and `-`, with dots between its parts".to_owned())
    }
}

/// The server's rule for tags.
fn tags(value: &str) -> Result<(), String> {
    let fits = |tag: &str| {
        tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && tag
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.'))
    };
    if split_tags(value).all(fits) {
        Ok(())
    } else {
        Err("is tags with commas between: each has letters, digits, `_`, `-`, `+` and `.`, and begins with a letter, digit or `_`"
            .to_owned())
    }
}

/// The tags of a list. The server takes these separators too.
pub(super) fn split_tags(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', ';', ' ']).filter(|tag| !tag.is_empty())
}

/// `32G`, `+10G`, `512M`; the server's pattern is `\+?\d+(\.\d+)?[KMGT]?`.
fn size(text: &str) -> Result<(), String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digits = digits.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(digits);
    let fits = !digits.is_empty()
        && digits
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        && digits.matches('.').count() <= 1;
    if fits {
        Ok(())
    } else {
        Err("is a size such as 32G, or +10G for that much more".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tags_are_the_servers() {
        for fits in ["web-01", "a", "web.example.com", "9lives"] {
            assert_eq!(name(fits), Ok(()), "{fits}");
        }
        for wrong in ["", "-web", "web-", "web_01", "a..b", "wéb", "a b"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        for fits in ["", "prod", "prod,web", "a;b c", "_x,9+1.2-3"] {
            assert_eq!(tags(fits), Ok(()), "{fits}");
        }
        for wrong in ["-prod", "prod,we/b", "ü", "a=b"] {
            assert!(tags(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_the_servers() {
        for fits in ["32G", "+10G", "512M", "1.5T", "1024"] {
            assert_eq!(size(fits), Ok(()), "{fits}");
        }
        for wrong in ["", "+", "G", "-1G", "1,5G", "10GB", "1.G", "1.2.3G", "ten"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
