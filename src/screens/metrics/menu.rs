//! The small menus of the pane: which metric, how much of time.

use jiff::SignedDuration;

use crate::{
    domain::{
        MonitorKind, ObjectRef,
        measure::{Measure, Shown},
        template::Of,
    },
    screens::Cx,
    ui::{Canvas, Rect, Tone},
};

/// How much of time can be chosen, with its name.
pub const RANGES: [(&str, i64); 9] = [
    ("10 min", 600),
    ("30 min", 1800),
    ("1 h", 3600),
    ("6 h", 21_600),
    ("1 day", 86_400),
    ("1 week", 604_800),
    ("1 month", 2_592_000),
    ("3 months", 7_776_000),
    ("1 year", 31_536_000),
];

/// The name of a span of time: that of the menu, or in its own units.
pub fn span_name(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    RANGES.iter().find(|(_, known)| *known == seconds).map_or_else(
        || crate::domain::quantity::long_span(seconds),
        |(name, _)| (*name).to_owned(),
    )
}

/// A metric of the menu.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    /// What it shows.
    pub(super) shown: Shown,
    /// What it is. Foreign text, if it comes from the configuration.
    title: String,
}

/// What can be shown of an object: what Proxmox knows, and what its Prometheus has beside that.
pub(super) fn entries(cx: &Cx<'_>, object: &ObjectRef) -> Vec<Entry> {
    let known = Measure::of(object);
    let mut entries: Vec<Entry> = known
        .iter()
        .map(|measure| Entry {
            shown: (*measure).into(),
            title: measure.title().to_owned(),
        })
        .collect();
    let monitors = &cx.store.monitors;
    let server = monitors.watching(MonitorKind::Prometheus, object.cluster());
    let (Some(of), Some(server)) = (Of::object(object), server) else {
        return entries;
    };
    let covered = |name: &str| {
        let mut metrics = known.iter().flat_map(|measure| measure.metrics());
        metrics.any(|(_, metric)| *metric == name)
    };
    for template in monitors.templates.iter().filter(|template| template.of == of) {
        let shown = Shown::Metric(template.name.clone());
        let there = template.needs.iter().any(|metric| server.has(metric));
        if there && !covered(&template.name) && entries.iter().all(|entry| entry.shown != shown) {
            let title = template.title.to_string();
            entries.push(Entry { shown, title });
        }
    }
    entries
}

/// An open menu.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Menu {
    /// Of metrics; the number of the selected one.
    Measure(usize),
    /// Of spans of time.
    Range(usize),
}

/// What is chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Chosen {
    Metric(Shown),
    Range(SignedDuration),
}

impl Menu {
    /// The menu of metrics, at the one that is shown.
    pub(super) fn measures(all: &[Entry], shown: &Shown) -> Self {
        Self::Measure(all.iter().position(|one| one.shown == *shown).unwrap_or(0))
    }

    /// The menu of spans, at the one that is shown, or the next longer.
    pub(super) fn ranges(shown: SignedDuration) -> Self {
        let at = RANGES.iter().position(|(_, seconds)| *seconds >= shown.as_secs());
        Self::Range(at.unwrap_or(RANGES.len() - 1))
    }

    /// Moves the selection; behind the last comes the first.
    pub(super) fn step(&mut self, by: isize, all: &[Entry]) {
        let (at, count) = match self {
            Self::Measure(at) => (at, all.len()),
            Self::Range(at) => (at, RANGES.len()),
        };
        if count > 0 {
            *at = (*at as isize + by).rem_euclid(count as isize) as usize;
        }
    }

    /// What is selected.
    pub(super) fn chosen(self, all: &[Entry]) -> Option<Chosen> {
        match self {
            Self::Measure(at) => all.get(at).map(|entry| Chosen::Metric(entry.shown.clone())),
            Self::Range(at) => RANGES
                .get(at)
                .map(|(_, seconds)| Chosen::Range(SignedDuration::from_secs(*seconds))),
        }
    }

    fn lines(self, all: &[Entry]) -> Vec<String> {
        match self {
            Self::Measure(_) => all
                .iter()
                .map(|entry| format!("{:<9} {}", entry.shown.as_str(), entry.title))
                .collect(),
            Self::Range(_) => RANGES.iter().map(|(name, _)| (*name).to_owned()).collect(),
        }
    }

    /// Draws the menu over the left of a graph, scrolled so far that the selected line is seen.
    pub(super) fn draw(self, canvas: &mut Canvas<'_>, all: &[Entry]) {
        let lines = self.lines(all);
        let (Self::Measure(selected) | Self::Range(selected)) = self;
        let widest = lines.iter().map(String::len).max().unwrap_or(0) as u16;
        let area = canvas.area();
        let mut part = canvas.part(Rect {
            width: (widest + 6).min(area.width),
            height: (lines.len() as u16 + 2).min(area.height),
            ..area
        });
        part.clear();
        part.frame(Tone::BorderFocus);
        let mut inside = part.inner();
        let (width, rows) = (inside.width(), usize::from(inside.height()));
        let first = (selected + 1).saturating_sub(rows);
        for (row, (index, line)) in lines.iter().enumerate().skip(first).take(rows).enumerate() {
            let pointer = if index == selected {
                inside.glyphs().pointer
            } else {
                " "
            };
            inside.text(0, row as u16, &format!("{pointer} {line}"), width, Tone::Text);
            if index == selected {
                inside.tint_row(row as u16, Tone::Selection);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_goes_round_and_chooses() {
        let all = [Measure::Cpu, Measure::Memory].map(|measure| Entry {
            shown: measure.into(),
            title: measure.title().to_owned(),
        });
        let mut menu = Menu::measures(&all, &Measure::Memory.into());
        assert_eq!(menu.chosen(&all), Some(Chosen::Metric(Measure::Memory.into())));
        menu.step(1, &all);
        assert_eq!(menu.chosen(&all), Some(Chosen::Metric(Measure::Cpu.into())));
        menu.step(-1, &[]);
        assert_eq!(Menu::ranges(SignedDuration::from_secs(601)), Menu::Range(1));
        assert_eq!(Menu::ranges(SignedDuration::from_hours(99_999)), Menu::Range(8));
    }

    #[test]
    fn spans_have_the_names_of_the_menu() {
        assert_eq!(span_name(SignedDuration::from_hours(24)), "1 day");
        assert_eq!(span_name(SignedDuration::from_mins(31)), "31m 00s");
    }
}
