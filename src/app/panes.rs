//! All panes, and which of them a place shows.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::{
    domain::{ObjectRef, measure::Shown},
    screens::{
        Pane, Place,
        alerts::Alerts,
        backups::Backups,
        clusters::Clusters,
        console::ConsolePane,
        datastores::Datastores,
        findings::Findings,
        guests::Guests,
        jobs::Jobs,
        log::LogPane,
        metrics::Metrics,
        nodes::Nodes,
        object::ObjectPane,
        query::Query,
        raw::RawPane,
        restore_points::RestorePoints,
        runs::{RunPane, RunsPane},
        server_backups::ServerBackups,
        silences::Silences,
        snapshots::Snapshots,
        storages::Storages,
        tasks::Tasks,
    },
};

/// The panes of the deck, in the order of their numbers.
pub(super) const TILES: [Place; 8] = [
    Place::Nodes,
    Place::Guests,
    Place::Metrics,
    Place::Storages,
    Place::SelectedSnapshots,
    Place::SelectedBackups,
    Place::Tasks,
    Place::Alerts,
];

/// Consoles that are kept, those that are over included.
const CONSOLES: usize = 16;

/// The lists live as long as the application and keep their filter and selection; a detail lives as long as one
/// looks at it.
pub(super) struct Panes {
    nodes: Nodes,
    guests: Guests,
    metrics: Metrics,
    storages: Storages,
    datastores: Datastores,
    server_backups: ServerBackups,
    snapshots: Snapshots,
    selected_snapshots: Snapshots,
    backups: Backups,
    selected_backups: Backups,
    restore_points: RestorePoints,
    jobs: Jobs,
    tasks: Tasks,
    alerts: Alerts,
    silences: Silences,
    findings: Findings,
    clusters: Clusters,
    runs: RunsPane,
    query: Query,
    /// What graphs begin with.
    graph: (Option<Shown>, Option<SignedDuration>),
    detail: Option<(Place, Box<dyn Pane>)>,
    /// Consoles that were opened, by their object: they go on while one is elsewhere.
    consoles: BTreeMap<ObjectRef, ConsolePane>,
}

impl Panes {
    /// All lists, unfiltered.
    pub(super) fn new(graph: (Option<Shown>, Option<SignedDuration>)) -> Self {
        Self {
            nodes: Nodes::default(),
            guests: Guests::default(),
            metrics: Metrics::showing(graph.0.clone(), graph.1),
            storages: Storages::default(),
            datastores: Datastores::default(),
            server_backups: ServerBackups::default(),
            snapshots: Snapshots::default(),
            selected_snapshots: Snapshots::following(),
            backups: Backups::default(),
            selected_backups: Backups::following(),
            restore_points: RestorePoints::default(),
            jobs: Jobs::default(),
            tasks: Tasks::default(),
            alerts: Alerts::default(),
            silences: Silences::default(),
            findings: Findings::default(),
            clusters: Clusters::default(),
            runs: RunsPane::default(),
            query: Query::default(),
            graph,
            detail: None,
            consoles: BTreeMap::new(),
        }
    }

    /// The pane of a place; a detail is opened if it is not the one open already. The deck has no pane of its
    /// own: `None`.
    pub(super) fn get(&mut self, place: &Place) -> Option<&mut dyn Pane> {
        Some(match place {
            Place::Deck => return None,
            Place::Nodes => &mut self.nodes,
            Place::Guests => &mut self.guests,
            Place::Metrics => &mut self.metrics,
            Place::Storages => &mut self.storages,
            Place::Datastores => &mut self.datastores,
            Place::ServerBackups => &mut self.server_backups,
            Place::Snapshots => &mut self.snapshots,
            Place::SelectedSnapshots => &mut self.selected_snapshots,
            Place::Backups => &mut self.backups,
            Place::SelectedBackups => &mut self.selected_backups,
            Place::RestorePoints => &mut self.restore_points,
            Place::Jobs => &mut self.jobs,
            Place::Tasks => &mut self.tasks,
            Place::Alerts => &mut self.alerts,
            Place::Silences => &mut self.silences,
            Place::Findings => &mut self.findings,
            Place::Clusters => &mut self.clusters,
            Place::Runs => &mut self.runs,
            Place::Query => &mut self.query,
            Place::Console(object) => return self.consoles.get_mut(object).map(|pane| pane as &mut dyn Pane),
            Place::Object(_)
            | Place::Raw(_)
            | Place::Log(_)
            | Place::Run(_)
            | Place::MetricsOf(_)
            | Place::MetricsAt(..) => self.detail(place),
        })
    }

    /// Lets graphs, snapshots and backups follow what is selected and marked in the pane of a place.
    pub(super) fn follow(&mut self, focus: &Place) {
        if *focus == Place::Metrics {
            return;
        }
        let Some(pane) = self.get(focus) else { return };
        let selected = pane.subject();
        let marks = pane.marks().cloned();
        self.metrics.follow(selected.as_ref(), marks.as_ref());
        self.selected_snapshots.follow_object(selected.as_ref());
        self.selected_backups.follow_object(selected.as_ref());
    }

    /// The console of an object, if it was ever opened.
    pub(super) fn console(&mut self, object: &ObjectRef) -> Option<&mut ConsolePane> {
        self.consoles.get_mut(object)
    }

    /// All consoles.
    pub(super) fn consoles(&self) -> impl Iterator<Item = &ConsolePane> {
        self.consoles.values()
    }

    /// All consoles, to be changed.
    pub(super) fn consoles_mut(&mut self) -> impl Iterator<Item = &mut ConsolePane> {
        self.consoles.values_mut()
    }

    /// Keeps a console. What those that are over show can still be read, until there are many.
    pub(super) fn put_console(&mut self, object: ObjectRef, pane: ConsolePane) {
        if self.consoles.len() >= CONSOLES {
            self.consoles.retain(|_, pane| pane.is_live());
        }
        self.consoles.insert(object, pane);
    }

    fn detail(&mut self, place: &Place) -> &mut dyn Pane {
        let open = self.detail.take().filter(|(open, _)| open == place);
        let (_, pane) = self
            .detail
            .insert(open.unwrap_or_else(|| (place.clone(), open_detail(place, &self.graph))));
        pane.as_mut()
    }
}

fn open_detail(place: &Place, graph: &(Option<Shown>, Option<SignedDuration>)) -> Box<dyn Pane> {
    match place {
        Place::Raw(object) => Box::new(RawPane::new(object.clone())),
        Place::Run(ticket) => Box::new(RunPane::new(*ticket)),
        Place::Log(object) => Box::new(LogPane::new(object.clone())),
        Place::MetricsOf(object) => Box::new(Metrics::showing(graph.0.clone(), graph.1).of(object.clone())),
        Place::MetricsAt(object, at) => {
            let graphs = Metrics::showing(graph.0.clone(), graph.1);
            Box::new(graphs.of(object.clone()).around(*at))
        }
        Place::Object(object) => Box::new(ObjectPane::new(object.clone())),
        // The lists are not details; were one asked for here, a list is what it gets.
        _ => Box::new(Findings::default()),
    }
}
