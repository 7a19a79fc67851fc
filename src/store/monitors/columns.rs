//! Columns of lists that are asked of monitoring: one query for a column of one server, whatever the number of rows.

use std::collections::HashMap;

use jiff::SignedDuration;

use super::{MonitorFeed, MonitorKey, Monitors};
use crate::{
    domain::{
        ClusterId, GuestRef, MonitorId, MonitorKind, NodeRef, ObjectRef, StorageRef,
        matching::{self, Found, Subject},
        metric::{Labels, QueryValue, Unit},
        monitor::Answer,
        template::{self, Of, Template},
    },
    store::Store,
};

/// A column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MetricColumn {
    /// Of which list.
    pub of: Of,
    /// The name of its metric.
    pub name: &'static str,
    /// What its numbers mean.
    pub unit: Unit,
}

/// All columns and what is in them.
#[derive(Default, Debug)]
pub(in super::super) struct Columns {
    all: Vec<MetricColumn>,
    /// What each server said, by its column.
    filled: HashMap<(MonitorId, usize), Filled>,
}

#[derive(Default, Debug)]
struct Filled {
    values: HashMap<ObjectRef, f64>,
    /// What was tried, where no series of any object was found.
    nothing: Option<String>,
}

impl Monitors {
    /// Sets the columns. Those without any template are left out.
    pub fn set_columns(&mut self, wanted: impl IntoIterator<Item = (Of, String)>) {
        let named = |of: Of, name: &str| {
            self.templates
                .iter()
                .find(|template| template.of == of && *template.name == *name)
        };
        let all = wanted
            .into_iter()
            .filter_map(|(of, name)| {
                let unit = named(of, &name)?.unit;
                // The configuration is read once: its columns live as long as the program.
                let name: &'static str = Box::leak(name.into_boxed_str());
                Some(MetricColumn { of, name, unit })
            })
            .collect();
        self.columns = Columns {
            all,
            filled: HashMap::new(),
        };
    }

    /// The columns of a list with their numbers.
    pub fn columns(&self, of: Of) -> impl Iterator<Item = (usize, MetricColumn)> {
        let all = self.columns.all.iter().copied().enumerate();
        all.filter(move |(_, column)| column.of == of)
    }

    /// A column by its number.
    pub fn column(&self, number: usize) -> Option<MetricColumn> {
        self.columns.all.get(number).copied()
    }

    /// What has to be read for a column of a list.
    pub fn column_feeds(&self, number: usize) -> Vec<MonitorKey> {
        self.of(MonitorKind::Prometheus)
            .flat_map(|server| {
                let names = MonitorFeed::Names.of(server.id());
                [Some(names), self.column_key(server.id(), number)]
            })
            .flatten()
            .collect()
    }

    /// What a column is asked of a server, as far as it is known which metrics that has.
    fn column_key(&self, server: &MonitorId, number: usize) -> Option<MonitorKey> {
        let template = self.column_template(server, number)?;
        // As often as it is asked.
        let span = template::rate_span(SignedDuration::from_secs(15));
        Some(MonitorFeed::Instant(template.of_all(span).into()).of(server))
    }

    fn column_template(&self, server: &MonitorId, number: usize) -> Option<&Template> {
        let column = self.columns.all.get(number)?;
        self.template(self.get(server)?, column.of, column.name)
    }

    /// The value of an object in a column.
    pub fn column_value(&self, number: usize, object: &ObjectRef) -> Option<f64> {
        let server = self.watching(MonitorKind::Prometheus, object.cluster())?;
        let filled = self.columns.filled.get(&(server.id().clone(), number))?;
        filled.values.get(object).copied()
    }

    /// Whether the last read of a column for a cluster failed: what it shows may be old.
    pub fn column_failed(&self, number: usize, cluster: &ClusterId) -> bool {
        let server = self.watching(MonitorKind::Prometheus, cluster);
        let key = server.and_then(|server| self.column_key(server.id(), number));
        key.is_some_and(|key| self.freshness(&key).error.is_some())
    }

