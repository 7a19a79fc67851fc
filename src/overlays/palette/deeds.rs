//! Deeds in the palette: `shut web` is a deed and a target, `snap 104 before-up` has an argument as well.
//!
//! What always holds here:
//! - Deed, target and argument are matched one after the other, never their product: the work grows with the number
//!   of targets, not with that times the deeds.
//! - What is matched is what stands there, not letters that happen to follow each other: these lines change the world.

use super::{Candidate, Choice};
use crate::{
    actions::deed::Row,
    domain::ObjectRef,
    plan::{Argument, Arguments, DEEDS, Deed, Offer, value_fits},
};

/// Lines of which it is asked whether they are possible.
const ASKED: usize = 300;
/// Lines that are kept.
const KEPT: usize = 60;
/// Targets for which values are offered.
const COMPLETED: usize = 3;
/// Values that are offered for a target.
const VALUES: usize = 12;
/// Words that the name of a deed may be typed in.
const WORDS: usize = 3;

/// What deeds can be done to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// One object, or all that are marked.
    pub objects: Vec<ObjectRef>,
    /// The word that means it: a VMID, the name of a node.
    pub word: String,
    /// What stands behind that word: `web-01 (pve1)`. Foreign text.
    pub rest: String,
    /// All of it in lower case.
    haystack: String,
}

impl Target {
    /// A target with the word that means it and what else it is known by.
    pub fn new(objects: Vec<ObjectRef>, word: String, rest: String) -> Self {
        let haystack = format!("{word} {rest}").to_lowercase();
        Self {
            objects,
            word,
            rest,
            haystack,
        }
    }

    fn text(&self) -> String {
        format!("{} {}", self.word, self.rest).trim().to_owned()
    }

    /// How well words fit: the less the better.
    fn rank(&self, words: &[&str]) -> Option<usize> {
        words.iter().map(|word| rank(&self.haystack, word)).sum()
    }
}

/// How well a typed word fits a text, both in lower case: as a word of it, as the beginning of one, or inside.
fn rank(text: &str, typed: &str) -> Option<usize> {
    if !text.contains(typed) {
        return None;
    }
    let words = || text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
    if words().any(|word| word == typed) {
        Some(0)
    } else if words().any(|word| word.starts_with(typed)) {
        Some(1)
    } else {
        Some(2)
    }
}

/// Who knows what is possible and what there is.
pub trait Judge {
    /// Whether a deed can be done to one of these at least.
    ///
    /// # Errors
    /// The reason why not.
    fn possible(&self, deed: Deed, targets: &[ObjectRef]) -> Result<(), String>;

    /// What an argument may be.
    fn offers(&self, deed: Deed, argument: &str, targets: &[ObjectRef], given: &Arguments) -> Vec<Offer>;
}

