//! Typed reading of one TOML file. Every look-up knows its place, so each complaint has a line and a column, and
//! all complaints of a file are collected before anybody gives up.

use std::{ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::problem::{Problem, advice};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// One file being read.
pub(super) struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Parses the file. A file that is no TOML leaves its complaint in `problems` and no table.
    pub(super) fn parse(file: &'a Path, text: &'a str) -> (Self, Option<DeTable<'a>>) {
        match DeTable::parse(text) {
            Ok(table) => (
                Self {
                    file,
                    text,
                    problems: Vec::new(),
                },
                Some(table.into_inner()),
            ),
            Err(error) => (
                Self {
                    file,
                    text,
                    problems: vec![Problem::syntax(file, text, &error)],
                },
                None,
            ),
        }
    }

    /// Notes a complaint about a place.
    pub(super) fn complain(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.problems
            .push(Problem::at(self.file, self.text, span, message));
    }

    /// The problem that a later stage would have with a place.
    pub(super) fn problem(&self, span: &Range<usize>, message: impl Into<String>) -> Problem {
        Problem::at(self.file, self.text, span, message)
    }

    /// Complains about every key of the table that is not in `allowed`.
    pub(super) fn only(&mut self, section: &str, table: &DeTable<'_>, allowed: &[&str]) {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !allowed.contains(&name) {
                let inside = if section.is_empty() {
                    String::new()
                } else {
                    format!(" in [{section}]")
                };
                let hint = advice(name, allowed.iter().copied());
                self.complain(&key.span(), format!("unknown key `{name}`{inside}: {hint}"));
            }
        }
    }

    /// A value of the wanted kind, or a complaint that says which kind is wanted.
    fn get<'t, 'v, T>(
        &mut self,
        table: &'t DeTable<'v>,
        key: &str,
        wanted: &str,
        convert: impl FnOnce(&'t DeValue<'v>) -> Option<T>,
    ) -> Option<Found<T>> {
        let found: &'t Spanned<DeValue<'v>> = table.get(key)?;
        let span = found.span();
        let value = convert(found.get_ref());
        if value.is_none() {
            let given = found.get_ref().type_str();
            self.complain(&span, format!("`{key}` must be {wanted}, not {given}"));
        }
        value.map(|value| Found { value, span })
    }

    pub(super) fn table<'t, 'v>(&mut self, table: &'t DeTable<'v>, key: &str) -> Option<&'t DeTable<'v>> {
        let found = table.get(key)?;
        let inner = found.get_ref().as_table();
        if inner.is_none() {
            let given = found.get_ref().type_str();
            self.complain(
                &found.span(),
                format!("`{key}` must be a table, [{key}], not {given}"),
            );
        }
        inner
    }

    /// The tables of a list of tables; a single table is a list of one.
    pub(super) fn tables<'t, 'v>(
        &mut self,
        table: &'t DeTable<'v>,
        key: &str,
    ) -> Vec<(&'t DeTable<'v>, Range<usize>)> {
        let Some(found) = table.get(key) else {
            return Vec::new();
        };
        if let Some(inner) = found.get_ref().as_table() {
            return vec![(inner, found.span())];
        }
        let Some(list) = found.get_ref().as_array() else {
            let given = found.get_ref().type_str();
            self.complain(
                &found.span(),
                format!("`{key}` must be a table or a list of tables, [[{key}]], not {given}"),
            );
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in list {
            if let Some(inner) = item.get_ref().as_table() {
                tables.push((inner, item.span()));
            } else {
                let given = item.get_ref().type_str();
                self.complain(
                    &item.span(),
                    format!("`{key}` must hold tables only, not {given}"),
                );
            }
        }
        tables
    }

    pub(super) fn string(&mut self, table: &DeTable<'_>, key: &str) -> Option<Found<String>> {
        let found = self.get(table, key, "text in quotes", DeValue::as_str)?;
        if found.value.trim().is_empty() {
            self.complain(
                &found.span,
                format!("`{key}` is empty; leave the line out instead"),
            );
            return None;
        }
        Some(Found {
            value: found.value.to_owned(),
            span: found.span,
        })
    }

    pub(super) fn boolean(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        self.get(table, key, "true or false", DeValue::as_bool)
            .map(|found| found.value)
    }

    /// An integer from `range`.
    pub(super) fn integer(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let found = self.get(table, key, &wanted, DeValue::as_integer)?;
        // Underscores are the parser's business and are gone already.
        match u64::from_str_radix(found.value.as_str(), found.value.radix()) {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                self.complain(
                    &found.span,
                    format!("`{key}` must be {wanted}, not {}", found.value),
                );
                None
            }
        }
    }

    /// A list of texts, each with its place.
    pub(super) fn strings(&mut self, table: &DeTable<'_>, key: &str) -> Option<Found<Vec<Found<String>>>> {
        let list = self.get(table, key, "a list of texts, [\"…\", \"…\"]", DeValue::as_array)?;
        let mut all = Vec::new();
        for item in list.value {
            if let Some(text) = item.get_ref().as_str() {
                all.push(Found {
                    value: text.to_owned(),
                    span: item.span(),
                });
            } else {
                let given = item.get_ref().type_str();
                self.complain(&item.span(), format!("`{key}` must hold texts only, not {given}"));
            }
        }
        if list.value.is_empty() {
            self.complain(
                &list.span,
                format!("`{key}` is empty; leave the line out instead"),
            );
            return None;
        }
        Some(Found {
            value: all,
            span: list.span,
        })
    }
}
