//! All panes, and which of them a place shows.

use crate::screens::{
    Pane, Place,
    clusters::Clusters,
    findings::Findings,
    guests::Guests,
    log::LogPane,
    nodes::Nodes,
    object::ObjectPane,
    raw::RawPane,
    runs::{RunPane, RunsPane},
    storages::Storages,
    tasks::Tasks,
};

/// The panes of the deck, in the order of their numbers.
pub(super) const TILES: [Place; 5] = [
    Place::Nodes,
    Place::Guests,
    Place::Storages,
    Place::Tasks,
    Place::Findings,
];

/// The lists live as long as the application and keep their filter and selection; a detail lives as long as one
/// looks at it.
pub(super) struct Panes {
    nodes: Nodes,
    guests: Guests,
    storages: Storages,
    tasks: Tasks,
    findings: Findings,
    clusters: Clusters,
    runs: RunsPane,
    detail: Option<(Place, Box<dyn Pane>)>,
}

impl Panes {
    /// All lists, unfiltered.
    pub(super) fn new() -> Self {
        Self {
            nodes: Nodes::default(),
            guests: Guests::default(),
            storages: Storages::default(),
            tasks: Tasks::default(),
            findings: Findings::default(),
            clusters: Clusters::default(),
            runs: RunsPane::default(),
            detail: None,
        }
    }

    /// The pane of a place; a detail is opened if it is not the one open already. The deck has no pane of its
    /// own: `None`.
    pub(super) fn get(&mut self, place: &Place) -> Option<&mut dyn Pane> {
        Some(match place {
            Place::Deck => return None,
            Place::Nodes => &mut self.nodes,
            Place::Guests => &mut self.guests,
            Place::Storages => &mut self.storages,
            Place::Tasks => &mut self.tasks,
            Place::Findings => &mut self.findings,
            Place::Clusters => &mut self.clusters,
            Place::Runs => &mut self.runs,
            Place::Object(_) | Place::Raw(_) | Place::Log(_) | Place::Run(_) => self.detail(place),
        })
    }

    fn detail(&mut self, place: &Place) -> &mut dyn Pane {
        let open = self.detail.take().filter(|(open, _)| open == place);
        let (_, pane) = self
            .detail
            .insert(open.unwrap_or_else(|| (place.clone(), open_detail(place))));
        pane.as_mut()
    }
}

fn open_detail(place: &Place) -> Box<dyn Pane> {
    match place {
        Place::Raw(object) => Box::new(RawPane::new(object.clone())),
        Place::Run(ticket) => Box::new(RunPane::new(*ticket)),
        Place::Log(object) => Box::new(LogPane::new(object.clone())),
        Place::Object(object) => Box::new(ObjectPane::new(object.clone())),
        // The lists are not details; were one asked for here, a list is what it gets.
        _ => Box::new(Findings::default()),
    }
}
