//! The form: the arguments of a deed, a line each, checked as they are typed and completed from what exists.

mod draw;

pub use draw::draw;

use super::typing::{self, is_ctrl};
use crate::{
    plan::{self, Argument, Arguments, Kind, Offer, Scene, Wish},
    settings::{Key, KeyChord},
    ui::line::Line,
};

/// One argument.
#[derive(Debug)]
struct Field {
    argument: &'static Argument,
    line: Line,
    /// What it may be, as far as is known.
    offers: Vec<Offer>,
    /// Why its value does not fit.
    fault: Option<String>,
}

/// The open form.
#[derive(Debug)]
pub struct Form {
    /// What is wanted, with the arguments as they were given.
    pub wish: Wish,
    /// What it is done to, for the title: `104 web-01`. Foreign text.
    subject: String,
    fields: Vec<Field>,
    focus: usize,
    /// The selected offer of the focused field, among those that are shown.
    chosen: Option<usize>,
    /// Whether the value of the focused field was typed: then only offers that hold it are shown.
    typed: bool,
    /// Fields that somebody has changed: they keep what they have.
    touched: Vec<bool>,
    /// Why the values together do not fit.
    fault: Option<String>,
}

/// What a key does to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It stays open.
    Stay,
    /// It closes, and nothing is done.
    Cancel,
    /// These are the arguments.
    Filled(Arguments),
    /// Something does not fit.
    Refused(String),
}

impl Form {
    /// Opens it for a wish; what has no value gets the first that is offered, if it is needed.
    pub fn new(wish: Wish, subject: String, scene: Scene<'_>) -> Self {
        let arguments = wish.deed.row().arguments;
        let fields: Vec<Field> = arguments
            .iter()
            .map(|argument| Field {
                argument,
                line: Line::new(wish.arguments.get(argument.name).map_or("", String::as_str)),
                offers: Vec::new(),
                fault: None,
            })
            .collect();
        let empty = |field: &Field| field.argument.required && field.line.text().is_empty();
        let focus = fields.iter().position(empty).unwrap_or(0);
        let touched = fields.iter().map(|field| !field.line.text().is_empty()).collect();
        let mut form = Self {
            wish,
            subject,
            fields,
            focus,
            chosen: None,
            typed: false,
            touched,
            fault: None,
        };
        form.renew(scene);
        form
    }

    /// Takes what may be chosen by now, and checks again.
    pub fn renew(&mut self, scene: Scene<'_>) {
        for index in 0..self.fields.len() {
            let given = self.values();
            let field = &mut self.fields[index];
            field.offers = plan::offers(
                self.wish.deed,
                field.argument.name,
                &self.wish.targets,
                &given,
                scene,
            );
            // A name with the time in it would be another one each second.
            let wanted = field.argument.required && field.line.text().is_empty();
            if wanted
                && !self.touched[index]
                && let Some(first) = field.offers.first()
            {
                field.line = Line::new(&first.value);
            }
        }
        self.check(scene);
    }

    fn check(&mut self, scene: Scene<'_>) {
        for field in &mut self.fields {
            let value = field.line.text();
            field.fault = match (value.is_empty(), field.argument.required) {
                (true, true) if field.offers.is_empty() && field.argument.kind.is_chosen() => {
                    Some("there is nothing to choose from".to_owned())
                }
                (true, true) => Some("is needed".to_owned()),
                (true, false) => None,
                (false, _) => plan::value_fits(field.argument, value).err(),
            };
        }
        self.fault = None;
        if self.fields.iter().all(|field| field.fault.is_none()) {
            let made = plan::make(self.wish.deed, &self.wish.targets, &self.values(), scene);
            self.fault = made.err().map(|refusal| refusal.to_string());
        }
    }

    /// The values that are not empty.
    fn values(&self) -> Arguments {
        self.fields
            .iter()
            .filter(|field| !field.line.text().is_empty())
            .map(|field| (field.argument.name.to_owned(), field.line.text().to_owned()))
            .collect()
    }

