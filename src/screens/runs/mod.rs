//! Runs: what was done from here, the newest first, and one of them with its steps.
//!
//! What always holds here: the selection stays on its run, whatever is begun meanwhile.

mod draw;
mod view;

use std::collections::BTreeSet;

use super::{Cx, Pane, Place, Reply, scrolling};
use crate::{
    actions::{Id, Scope},
    domain::ObjectRef,
    plan::runs::{RunState, Ticket},
    store::FeedKey,
    ui::{
        Canvas,
        page::PageView,
        pane::{Freshness, Title},
    },
};

/// The list of runs.
#[derive(Debug, Default)]
pub struct RunsPane {
    selected: Option<Ticket>,
    offset: usize,
    page: usize,
}

impl RunsPane {
    fn position(&self, cx: &Cx<'_>) -> Option<usize> {
        let list = cx.runs.list();
        let found = list.iter().position(|run| Some(run.ticket) == self.selected);
        found.or(if list.is_empty() { None } else { Some(0) })
    }

    fn select(&mut self, cx: &Cx<'_>, to: usize) {
        let last = cx.runs.list().len().saturating_sub(1);
        self.selected = cx.runs.list().get(to.min(last)).map(|run| run.ticket);
    }
}

impl Pane for RunsPane {
    fn title(&self, cx: &Cx<'_>) -> Title {
        let here = cx.runs.here().count();
        let count = cx.runs.list().len();
        let detail = match (count, here) {
            (0, _) => String::new(),
            (count, 0) => count.to_string(),
            (count, here) => format!("{count} {} {here} running", cx.glyphs.dot),
        };
        Title {
            number: None,
            name: "Runs".to_owned(),
            detail,
            freshness: from_the_journal(),
        }
    }

    fn scope(&self) -> Scope {
        Scope::List
    }

    fn interest(&self, _cx: &Cx<'_>, _feeds: &mut BTreeSet<FeedKey>) {}

    fn refresh(&mut self, cx: &Cx<'_>) {
        if self.selected.is_none_or(|ticket| cx.runs.get(ticket).is_none()) {
            self.select(cx, 0);
        }
    }

    fn act(&mut self, action: Id, cx: &Cx<'_>) -> Reply {
        let at = self.position(cx).unwrap_or(0);
        let page = self.page.max(2) - 1;
        match action {
            Id::ListDown => self.select(cx, at + 1),
            Id::ListUp => self.select(cx, at.saturating_sub(1)),
            Id::ListPageDown => self.select(cx, at + page),
            Id::ListPageUp => self.select(cx, at.saturating_sub(page)),
            Id::ListFirst => self.select(cx, 0),
            Id::ListLast => self.select(cx, usize::MAX),
            Id::ListOpen | Id::ObjectDescribe => {
                return self
                    .run()
                    .map_or(Reply::Done, |ticket| Reply::Go(Place::Run(ticket)));
            }
            _ => return Reply::Ignored,
        }
        Reply::Done
    }

    fn subject(&self) -> Option<ObjectRef> {
        None
    }

    fn run(&self) -> Option<Ticket> {
        self.selected
    }

    fn click(&mut self, _x: u16, y: u16, cx: &Cx<'_>) -> Reply {
        if let Some(line) = y.checked_sub(1) {
            let at = self.offset + usize::from(line);
            if at < cx.runs.list().len() {
                self.select(cx, at);
            }
        }
        Reply::Done
    }

    fn scroll(&mut self, lines: isize, cx: &Cx<'_>) {
        let at = self.position(cx).unwrap_or(0);
        self.select(cx, at.saturating_add_signed(lines));
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, focused: bool) {
        let at = self.position(cx);
        draw::list(canvas, cx, self, at, focused);
    }
}

/// One run.
#[derive(Debug)]
pub struct RunPane {
    ticket: Ticket,
    view: PageView,
}

impl RunPane {
    /// The page of a run.
    pub fn new(ticket: Ticket) -> Self {
        Self {
            ticket,
            view: PageView::default(),
        }
    }
}

impl Pane for RunPane {
    fn title(&self, cx: &Cx<'_>) -> Title {
        let run = cx.runs.get(self.ticket);
        Title {
            number: None,
            name: run.map_or_else(|| "run".to_owned(), |run| run.plan.title.clone()),
            detail: run.map_or_else(String::new, |run| run.state.word().to_owned()),
            freshness: from_the_journal(),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Text
    }

    fn interest(&self, _cx: &Cx<'_>, _feeds: &mut BTreeSet<FeedKey>) {}

    fn refresh(&mut self, cx: &Cx<'_>) {
        self.view.set_page(view::page(cx, self.ticket));
    }

    fn act(&mut self, action: Id, cx: &Cx<'_>) -> Reply {
        if let Some(step) = scrolling::step(action) {
            self.view.go(step);
            return Reply::Done;
        }
        match (action, view::newest_task(cx, self.ticket)) {
            (Id::ObjectLog, Some(task)) => Reply::Go(Place::Log(ObjectRef::Task(task))),
            _ => Reply::Ignored,
        }
    }

    fn subject(&self) -> Option<ObjectRef> {
        None
    }

    fn run(&self) -> Option<Ticket> {
        Some(self.ticket)
    }

    fn filter(&self) -> Option<&str> {
        Some(self.view.needle())
    }

    fn set_filter(&mut self, line: &str) {
        self.view.set_needle(line);
    }

    fn scroll(&mut self, lines: isize, _cx: &Cx<'_>) {
        self.view.go(crate::ui::table::Move::By(lines));
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, _focused: bool) {
        let under_way = cx
            .runs
            .get(self.ticket)
            .is_some_and(|run| run.state != RunState::Done);
        if under_way {
            // How long a step runs already grows while nothing else changes.
            self.refresh(cx);
        }
        self.view.draw(canvas);
    }
}

/// The journal is our own file: it has no age to tell.
fn from_the_journal() -> Freshness {
    Freshness {
        age: "journal".to_owned(),
        ..Freshness::default()
    }
}
