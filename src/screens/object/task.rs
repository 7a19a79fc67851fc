//! What is known of a task; its log is a pane of its own.

use super::parts::{Facts, moment_ago, task_state};
use crate::{
    domain::{TaskRef, quantity::long_span},
    screens::Cx,
    store::Feed,
    ui::page::Section,
};

pub(super) fn feeds(task: &TaskRef) -> Vec<Feed> {
    vec![Feed::Tasks, Feed::TaskStatus(task.upid.clone())]
}

pub(super) fn page(cx: &Cx<'_>, task: &TaskRef) -> Vec<Section> {
    let known = cx.store.task(task);
    let upid = &task.upid;
    let mut facts = Facts::default();
    facts.maybe("state", known.map(|task| task_state(cx.glyphs, &task.state)));
    facts.add("task", &*upid.kind);
    facts.add("id", &*upid.id);
    facts.add("node", upid.node.as_str());
    facts.add("user", known.map_or(&*upid.user, |task| &*task.user));
    facts.add("started", moment_ago(cx, upid.start));
    facts.maybe(
        "ended",
        known.and_then(|task| task.end).map(|end| moment_ago(cx, end)),
    );
    facts.maybe("took", known.map(|task| long_span(task.duration(cx.now))));
    facts.add("UPID", upid.as_str());
    vec![Section::new("Task", facts.body())]
}