/// What fits the typed line, the best first.
pub(super) fn find(
    typed: &str,
    current: Option<&Target>,
    targets: &[Target],
    judge: &dyn Judge,
) -> Vec<Candidate> {
    let lower = typed.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let exact: Vec<&str> = typed.split_whitespace().collect();
    let open = typed.ends_with(char::is_whitespace);
    let mut hits: Vec<(usize, Hit<'_>)> = Vec::new();
    for split in 1..=words.len().min(WORDS) {
        let rows: Vec<(usize, &'static Row)> = DEEDS
            .iter()
            .filter_map(|row| Some((deed_rank(row, &words[..split])?, row)))
            .collect();
        if rows.is_empty() {
            // A longer name fits even less.
            break;
        }
        let rest = Rest {
            lower: &words[split..],
            exact: &exact[split..],
            open,
        };
        for (rank, hit) in rest.hits(&rows, current, targets, judge) {
            // What is typed on is meant as more of the deed before it is meant as a target.
            hits.push((rank, hit));
        }
    }
    // Of two that fit alike, the one whose title says the least beside what was typed: `delete` is a whole deed.
    let title = |hit: &Hit<'_>| hit.row.action.title.split_whitespace().count();
    hits.sort_by_key(|(rank, hit)| (*rank, title(hit), hit.row.deed, hit.index));
    hits.dedup_by(|(_, a), (_, b)| {
        a.row.deed == b.row.deed && a.index == b.index && a.arguments == b.arguments
    });
    hits.truncate(ASKED);
    let mut found: Vec<Candidate> = hits.into_iter().map(|(_, hit)| hit.candidate(judge)).collect();
    // The order within both is kept.
    found.sort_by_key(|candidate| candidate.refused.is_some());
    found.truncate(KEPT);
    found
}

/// How well words fit a deed: its title, or its name without what it is done to.
fn deed_rank(row: &Row, words: &[&str]) -> Option<usize> {
    let name = row.action.name;
    if let [word] = words
        && word.contains('.')
    {
        return name.starts_with(word).then_some(usize::from(name != *word));
    }
    let verb = name.split_once('.').map_or(name, |(_, verb)| verb);
    let text = format!("{} {}", row.action.title.to_lowercase(), verb);
    words
        .iter()
        .map(|word| rank(&text, word).filter(|rank| *rank < 2 || word.len() > 2))
        .sum()
}

/// What is typed behind the deed.
struct Rest<'a> {
    lower: &'a [&'a str],
    /// As it was typed: values of arguments are taken as they are.
    exact: &'a [&'a str],
    /// Whether a blank follows.
    open: bool,
}

impl Rest<'_> {
    fn hits<'t>(
        &self,
        rows: &[(usize, &'static Row)],
        current: Option<&'t Target>,
        targets: &'t [Target],
        judge: &dyn Judge,
    ) -> Vec<(usize, Hit<'t>)> {
        let mut hits = Vec::new();
        let fits =
            |row: &Row, target: &Target| target.objects.first().is_some_and(|object| row.object.is(object));
        if let Some(target) = current {
            for (rank, row) in rows.iter().filter(|(_, row)| fits(row, target)) {
                if self.lower.is_empty() {
                    hits.push((*rank * 10, Hit::plain(row, 0, target)));
                }
                // What is selected needs no name: its argument may follow at once.
                if !self.exact.is_empty() || self.open {
                    let more = self.with_arguments(row, 0, target, self.exact, judge);
                    hits.extend(more.into_iter().map(|hit| (*rank * 10 + 5, hit)));
                }
            }
        }
        let Some(first) = self.lower.first() else {
            return hits;
        };
        let matching = |words: &[&str]| -> Vec<(usize, usize, &'t Target)> {
            let all = targets.iter().enumerate();
            let mut found: Vec<_> = all
                .filter_map(|(index, target)| Some((target.rank(words)?, index + 1, target)))
                .collect();
            found.sort_by_key(|(rank, index, _)| (*rank, *index));
            found
        };
        let found = matching(self.lower);
        for (rank, row) in rows {
            let fitting = found
                .iter()
                .filter(|(_, _, target)| fits(row, target))
                .take(ASKED);
            hits.extend(
                fitting.map(|(more, index, target)| (rank * 10 + more, Hit::plain(row, *index, target))),
            );
        }
        // Names hold no blanks: the first word is the target, what follows are values.
        if self.lower.len() > 1 || self.open {
            let found = matching(&[first]);
            for (rank, row) in rows.iter().filter(|(_, row)| !row.arguments.is_empty()) {
                let fitting = found
                    .iter()
                    .filter(|(_, _, target)| fits(row, target))
                    .take(COMPLETED);
                for (more, index, target) in fitting {
                    let with = self.with_arguments(row, *index, target, &self.exact[1..], judge);
                    hits.extend(with.into_iter().map(|hit| (rank * 10 + more + 1, hit)));
                }
            }
        }
        hits
    }

    /// The deed with the values that were typed, the last one completed from what there is.
    fn with_arguments<'t>(
        &self,
        row: &'static Row,
        index: usize,
        target: &'t Target,
        values: &[&str],
        judge: &dyn Judge,
    ) -> Vec<Hit<'t>> {
        let (last, before) = match values.split_last() {
            Some((last, before)) if !self.open => (*last, before),
            _ => ("", values),
        };
        let mut given = Arguments::new();
        for value in before {
            let Some((argument, value)) = place(row, &given, value) else {
                return Vec::new();
            };
            if value_fits(argument, value).is_err() {
                return Vec::new();
            }
            given.insert(argument.name.to_owned(), value.to_owned());
        }
        let Some((argument, typed)) = place(row, &given, last) else {
            return Vec::new();
        };
        let hit = |value: &str, note: String| {
            let mut arguments = given.clone();
            arguments.insert(argument.name.to_owned(), value.to_owned());
            Hit {
                row,
                index,
                target,
                arguments,
                note,
            }
        };
        let offers = judge.offers(row.deed, argument.name, &target.objects, &given);
        let lower = typed.to_lowercase();
        let mut hits: Vec<Hit<'t>> = offers
            .iter()
            .filter(|offer| offer.value.to_lowercase().contains(&lower))
            .take(VALUES)
            .map(|offer| hit(&offer.value, offer.note.clone()))
            .collect();
        let known = offers.iter().any(|offer| offer.value == typed);
        // Whatever does not have to exist may be typed.
        let free = !argument.kind.is_chosen() && !typed.is_empty() && value_fits(argument, typed).is_ok();
        if free && !known {
            hits.insert(0, hit(typed, String::new()));
        }
        hits
    }
}

