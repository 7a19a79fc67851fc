//! An object as the server sends it.
//!
//! What always holds here: nothing is added, left out or translated; only the order of the keys is ours.

mod json;

use std::collections::BTreeSet;

use super::{Cx, Pane, Place, Reply, freshness, scrolling};
use crate::{
    actions::{Id, Scope},
    domain::ObjectRef,
    store::{Feed, FeedKey},
    ui::{
        Canvas,
        pane::Title,
        table::Move,
        text::{Syntax, TextView},
    },
};

/// The JSON of an object.
#[derive(Debug)]
pub struct RawPane {
    object: ObjectRef,
    view: TextView,
    /// The text that `lines` were made from.
    text: Box<str>,
    lines: Vec<Box<str>>,
}

impl RawPane {
    /// The JSON of an object.
    pub fn new(object: ObjectRef) -> Self {
        Self {
            object,
            view: TextView::new(Syntax::Json),
            text: "".into(),
            lines: Vec::new(),
        }
    }

    fn feed(&self) -> FeedKey {
        Feed::Raw(self.object.clone()).of(self.object.cluster())
    }

    fn empty(&self, cx: &Cx<'_>) -> String {
        let fresh = cx.store.freshness(&self.feed());
        match (fresh.error, fresh.data_at) {
            (Some(error), _) => error.message.clone(),
            (None, None) => "waiting".to_owned(),
            (None, Some(_)) => "the server sent nothing".to_owned(),
        }
    }
}

impl Pane for RawPane {
    fn title(&self, cx: &Cx<'_>) -> Title {
        let (shown, all) = self.view.counts();
        Title {
            number: None,
            name: Place::Raw(self.object.clone()).label(),
            detail: if self.view.needle().is_empty() {
                format!("{all} lines")
            } else {
                format!("{shown} of {all} lines {} /{}", cx.glyphs.dot, self.view.needle())
            },
            freshness: freshness::freshness(cx, [self.feed()]),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Text
    }

    fn interest(&self, _cx: &Cx<'_>, feeds: &mut BTreeSet<FeedKey>) {
        feeds.insert(self.feed());
    }

    fn refresh(&mut self, cx: &Cx<'_>) {
        let text = cx.store.raw(&self.object).unwrap_or_default();
        if *text != *self.text {
            self.text = text.into();
            self.lines = json::lines(text);
        }
        self.view.refresh(&self.lines);
    }

    fn act(&mut self, action: Id, _cx: &Cx<'_>) -> Reply {
        match scrolling::step(action) {
            Some(step) => {
                self.view.go(step, false, &self.lines);
                Reply::Done
            }
            None => Reply::Ignored,
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

    fn scroll(&mut self, lines: isize, _cx: &Cx<'_>) {
        self.view.go(Move::By(lines), false, &self.lines);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, _focused: bool) {
        let empty = self.empty(cx);
        self.view.draw(canvas, &self.lines, &empty);
    }
}
