//! The palette: every place, object and action by name, found by typing parts of it; and every deed on every object.

mod deeds;

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

pub use deeds::{Judge, Target};

use crate::{
    actions::{self, Place},
    domain::ObjectRef,
    plan::{Arguments, Deed},
    ui::{Rect, line::Line},
};

/// What choosing a line does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// Goes to a place.
    Go(Place),
    /// Goes to a place and filters its list.
    Filter(Place, String),
    /// Does an action of the table.
    Act(actions::Id),
    /// Does a deed to these, with what was typed behind them.
    Do {
        /// Which deed.
        deed: Deed,
        /// To what.
        targets: Vec<ObjectRef>,
        /// With which arguments.
        arguments: Arguments,
    },
}

/// One line of the palette.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// What is matched and shown. Foreign text may be part of it.
    pub text: String,
    /// What stands behind it: key, place, status.
    pub note: String,
    /// What the line is completed to, if that is not `text`.
    pub fill: Option<String>,
    /// What choosing it does.
    pub choice: Choice,
    /// Why it is not possible now; then it is shown dimmed and cannot be chosen.
    pub refused: Option<String>,
}

/// The open palette.
#[derive(Debug)]
pub struct Palette {
    /// What is typed.
    pub line: Line,
    candidates: Vec<Candidate>,
    targets: Vec<Target>,
    /// What is selected, or all that is marked.
    current: Option<Target>,
    shown: Vec<Candidate>,
    selected: usize,
    past: Vec<String>,
    past_at: Option<usize>,
    /// Where the last frame drew the lines, and the first of them.
    pub(super) drawn: (Rect, usize),
}

/// Lines that are kept of a search: more than a screen, less than an estate.
const MOST: usize = 200;

impl Palette {
    /// Opens it over these candidates, and over deeds on these targets; `past` is what was typed before, the newest
    /// last.
    pub fn new(
        candidates: Vec<Candidate>,
        targets: Vec<Target>,
        current: Option<Target>,
        past: Vec<String>,
    ) -> Self {
        let shown = candidates.iter().take(MOST).cloned().collect();
        Self {
            line: Line::default(),
            candidates,
            targets,
            current,
            shown,
            selected: 0,
            past,
            past_at: None,
            drawn: (Rect::default(), 0),
        }
    }

    /// Finds again what fits the line. Called after each change of it.
    pub fn search(&mut self, judge: &dyn Judge) {
        self.selected = 0;
        let typed = self.line.text().trim();
        if typed.is_empty() {
            self.shown = self.candidates.iter().take(MOST).cloned().collect();
            return;
        }
        let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut hits: Vec<(u32, usize)> = self
            .candidates
            .iter()
            .enumerate()
            .filter_map(|(index, candidate)| {
                let score = pattern.score(Utf32Str::new(&candidate.text, &mut buffer), &mut matcher)?;
                Some((score, index))
            })
            .collect();
        // What is possible stands before what is not; then the better match, then the order of the table.
        hits.sort_by_key(|(score, index)| {
            (
                self.candidates[*index].refused.is_some(),
                std::cmp::Reverse(*score),
                *index,
            )
        });
        let deeds = deeds::find(
            self.line.text().trim_start(),
            self.current.as_ref(),
            &self.targets,
            judge,
        );
        let (possible, refused): (Vec<_>, Vec<_>) =
            deeds.into_iter().partition(|deed| deed.refused.is_none());
        self.shown = filter_of(typed).into_iter().collect();
        self.shown.extend(possible);
        // What cannot be done stands behind everything that can.
        let (open, closed): (Vec<_>, Vec<_>) = hits
            .into_iter()
            .take(MOST)
            .map(|(_, index)| self.candidates[index].clone())
            .partition(|candidate| candidate.refused.is_none());
        self.shown.extend(open);
        self.shown.extend(refused);
        self.shown.extend(closed);
        self.shown.truncate(MOST);
    }

    /// The lines that fit, the best first.
    pub fn shown(&self) -> &[Candidate] {
        &self.shown
    }

    /// Which of them is selected.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Moves the selection; above the first line, `↑` brings back what was typed before.
    pub fn step(&mut self, lines: isize, judge: &dyn Judge) {
        if lines < 0 && self.selected == 0 {
            self.recall(judge);
            return;
        }
        let last = self.shown.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines).min(last);
    }

    fn recall(&mut self, judge: &dyn Judge) {
        let next = match self.past_at {
            None => self.past.len().checked_sub(1),
            Some(at) => Some(at.saturating_sub(1)),
        };
        if let Some(text) = next.and_then(|at| self.past.get(at)) {
            self.line = Line::new(text);
            self.past_at = next;
            self.search(judge);
        }
    }

    /// Completes the line to the selected candidate's text.
    pub fn complete(&mut self, judge: &dyn Judge) {
        if let Some(candidate) = self.shown.get(self.selected) {
            self.line = Line::new(candidate.fill.as_ref().unwrap_or(&candidate.text));
            self.search(judge);
        }
    }

    /// Selects the line at a place of the screen; returns whether there is one.
    pub fn click(&mut self, x: u16, y: u16) -> bool {
        let (area, first) = self.drawn;
        let at = first + usize::from(y.saturating_sub(area.y));
        let hit = area.contains((x, y).into()) && at < self.shown.len();
        if hit {
            self.selected = at;
        }
        hit
    }

    /// What `Enter` chooses.
    ///
    /// # Errors
    /// The reason why the selected line is not possible, or that nothing fits.
    pub fn choose(&self) -> Result<Choice, String> {
        match self.shown.get(self.selected) {
            Some(Candidate {
                refused: Some(reason),
                ..
            }) => Err(reason.clone()),
            Some(candidate) => Ok(candidate.choice.clone()),
            None => Err("nothing fits what is typed".to_owned()),
        }
    }
}

/// `guests status:stopped` is a place with a filter.
fn filter_of(typed: &str) -> Option<Candidate> {
    let (name, filter) = typed.split_once(char::is_whitespace)?;
    let filter = filter.trim();
    let place = [
        Place::Nodes,
        Place::Guests,
        Place::Storages,
        Place::Datastores,
        Place::ServerBackups,
        Place::Tasks,
        Place::Alerts,
        Place::Silences,
        Place::Findings,
    ]
    .into_iter()
    .find(|place| place.label() == name)?;
    (!filter.is_empty()).then(|| Candidate {
        text: format!("{name} {filter}"),
        note: "filter".to_owned(),
        fill: None,
        choice: Choice::Filter(place, filter.to_owned()),
        refused: None,
    })
}

#[cfg(test)]
mod tests;