/// The argument that a typed word is for: by its name, or the first that has no value yet.
fn place<'w>(row: &'static Row, given: &Arguments, typed: &'w str) -> Option<(&'static Argument, &'w str)> {
    if let Some((name, value)) = typed.split_once('=')
        && let Some(argument) = row.arguments.iter().find(|argument| argument.name == name)
    {
        return Some((argument, value));
    }
    let next = row
        .arguments
        .iter()
        .find(|argument| !given.contains_key(argument.name))?;
    Some((next, typed))
}

/// One line that fits.
struct Hit<'t> {
    row: &'static Row,
    /// Which target: 0 is the current one.
    index: usize,
    target: &'t Target,
    arguments: Arguments,
    note: String,
}

impl<'t> Hit<'t> {
    fn plain(row: &'static Row, index: usize, target: &'t Target) -> Self {
        Self {
            row,
            index,
            target,
            arguments: Arguments::new(),
            note: String::new(),
        }
    }

    fn candidate(self, judge: &dyn Judge) -> Candidate {
        let name = self.row.action.name;
        let in_order = self.row.arguments.iter().filter_map(|argument| {
            let value = self.arguments.get(argument.name)?;
            let positional = self.arguments.len() == 1 && self.row.arguments[0].name == argument.name;
            Some(if positional {
                value.clone()
            } else {
                format!("{}={value}", argument.name)
            })
        });
        let values: Vec<String> = in_order.collect();
        let (text, note) = if values.is_empty() {
            (
                format!("{name} {}", self.target.text()),
                self.row.action.title.to_owned(),
            )
        } else {
            let text = format!("{name} {} {}", self.target.word, values.join(" "));
            let note = format!("{}  {}", self.note, self.target.rest);
            (text, note.trim().to_owned())
        };
        let refused = judge.possible(self.row.deed, &self.target.objects).err();
        let own = format!("{} ", self.target.text().split(" (").next().unwrap_or_default());
        let refused = refused.map(|reason| reason.strip_prefix(&own).map_or(reason.clone(), str::to_owned));
        let fill = if values.is_empty() {
            format!("{name} {} ", self.target.word)
        } else {
            text.clone()
        };
        Candidate {
            text,
            note,
            fill: Some(fill),
            choice: Choice::Do {
                deed: self.row.deed,
                targets: self.target.objects.clone(),
                arguments: self.arguments,
            },
            refused,
        }
    }
}
