//! `[[metric]]`: what is asked of Prometheus, as templates. Those that come with the program are read by the same code.

use toml::de::DeTable;

use super::{problem::advice, reader::Reader};
use crate::domain::{
    matching::LabelMap,
    metric::Unit,
    template::{Of, Template},
};

/// All keys of a metric.
pub(super) const KEYS: &[&str] = &[
    "name", "of", "title", "unit", "source", "query", "needs", "labels",
];

/// The templates that come with the program: a commented file in the form of the configuration.
pub const SHIPPED: &str = include_str!("../../config/prometheus/metrics.toml");

/// Reads one metric. Whatever is wrong with it is complained about.
pub(super) fn read(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    at: &std::ops::Range<usize>,
) -> Option<Template> {
    reader.only("[metric]", table, KEYS);
    for key in ["name", "of", "query", "labels"] {
        if !table.contains_key(key) {
            reader.complain(at, format!("a metric needs `{key}`"));
        }
    }
    let name = reader.string(table, "name");
    let of = word(reader, table, "of", &Of::NAMED);
    let query = reader.string(table, "query");
    let maps = maps(reader, table);
    let unit = word(reader, table, "unit", &Unit::NAMED).unwrap_or_default();
    let title = reader.string(table, "title");
    let source = reader.string(table, "source");
    let needs = reader.strings(table, "needs");
    let (name, query) = (name?, query?);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.value.chars().all(plain) {
        reader.complain(
            &name.span,
            "the name of a metric has small letters, digits and `-` only",
        );
        return None;
    }
    if let Err(why) = Template::check(&query.value) {
        reader.complain(&query.span, format!("`query`: {why}"));
        return None;
    }
    Some(Template {
        title: title
            .map_or_else(|| name.value.clone(), |title| title.value)
            .into(),
        name: name.value.into(),
        of: of?,
        unit,
        source: source
            .map_or_else(|| "own".to_owned(), |source| source.value)
            .into(),
        query: query.value.into(),
        needs: needs
            .map(|needs| needs.value.into_iter().map(|need| need.value.into()).collect())
            .unwrap_or_default(),
        maps: maps?,
    })
}

/// One of the words that are allowed.
fn word<T: Copy>(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    key: &str,
    allowed: &[(&str, T)],
) -> Option<T> {
    let found = reader.string(table, key)?;
    let known = allowed.iter().find(|(word, _)| *word == found.value);
    if known.is_none() {
        let hint = advice(&found.value, allowed.iter().map(|(word, _)| *word));
        reader.complain(
            &found.span,
            format!("`{key}` cannot be \"{}\": {hint}", found.value),
        );
    }
    known.map(|(_, value)| *value)
}

/// `labels`: one map, or a list of maps, the first way first.
fn maps(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<Vec<LabelMap>> {
    let mut maps = Vec::new();
    for (labels, span) in reader.tables(table, "labels") {
        let mut entries = Vec::new();
        for label in labels.keys() {
            let name = label.get_ref().as_ref();
            let pattern = reader.string(labels, name)?;
            entries.push((name, pattern.value));
        }
        let entries = entries.iter().map(|(name, pattern)| (*name, pattern.as_str()));
        match LabelMap::parse(entries) {
            Ok(map) => maps.push(map),
            Err(why) => reader.complain(&span, format!("`labels`: {why}")),
        }
    }
    (!maps.is_empty()).then_some(maps)
}

/// The metrics of the files before those that come with the program: what somebody wrote is meant.
pub(super) fn with_shipped(mut own: Vec<Template>) -> Vec<Template> {
    let mut reader_of_shipped = shipped();
    own.append(&mut reader_of_shipped);
    own
}

fn shipped() -> Vec<Template> {
    let file = std::path::Path::new("metrics.toml");
    let (mut reader, table) = Reader::parse(file, SHIPPED);
    let Some(table) = table else { return Vec::new() };
    let tables = reader.tables(&table, "metric");
    tables
        .into_iter()
        .filter_map(|(metric, at)| read(&mut reader, metric, &at))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_shipped_metric_is_read() {
        let file = std::path::Path::new("metrics.toml");
        let (mut reader, table) = Reader::parse(file, SHIPPED);
        let table = table.unwrap();
        reader.only("", &table, &["metric"]);
        let tables = reader.tables(&table, "metric");
        for (metric, at) in &tables {
            read(&mut reader, metric, at);
        }
        assert_eq!(reader.problems, []);
        assert_eq!(shipped().len(), tables.len());
        let sources: BTreeSet<String> = shipped().iter().map(|metric| metric.source.to_string()).collect();
        let wanted = [
            "node_exporter",
            "prometheus-pve-exporter",
            "cAdvisor",
            "OpenTelemetry of Proxmox VE",
            "InfluxDB of Proxmox VE",
        ];
        assert_eq!(sources, wanted.map(str::to_owned).into());
        for (of, names) in [
            (
                Of::Guest,
                &["cpu", "memory", "net-in", "net-out", "disk-read", "disk-write"][..],
            ),
            (Of::Node, &["cpu", "memory", "load", "net-in", "net-out"]),
            (Of::Storage, &["used"]),
        ] {
            for name in names {
                let count = shipped()
                    .iter()
                    .filter(|metric| metric.of == of && *metric.name == **name)
                    .count();
                assert!(count >= 2, "{of:?} {name}: {count}");
            }
        }
        assert!(shipped().iter().all(|metric| !metric.needs.is_empty()));
    }
}
