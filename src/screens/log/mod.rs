//! A log: of a task, followed while it runs, or the newest of a node's system log.
//!
//! What always holds here:
//! - The end is followed until one scrolls up, and again after going to the end.
//! - Above a task's log stands how the task is doing, in words.

mod draw;

use std::collections::BTreeSet;

use super::{Cx, Pane, Place, Reply, freshness, scrolling, states};
use crate::{
    actions::{Id, Scope},
    domain::{ObjectRef, TaskRef, TaskState, quantity::long_span},
    store::{Feed, FeedKey, LogBuffer},
    ui::{
        Canvas, Cell, Tone,
        pane::Title,
        table::Move,
        text::{Lines, Syntax, TextView},
    },
};

/// The lines as the store keeps them.
enum LogLines<'a> {
    Task(Option<&'a LogBuffer>),
    Node(&'a [Box<str>]),
}

impl Lines for LogLines<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Task(log) => log.map_or(0, LogBuffer::len),
            Self::Node(lines) => lines.len(),
        }
    }

    fn line(&self, index: usize) -> Option<&str> {
        match self {
            Self::Task(log) => log.and_then(|log| log.line(index)),
            Self::Node(lines) => lines.get(index).map(AsRef::as_ref),
        }
    }
}

/// The log of a task or node.
#[derive(Debug)]
pub struct LogPane {
    object: ObjectRef,
    view: TextView,
}

impl LogPane {
    /// The log of an object, from its end.
    pub fn new(object: ObjectRef) -> Self {
        Self {
            object,
            view: TextView::following(Syntax::Log),
        }
    }

    /// The feed that brings the lines, if the object has a log.
    fn feed(&self) -> Option<FeedKey> {
        let feed = match &self.object {
            ObjectRef::Task(task) => Feed::TaskLog(task.upid.clone()),
            ObjectRef::Node(node) => Feed::NodeSyslog(node.node.clone()),
            _ => return None,
        };
        Some(feed.of(self.object.cluster()))
    }

    fn lines<'a>(object: &ObjectRef, cx: &Cx<'a>) -> LogLines<'a> {
        match object {
            ObjectRef::Task(task) => LogLines::Task(cx.store.task_log(task)),
            ObjectRef::Node(node) => LogLines::Node(cx.store.node_syslog(node).unwrap_or_default()),
            _ => LogLines::Node(&[]),
        }
    }

    /// Lines at the start of the log that are not kept.
    fn dropped(&self, cx: &Cx<'_>) -> usize {
        match &self.object {
            ObjectRef::Task(task) => cx.store.task_log(task).map_or(0, LogBuffer::first),
            _ => 0,
        }
    }

    /// What is said while there is no line.
    fn empty(&self, cx: &Cx<'_>) -> String {
        let Some(feed) = self.feed() else {
            return "only tasks and nodes have a log".to_owned();
        };
        let fresh = cx.store.freshness(&feed);
        match (fresh.error, fresh.data_at) {
            (Some(error), _) => error.message.clone(),
            (None, None) => "waiting".to_owned(),
            (None, Some(_)) => "the log is empty".to_owned(),
        }
    }

    /// How the task is doing; nothing for a node.
    fn status(&self, cx: &Cx<'_>) -> Option<Cell> {
        let ObjectRef::Task(task) = &self.object else {
            return None;
        };
        Some(status(cx, task))
    }
}

/// `✗ failed: no such disk · qmstart 104 on pve1 · root@pam · took 4s`.
fn status(cx: &Cx<'_>, task: &TaskRef) -> Cell {
    let g = cx.glyphs;
    let known = cx.store.task(task);
    let state = known.map(|task| &task.state);
    let mut cell = match state {
        None => Cell::toned("waiting", Tone::Muted),
        Some(state) => {
            let shown = states::task(state, g);
            match state {
                TaskState::Failed(error) => shown.cell().then(format!(": {error}"), Tone::Text),
                TaskState::Warnings(count) => shown.saying(&format!("ended with {count} warnings")),
                TaskState::Unknown => shown.saying("ended, nobody knows how"),
                TaskState::Running | TaskState::Ok => shown.cell(),
            }
        }
    };
    let upid = &task.upid;
    let mut add = |text: String| {
        cell = std::mem::take(&mut cell).then(format!(" {} {text}", g.dot), Tone::Muted);
    };
    let elapsed = |end: jiff::Timestamp| long_span(end.as_second() - upid.start.as_second());
    match (known.and_then(|task| task.end), state) {
        (Some(end), _) => add(format!("took {}", elapsed(end))),
        (None, Some(TaskState::Running)) => add(format!("for {}", elapsed(cx.now))),
        (None, _) => {}
    }
    let subject = if upid.id.is_empty() {
        String::new()
    } else {
        format!(" {}", upid.id)
    };
    add(format!("{}{subject} on {}", upid.kind, upid.node));
    add(format!("by {}", known.map_or(&upid.user, |task| &task.user)));
    cell
}

impl Pane for LogPane {
    fn title(&self, cx: &Cx<'_>) -> Title {
        let (shown, all) = self.view.counts();
        let mut detail = if self.view.needle().is_empty() {
            match self.dropped(cx) {
                0 => format!("{all} lines"),
                dropped => format!("the newest {all} of {} lines", all + dropped),
            }
        } else {
            format!("{shown} of {all} lines {} /{}", cx.glyphs.dot, self.view.needle())
        };
        if self.view.is_following() {
            detail = format!("{detail} {} follows", cx.glyphs.dot);
        }
        Title {
            number: None,
            name: Place::Log(self.object.clone()).label(),
            detail,
            freshness: freshness::freshness(cx, self.feed()),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Log
    }

    fn interest(&self, _cx: &Cx<'_>, feeds: &mut BTreeSet<FeedKey>) {
        feeds.extend(self.feed());
        if let ObjectRef::Task(task) = &self.object {
            feeds.insert(Feed::TaskStatus(task.upid.clone()).of(&task.cluster));
        }
    }

    fn refresh(&mut self, cx: &Cx<'_>) {
        self.view.refresh(&Self::lines(&self.object, cx));
    }

    fn act(&mut self, action: Id, cx: &Cx<'_>) -> Reply {
        if let Some(step) = scrolling::step(action) {
            self.view.go(step, true, &Self::lines(&self.object, cx));
            return Reply::Done;
        }
        match action {
            Id::LogFollow => {
                self.view.toggle_follow();
                Reply::Done
            }
            Id::ObjectRaw => Reply::Go(Place::Raw(self.object.clone())),
            _ => Reply::Ignored,
        }
    }

    fn subject(&self) -> Option<ObjectRef> {
        Some(self.object.clone())
    }

    fn filter(&self) -> Option<&str> {
        Some(self.view.needle())
    }

    fn set_filter(&mut self, line: &str) {
        self.view.set_needle(line);
    }

    fn scroll(&mut self, lines: isize, cx: &Cx<'_>) {
        self.view
            .go(Move::By(lines), true, &Self::lines(&self.object, cx));
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, _focused: bool) {
        let status = self.status(cx);
        let empty = self.empty(cx);
        draw::log(
            canvas,
            &mut self.view,
            &Self::lines(&self.object, cx),
            status.as_ref(),
            &empty,
        );
    }
}
