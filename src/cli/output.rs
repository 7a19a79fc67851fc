//! Lists on stdout: aligned columns, JSON or CSV. stdout is data, so nothing else is printed there.
//!
//! What always holds here: text of others reaches a table or CSV only made harmless; JSON escapes what a terminal
//! would obey. Who stops reading (`| head`) ends the command quietly.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use super::args::Format;
use crate::{
    domain::{
        filter::{Filter, Key, Searchable},
        quantity::{Bytes, long_span, percent},
    },
    ui::safe::{clean, is_harmful, width},
};

/// How a column is shown to people. JSON and CSV always get the plain value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show {
    /// As it is.
    Text,
    /// A number, on the right.
    Number,
    /// A size.
    Bytes,
    /// A fraction as per cent.
    Percent,
    /// Seconds as a span of time.
    Span,
    /// Seconds since the epoch as a moment.
    Moment,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in JSON and CSV: stable, Proxmox's word.
    pub key: &'static str,
    /// Its title in tables; empty if tables leave it out.
    pub title: &'static str,
    /// How it is shown.
    pub show: Show,
    /// Only in wide tables.
    pub wide: bool,
}

impl Column {
    /// A column of all tables.
    pub const fn new(key: &'static str, title: &'static str, show: Show) -> Self {
        Self {
            key,
            title,
            show,
            wide: false,
        }
    }

    /// A column of wide tables.
    pub const fn wide(key: &'static str, title: &'static str, show: Show) -> Self {
        Self {
            key,
            title,
            show,
            wide: true,
        }
    }

    /// A column of JSON and CSV only.
    pub const fn data(key: &'static str) -> Self {
        Self {
            key,
            title: "",
            show: Show::Text,
            wide: false,
        }
    }
}

/// A list: each row has a value for each column.
#[derive(Clone, Debug)]
pub struct List {
    /// The columns.
    pub columns: &'static [Column],
    /// The rows.
    pub rows: Vec<Vec<Value>>,
}

/// One row with its columns, to be filtered or written.
#[derive(Clone, Copy)]
struct Record<'a> {
    columns: &'static [Column],
    values: &'a [Value],
}

impl Record<'_> {
    fn named(&self, key: &str) -> Option<&Value> {
        self.columns
            .iter()
            .zip(self.values)
            .find(|(column, _)| column.key == key)
            .map(|(_, value)| value)
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, value) in self.columns.iter().zip(self.values) {
            map.serialize_entry(column.key, value)?;
        }
        map.end()
    }
}

impl Searchable for Record<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        self.columns
            .iter()
            .zip(self.values)
            .any(|(column, value)| match (value, column.show) {
                (Value::String(text), _) => see(text),
                (Value::Array(all), _) => all.iter().filter_map(Value::as_str).any(&mut *see),
                // A guest's number is typed like a name; other figures are not what one searches for.
                (Value::Number(number), Show::Number) if column.key == "vmid" => see(&number.to_string()),
                _ => false,
            })
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let keys: &[&str] = match key {
            Key::Status => &["status", "severity"],
            Key::Node => &["node"],
            Key::Tag => &["tags"],
            Key::Pool => &["pool"],
            Key::Type => &["type", "plugintype", "kind"],
            Key::Cluster => &["cluster"],
            Key::Name => &["name", "storage", "node"],
            Key::User => &["user"],
        };
        let template = key == Key::Type && self.named("template") == Some(&Value::Bool(true));
        template && see("template")
            || keys
                .iter()
                .filter_map(|key| self.named(key))
                .any(|value| match value {
                    Value::String(text) => see(text),
                    Value::Array(all) => all.iter().filter_map(Value::as_str).any(&mut *see),
                    _ => false,
                })
    }
}

impl List {
    /// Leaves only the rows that pass.
    pub fn filter(&mut self, filter: &Filter) {
        let columns = self.columns;
        self.rows
            .retain(|values| filter.matches(&Record { columns, values }));
    }

    /// Writes the list to stdout.
    ///
    /// # Errors
    /// If stdout cannot be written to. A closed pipe is no error.
    pub fn print(&self, format: Format) -> io::Result<()> {
        let mut text = match format {
            Format::Json => self.json()?,
            Format::Csv => self.csv(),
            Format::Table => self.table(false),
            Format::Wide => self.table(true),
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        print(&text)
    }

    fn json(&self) -> io::Result<String> {
        let records: Vec<_> = self
            .rows
            .iter()
            .map(|values| Record {
                columns: self.columns,
                values,
            })
            .collect();
        let text = serde_json::to_string_pretty(&records)?;
        // JSON escapes C0 by itself; what else could drive or reorder a terminal is escaped here. Outside of
        // texts no such character occurs.
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            if c != '\n' && is_harmful(c) {
                escaped.extend(
                    c.encode_utf16(&mut [0; 2])
                        .iter()
                        .map(|unit| format!("\\u{unit:04x}")),
                );
            } else {
                escaped.push(c);
            }
        }
        Ok(escaped)
    }

    fn csv(&self) -> String {
        let mut text = String::new();
        line(
            &mut text,
            self.columns.iter().map(|column| Cow::Borrowed(column.key)),
        );
        for row in &self.rows {
            line(&mut text, row.iter().map(csv_cell));
        }
        text
    }