    /// The offers of the focused field that fit what was typed.
    fn shown(&self) -> Vec<&Offer> {
        let Some(field) = self.fields.get(self.focus) else {
            return Vec::new();
        };
        let typed = field.line.text().to_lowercase();
        let fits = |offer: &&Offer| !self.typed || offer.value.to_lowercase().contains(&typed);
        field.offers.iter().filter(fits).collect()
    }

    fn go(&mut self, field: usize) {
        self.focus = field;
        self.chosen = None;
        self.typed = false;
    }

    fn step(&mut self, lines: isize) {
        let count = self.shown().len();
        if count == 0 {
            let last = self.fields.len().saturating_sub(1);
            return self.go(self.focus.saturating_add_signed(lines).min(last));
        }
        let current = self
            .fields
            .get(self.focus)
            .map(|field| field.line.text().to_owned());
        let at = self.chosen.or_else(|| {
            let same = |offer: &&Offer| Some(&offer.value) == current.as_ref();
            self.shown().iter().position(same)
        });
        let next = match at {
            Some(at) => at.saturating_add_signed(lines).min(count - 1),
            None => 0,
        };
        let value = self.shown().get(next).map(|offer| offer.value.clone());
        if let (Some(value), Some(field)) = (value, self.fields.get_mut(self.focus)) {
            field.line = Line::new(&value);
            self.touched[self.focus] = true;
            self.chosen = Some(next);
        }
    }

    /// Takes the value that stands `index`th among the shown offers.
    pub fn click(&mut self, index: usize, scene: Scene<'_>) {
        self.chosen = None;
        let value = self.shown().get(index).map(|offer| offer.value.clone());
        if let (Some(value), Some(field)) = (value, self.fields.get_mut(self.focus)) {
            field.line = Line::new(&value);
            self.touched[self.focus] = true;
            self.typed = false;
        }
        self.renew(scene);
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str, scene: Scene<'_>) {
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.line.paste(text);
            self.touched[self.focus] = true;
            self.typed = true;
        }
        self.renew(scene);
    }

    /// Takes a key.
    pub fn key(&mut self, chord: &KeyChord, scene: Scene<'_>) -> Answer {
        let count = self.fields.len().max(1);
        match chord.key {
            Key::Esc => return Answer::Cancel,
            Key::Enter => return self.enter(),
            Key::Tab if chord.shift => self.go((self.focus + count - 1) % count),
            Key::Tab => self.tab(count),
            Key::Down => self.step(1),
            Key::Up => self.step(-1),
            _ if is_ctrl(chord, 'n') => self.step(1),
            _ if is_ctrl(chord, 'p') => self.step(-1),
            _ => {
                let edit = typing::edit(chord);
                if let (Some(edit), Some(field)) = (edit, self.fields.get_mut(self.focus)) {
                    field.line.edit(edit);
                    self.touched[self.focus] = true;
                    self.chosen = None;
                    self.typed = true;
                }
            }
        }
        self.renew(scene);
        Answer::Stay
    }

    /// Completes what was typed if it is the beginning of just one offer, else goes to the next field.
    fn tab(&mut self, count: usize) {
        let value = match &self.shown()[..] {
            [only] if self.typed => Some(only.value.clone()),
            _ => None,
        };
        if let (Some(value), Some(field)) = (value, self.fields.get_mut(self.focus))
            && field.line.text() != value
        {
            field.line = Line::new(&value);
            self.typed = false;
        } else {
            self.go((self.focus + 1) % count);
        }
    }

    fn enter(&mut self) -> Answer {
        let faulty = self.fields.iter().position(|field| field.fault.is_some());
        if let Some(index) = faulty {
            let field = &self.fields[index];
            let fault = field.fault.clone().unwrap_or_default();
            let sentence = format!("{} {fault}", field.argument.name);
            if index != self.focus {
                self.go(index);
            }
            return Answer::Refused(sentence);
        }
        match &self.fault {
            Some(fault) => Answer::Refused(fault.clone()),
            None => Answer::Filled(self.values()),
        }
    }

    /// What stands behind a field that has no fault.
    fn help(argument: &Argument) -> String {
        let kind = match argument.kind {
            Kind::Flag => " (1 or 0)",
            _ => "",
        };
        format!("{}{kind}", argument.help)
    }
}
