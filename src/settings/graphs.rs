//! `[columns]` and `[grafana]`: what lists show of monitoring, and where dashboards are.

use toml::de::DeTable;

use super::{problem::advice, reader::Reader};
use crate::domain::{
    dashboard::Dashboards,
    template::{Of, Template},
};

/// The lists, with the key of each.
const LISTS: [(&str, Of); 3] = [
    ("guests", Of::Guest),
    ("nodes", Of::Node),
    ("storages", Of::Storage),
];
/// All keys of the columns.
pub(super) const COLUMN_KEYS: &[&str] = &["guests", "nodes", "storages"];
/// All keys of the dashboards.
pub(super) const GRAFANA_KEYS: &[&str] = &["url", "guest", "node", "storage"];

/// A column of a list that is asked of monitoring: of which list, and the name of its metric.
pub type WantedColumn = (Of, String);

/// Reads the columns; those of a list take the place of what an earlier file said of it.
pub(super) fn columns(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    metrics: &[Template],
    columns: &mut Vec<WantedColumn>,
) {
    reader.only("[columns]", table, COLUMN_KEYS);
    for (key, list) in LISTS {
        let Some(names) = reader.strings(table, key) else {
            continue;
        };
        columns.retain(|(of, _)| *of != list);
        for name in names.value {
            let known = || metrics.iter().filter(|metric| metric.of == list);
            if known().any(|metric| *metric.name == *name.value) {
                columns.push((list, name.value));
                continue;
            }
            let advice = advice(&name.value, known().map(|metric| &*metric.name));
            reader.complain(
                &name.span,
                format!("there is no metric `{}` of {key}: {advice}", name.value),
            );
        }
    }
}

/// Reads where dashboards are.
pub(super) fn dashboards(reader: &mut Reader<'_>, table: &DeTable<'_>, boards: &mut Dashboards) {
    reader.only("[grafana]", table, GRAFANA_KEYS);
    for (key, place) in [
        ("url", &mut boards.any),
        ("guest", &mut boards.guest),
        ("node", &mut boards.node),
        ("storage", &mut boards.storage),
    ] {
        let Some(link) = reader.string(table, key) else {
            continue;
        };
        match Dashboards::check(&link.value) {
            Ok(()) => *place = Some(link.value.into()),
            Err(why) => reader.complain(&link.span, why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, tests::home};

    fn read(text: &str) -> Result<Settings, String> {
        let (_dir, places) = home(&[("user/config.toml", text, 0o600)]);
        Settings::load(&places, None).map_err(|problems| problems.to_string())
    }

    #[test]
    fn columns_name_metrics_that_there_are() {
        let read_columns = read(
            "[columns]\nguests = [\"mine\", \"net-in\"]\nnodes = [\"load\"]\n[[metric]]\nname = \"mine\"\nof = \"guest\"\n\
             query = \"m{$object}\"\nlabels = { vmid = \"{vmid}\" }\n",
        );
        let columns = read_columns.unwrap().columns;
        assert_eq!(
            columns,
            [
                (Of::Guest, "mine".to_owned()),
                (Of::Guest, "net-in".to_owned()),
                (Of::Node, "load".to_owned())
            ]
        );
        let error = read("[columns]\nguests = [\"net_in\"]\n").unwrap_err();
        assert!(error.contains(":2:11") && error.contains("net-in"), "{error}");
    }

    #[test]
    fn links_are_checked() {
        let boards = read("[grafana]\nurl = \"https://g/{name}\"\n")
            .unwrap()
            .dashboards;
        assert_eq!(boards.any.as_deref(), Some("https://g/{name}"));
        let error = read("[grafana]\nnode = \"https://g/{host}\"\n").unwrap_err();
        assert!(error.contains("{host}"), "{error}");
    }
}
