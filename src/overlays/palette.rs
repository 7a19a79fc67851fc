//! The palette: every place, object and action by name, found by typing parts of it.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use crate::{
    actions::{self, Place},
    ui::line::Line,
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
}

/// One line of the palette.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// What is matched and shown. Foreign text may be part of it.
    pub text: String,
    /// What stands behind it: key, place, status.
    pub note: String,
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
    shown: Vec<Candidate>,
    selected: usize,
    past: Vec<String>,
    past_at: Option<usize>,
}

/// Lines that are kept of a search: more than a screen, less than an estate.
const MOST: usize = 200;

impl Palette {
    /// Opens it over these candidates; `past` is what was typed before, the newest last.
    pub fn new(candidates: Vec<Candidate>, past: Vec<String>) -> Self {
        let mut palette = Self {
            line: Line::default(),
            candidates,
            shown: Vec::new(),
            selected: 0,
            past,
            past_at: None,
        };
        palette.search();
        palette
    }

    /// Finds again what fits the line. Called after each change of it.
    pub fn search(&mut self) {
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
        self.shown = filter_of(typed).into_iter().collect();
        self.shown.extend(
            hits.into_iter()
                .take(MOST)
                .map(|(_, index)| self.candidates[index].clone()),
        );
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
    pub fn step(&mut self, lines: isize) {
        if lines < 0 && self.selected == 0 {
            self.recall();
            return;
        }
        let last = self.shown.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines).min(last);
    }

    fn recall(&mut self) {
        let next = match self.past_at {
            None => self.past.len().checked_sub(1),
            Some(at) => Some(at.saturating_sub(1)),
        };
        if let Some(text) = next.and_then(|at| self.past.get(at)) {
            self.line = Line::new(text);
            self.past_at = next;
            self.search();
        }
    }

    /// Completes the line to the selected candidate's text.
    pub fn complete(&mut self) {
        if let Some(candidate) = self.shown.get(self.selected) {
            self.line = Line::new(&candidate.text);
            self.search();
        }
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
        Place::Tasks,
        Place::Findings,
    ]
    .into_iter()
    .find(|place| place.label() == name)?;
    (!filter.is_empty()).then(|| Candidate {
        text: format!("{name} {filter}"),
        note: "filter".to_owned(),
        choice: Choice::Filter(place, filter.to_owned()),
        refused: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(text: &str, refused: Option<&str>) -> Candidate {
        Candidate {
            text: text.to_owned(),
            note: String::new(),
            choice: Choice::Act(actions::Id::Help),
            refused: refused.map(str::to_owned),
        }
    }

    fn palette() -> Palette {
        Palette::new(
            vec![
                candidate("Quit", None),
                candidate("guest 104 web-01", None),
                candidate("guest 105 db-01", Some("it is gone")),
            ],
            vec!["old".into(), "newer".into()],
        )
    }

    fn type_in(palette: &mut Palette, text: &str) {
        palette.line = Line::new(text);
        palette.search();
    }

    #[test]
    fn parts_of_words_find_their_line() {
        let mut palette = palette();
        type_in(&mut palette, "web 104");
        assert_eq!(palette.shown().len(), 1);
        assert_eq!(palette.choose(), Ok(Choice::Act(actions::Id::Help)));
    }

    #[test]
    fn what_is_refused_says_why() {
        let mut palette = palette();
        type_in(&mut palette, "db");
        assert_eq!(palette.choose(), Err("it is gone".to_owned()));
        type_in(&mut palette, "zzz");
        assert!(palette.choose().is_err());
    }

    #[test]
    fn a_place_takes_a_filter() {
        let mut palette = palette();
        type_in(&mut palette, "guests status:stopped tag:lab");
        assert_eq!(
            palette.choose(),
            Ok(Choice::Filter(Place::Guests, "status:stopped tag:lab".into()))
        );
    }

    #[test]
    fn upwards_from_the_top_is_the_past() {
        let mut palette = palette();
        palette.step(-1);
        assert_eq!(palette.line.text(), "newer");
        palette.step(-1);
        assert_eq!(palette.line.text(), "old");
        palette.step(-1);
        assert_eq!(palette.line.text(), "old");
    }
}