    fn table(&self, wide: bool) -> String {
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|&index| !self.columns[index].title.is_empty() && (wide || !self.columns[index].wide))
            .collect();
        let header = shown
            .iter()
            .map(|&index| self.columns[index].title.to_owned())
            .collect();
        let body = self.rows.iter().map(|row| {
            shown
                .iter()
                .map(|&index| shown_cell(&row[index], self.columns[index].show))
                .collect()
        });
        let lines: Vec<Vec<String>> = std::iter::once(header).chain(body).collect();
        let widths: Vec<usize> = (0..shown.len())
            .map(|at| lines.iter().map(|line| width(&line[at])).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for line in &lines {
            let start = text.len();
            for (at, cell) in line.iter().enumerate() {
                let blanks = " ".repeat(widths[at] - width(cell));
                let gap = if at > 0 { "  " } else { "" };
                match self.columns[shown[at]].show {
                    Show::Text | Show::Moment => text.extend([gap, cell, &blanks]),
                    _ => text.extend([gap, &blanks, cell]),
                }
            }
            let end = text[start..].trim_end().len();
            text.truncate(start + end);
            text.push('\n');
        }
        text
    }
}

/// Writes to stdout. Who stops reading has had enough: that is no error.
///
/// # Errors
/// If stdout cannot be written to.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn shown_cell(value: &Value, show: Show) -> String {
    let seconds = || value.as_f64().map(|seconds| seconds as i64);
    let shown = match (value, show) {
        (Value::Null, _) => None,
        (_, Show::Bytes) => value.as_u64().map(|bytes| Bytes(bytes).short()),
        (_, Show::Percent) => value.as_f64().map(percent),
        (_, Show::Span) => seconds().map(long_span),
        (_, Show::Moment) => seconds()
            .and_then(|at| jiff::Timestamp::from_second(at).ok())
            .map(|at| {
                at.to_zoned(jiff::tz::TimeZone::system())
                    .strftime("%Y-%m-%d %H:%M:%S")
                    .to_string()
            }),
        _ => Some(plain(value)),
    };
    match shown {
        Some(text) if !text.is_empty() => clean(&text).into_owned(),
        _ => "-".to_owned(),
    }
}

/// A value as one text.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    }
}

fn csv_cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Bool(yes) => Cow::Borrowed(if *yes { "true" } else { "false" }),
        Value::Number(number) => Cow::Owned(number.to_string()),
        other => {
            let text = clean(&plain(other)).into_owned();
            // A spreadsheet would take such a text for a formula; names of others must not become one.
            if text.starts_with(['=', '+', '-', '@']) {
                Cow::Owned(format!("'{text}"))
            } else {
                Cow::Owned(text)
            }
        }
    }
}

fn line<'a>(text: &mut String, cells: impl Iterator<Item = Cow<'a, str>>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
            text.extend(["\"", &cell.replace('"', "\"\""), "\""]);
        } else {
            text.push_str(&cell);
        }
    }
    // RFC 4180 asks for CRLF; every reader takes LF, and so do line-wise tools.
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::new("vmid", "VMID", Show::Number),
        Column::new("name", "NAME", Show::Text),
        Column::new("cpu", "CPU", Show::Percent),
        Column::wide("mem", "MEM", Show::Bytes),
        Column::data("tags"),
        Column::data("template"),
    ];

    fn list() -> List {
        List {
            columns: COLUMNS,
            rows: vec![
                vec![
                    json!(104),
                    json!("web\u{1b}[2J\u{202e},\"x\""),
                    json!(0.123),
                    json!(2048),
                    json!(["a", "b"]),
                    json!(false),
                ],
                vec![
                    json!(99),
                    json!("=1+1"),
                    Value::Null,
                    Value::Null,
                    json!([]),
                    json!(true),
                ],
            ],
        }
    }

    #[test]
    fn tables_are_aligned_and_harmless() {
        assert_eq!(
            list().table(false),
            "VMID  NAME          CPU\n 104  web·[2J·,\"x\"  12%\n  99  =1+1            -\n"
        );
        assert!(list().table(true).contains("2.0K"));
        let mut empty = list();
        empty.rows.clear();
        assert_eq!(empty.table(false), "VMID  NAME  CPU\n");
    }

    #[test]
    fn csv_is_quoted_and_harmless() {
        assert_eq!(
            list().csv(),
            "vmid,name,cpu,mem,tags,template\n104,\"web·[2J·,\"\"x\"\"\",0.123,2048,a;b,false\n99,'=1+1,,,,true\n"
        );
    }

    #[test]
    fn json_keeps_the_data_and_drives_no_terminal() {
        let text = list().json().unwrap();
        assert!(!text.chars().any(|c| c != '\n' && is_harmful(c)), "{text}");
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back[0]["name"], list().rows[0][1]);
        assert_eq!(back[1]["cpu"], Value::Null);
        assert!(
            text.find("vmid").unwrap() < text.find("name").unwrap(),
            "columns keep their order"
        );
    }

    #[test]
    fn words_filter_rows() {
        for (words, left) in [
            ("web", 1),
            ("104", 1),
            ("0.123", 0),
            ("tag:a", 1),
            ("type:template", 1),
            ("!web", 1),
            ("", 2),
        ] {
            let mut list = list();
            list.filter(&Filter::parse(words));
            assert_eq!(list.rows.len(), left, "{words}");
        }
    }
}