    /// Why there is nothing in a column at all.
    pub fn column_trouble(&self, number: usize) -> Option<String> {
        self.of(MonitorKind::Prometheus).find_map(|server| {
            let names = self.freshness(&MonitorFeed::Names.of(server.id()));
            if let Some(error) = names.error {
                return Some(error.message.clone());
            }
            names.data_at?;
            let Some(key) = self.column_key(server.id(), number) else {
                return Some(format!("{} has no such metric", server.id()));
            };
            if let Some(error) = self.freshness(&key).error {
                return Some(error.message.clone());
            }
            let filled = self.columns.filled.get(&(server.id().clone(), number))?;
            filled.nothing.clone()
        })
    }
}

impl Store {
    /// Works out which value of a new answer is whose, once for all rows.
    pub(in super::super) fn fill_columns(&mut self, key: &MonitorKey) {
        let MonitorFeed::Instant(_) = key.feed else { return };
        let numbers: Vec<usize> = (0..self.monitors.columns.all.len())
            .filter(|number| self.monitors.column_key(&key.server, *number).as_ref() == Some(key))
            .collect();
        for number in numbers {
            if let Some(filled) = self.filled(key, number) {
                let place = (key.server.clone(), number);
                self.monitors.columns.filled.insert(place, filled);
            }
        }
    }

    fn filled(&self, key: &MonitorKey, number: usize) -> Option<Filled> {
        let monitors = &self.monitors;
        let server = monitors.get(&key.server)?;
        let template = monitors.column_template(&key.server, number)?;
        let Answer {
            value: QueryValue::Vector(series),
            ..
        } = monitors.answer(key)?
        else {
            return None;
        };
        let objects: Vec<ObjectRef> = self
            .clusters()
            .iter()
            .filter(|cluster| server.info().watches(cluster.id()))
            .flat_map(|cluster| self.objects(cluster.id(), template.of))
            .collect();
        let (objects, subjects): (Vec<ObjectRef>, Vec<Subject>) = objects
            .into_iter()
            .filter_map(|object| {
                let subject = self.subject(&object)?;
                Some((object, subject))
            })
            .unzip();
        let labels: Vec<&Labels> = series.iter().map(|(labels, _)| labels).collect();
        let found = matching::find(&template.maps, &server.info().cluster_label, &subjects, &labels);
        let mut filled = Filled::default();
        for (object, found) in objects.into_iter().zip(&found) {
            match found {
                Found::Series(places) => {
                    let values = places.iter().map(|place| series[*place].1.value);
                    if let Some(value) = values.into_iter().find(|value| value.is_finite()) {
                        filled.values.insert(object, value);
                    }
                }
                Found::Nothing { .. } if filled.nothing.is_none() => {
                    filled.nothing = Some(found.to_string());
                }
                Found::Nothing { .. } => {}
            }
        }
        if !filled.values.is_empty() {
            filled.nothing = None;
        }
        Some(filled)
    }

    pub(in super::super) fn objects(&self, cluster: &ClusterId, of: Of) -> Vec<ObjectRef> {
        let Some(known) = self.cluster(cluster) else {
            return Vec::new();
        };
        let cluster = || cluster.clone();
        match of {
            Of::Guest => known
                .guests()
                .iter()
                .map(|guest| {
                    ObjectRef::Guest(GuestRef {
                        cluster: cluster(),
                        vmid: guest.vmid,
                    })
                })
                .collect(),
            Of::Node => known
                .nodes()
                .iter()
                .map(|node| {
                    ObjectRef::Node(NodeRef {
                        cluster: cluster(),
                        node: node.name.clone(),
                    })
                })
                .collect(),
            Of::Storage => known
                .storages()
                .iter()
                .map(|storage| {
                    ObjectRef::Storage(StorageRef {
                        cluster: cluster(),
                        node: storage.node.clone(),
                        storage: storage.name.clone(),
                    })
                })
                .collect(),
        }
    }
}
