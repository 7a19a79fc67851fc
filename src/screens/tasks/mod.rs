//! Running and recent tasks of all nodes.

pub mod view;

use super::{
    Cx, Place,
    list::{List, Listing},
};
use crate::{
    domain::ObjectRef,
    store::{Cluster, Feed, Store},
};

/// The pane of the tasks.
pub type Tasks = List<RecentTasks>;

/// What the pane lists.
#[derive(Debug)]
pub struct RecentTasks;

impl Listing for RecentTasks {
    type Rows<'a> = view::TaskRows<'a>;
    const NAME: &'static str = "Tasks";
    const SORT: (&'static str, bool) = ("start", true);
    const FEEDS: &'static [Feed] = &[Feed::Tasks];
    const NONE: &'static str = "No task is known: none ran lately, or this sign-in may not see any.";

    fn members(store: &Store) -> &[Cluster] {
        store.members()
    }

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::TaskRows::new(cx)
    }

    fn revision(store: &Store) -> u64 {
        store.tasks_revision().max(store.guests_revision())
    }

    fn note(store: &Store) -> String {
        match store.tasks().filter(|(_, task)| !task.state.is_over()).count() {
            0 => String::new(),
            running => format!("{running} running"),
        }
    }

    fn open(_store: &Store, object: ObjectRef) -> Place {
        Place::Log(object)
    }
}
