//! The first line: every cluster in a word, what is wrong, who one is and what one may do.
//!
//! What always holds here: nothing is cut in the middle of a word, and the count of alerts stays in sight. What
//! does not fit goes in the order of the levels below, the least telling first.

use super::App;
use crate::{
    store::{Cluster, Health},
    ui::{Canvas, Cell, Glyphs, Tone, safe},
};

/// How much of the line is shown: each level leaves out more than the one before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Full,
    NoUser,
    /// Healthy clusters say how many of their nodes there are, and no more.
    ShortClusters,
    /// Healthy clusters are a name and a sign.
    BareClusters,
    ShortFindings,
    /// Healthy clusters are a number; the others keep their words.
    Counted,
    /// The others are a name and a sign.
    Signs,
    NoTime,
    /// All clusters are a number.
    Numbers,
    NoBadge,
}

const LEVELS: [Level; 10] = [
    Level::Full,
    Level::NoUser,
    Level::ShortClusters,
    Level::BareClusters,
    Level::ShortFindings,
    Level::Counted,
    Level::Signs,
    Level::NoTime,
    Level::Numbers,
    Level::NoBadge,
];

impl App {
    pub(super) fn draw_header(&self, canvas: &mut Canvas<'_>) {
        let width = canvas.width();
        canvas.tint_row(0, Tone::Header);
        let fits = |(left, right): &(Cell, Cell)| columns(left) + columns(right) <= width;
        let mut tries = LEVELS
            .iter()
            .map(|level| (self.header_left(*level), self.header_right(*level)));
        let (left, right) = tries
            .clone()
            .find(fits)
            .or_else(|| tries.next_back())
            .unwrap_or_default();
        let at = width.saturating_sub(columns(&right));
        canvas.cell(0, 0, at, &left);
        canvas.cell(at, 0, width - at, &right);
    }

    fn header_left(&self, level: Level) -> Cell {
        let g = &self.world.glyphs;
        let name = if level < Level::Signs { " pvedeck " } else { "" };
        let mut cell = Cell::toned(name, Tone::Title);
        let clusters = self.world.store.clusters();
        let one = clusters.len() == 1;
        let mut healthy = 0;
        for cluster in clusters {
            let health = cluster.health(self.world.now);
            let live = health == Health::Live;
            healthy += usize::from(live);
            if level >= Level::Numbers || (live && level >= Level::Counted && !one) {
                continue;
            }
            let (sign, tone) = sign(&health, g);
            let word = match live {
                true if level >= Level::BareClusters && has_quorum(cluster) => String::new(),
                true => quorum(cluster, level < Level::ShortClusters),
                false if level >= Level::Signs => String::new(),
                false => health.word().to_owned(),
            };
            let tone_of_word = if live && has_quorum(cluster) {
                Tone::Muted
            } else {
                tone
            };
            cell = cell
                .then(format!(" {} ", cluster.id()), Tone::Text)
                .then(sign, tone);
            if !word.is_empty() {
                cell = cell.then(format!(" {word}"), tone_of_word);
            }
            cell = cell.then(" ", Tone::Text);
        }
        if level >= Level::Numbers {
            let (sign, tone) = if healthy == clusters.len() {
                (g.on, Tone::Good)
            } else {
                (g.lost, Tone::Bad)
            };
            cell = cell.then(format!(" {healthy}/{} {sign} ", clusters.len()), tone);
        } else if level >= Level::Counted && !one && healthy > 0 {
            let sign = if healthy < clusters.len() { "+" } else { "" };
            cell = cell
                .then(format!(" {sign}{healthy} "), Tone::Text)
                .then(g.on, Tone::Good)
                .then(" ", Tone::Text);
        }
        cell = self.header_findings(cell, level);
        if self.paused {
            cell = cell.then(" paused ", Tone::Warn);
        }
        cell
    }

    fn header_findings(&self, mut cell: Cell, level: Level) -> Cell {
        let g = &self.world.glyphs;
        let (critical, warning) = self.world.store.loud_alarms();
        if critical + warning == 0 {
            return cell;
        }
        let tone = if critical > 0 { Tone::Critical } else { Tone::Warn };
        let short = level >= Level::ShortFindings;
        cell = cell.then(format!(" {} ", g.flag), tone);
        if critical > 0 {
            let text = if short {
                format!("{critical}{} ", g.failed)
            } else {
                format!("{critical} critical ")
            };
            cell = cell.then(text, Tone::Critical);
        }
        if warning > 0 {
            let text = if short {
                format!("{warning}{} ", g.warn)
            } else {
                // The critical ones may stand on a ground of their own, which must not touch these.
                let gap = if critical > 0 { " " } else { "" };
                format!("{gap}{warning} warning ")
            };
            cell = cell.then(text, Tone::Warn);
        }
        cell
    }

    fn header_right(&self, level: Level) -> Cell {
        let mut cell = Cell::empty();
        let under_way = self.world.runs.here().count();
        if under_way > 0 && level < Level::NoTime {
            let runs = if under_way == 1 { "run" } else { "runs" };
            cell = cell.then(
                format!(" {} {under_way} {runs} ", self.world.glyphs.busy),
                Tone::Info,
            );
        }
        if !self.user.is_empty() && level < Level::NoUser {
            cell = cell.then(format!(" {} ", self.user), Tone::Muted);
        }
        if level < Level::NoBadge {
            let (word, tone) = self.badge();
            cell = cell.then(format!(" {word} "), tone);
        }
        if level < Level::NoTime {
            let now = self.world.now.to_zoned(self.world.zone.clone());
            cell = cell.then(format!(" {} ", now.strftime("%H:%M")), Tone::Text);
        }
        cell
    }

    /// What may be done here, in a word: to all clusters, to some, or to none.
    fn badge(&self) -> (&'static str, Tone) {
        let clusters = self.world.store.clusters();
        let writable = clusters
            .iter()
            .filter(|cluster| self.writable.contains(cluster.id()))
            .count();
        match writable {
            0 => ("read-only", Tone::Muted),
            all if all == clusters.len() => ("read-write", Tone::Accent),
            _ => ("mixed", Tone::Accent),
        }
    }
}

fn columns(cell: &Cell) -> u16 {
    safe::width(&safe::clean(&cell.plain())).min(u16::MAX.into()) as u16
}

fn sign<'g>(health: &Health<'_>, g: &'g Glyphs) -> (&'g str, Tone) {
    match health {
        Health::Connecting => (g.unknown, Tone::Muted),
        Health::Live => (g.on, Tone::Good),
        Health::Stale(_) => (g.stale, Tone::Warn),
        Health::Unreachable(_) | Health::SignInRefused(_) => (g.lost, Tone::Bad),
        Health::Untrusted(_) => (g.lost, Tone::Critical),
    }
}

/// Whether nothing is wrong with the quorum, as far as is known.
fn has_quorum(cluster: &Cluster) -> bool {
    cluster
        .status()
        .is_none_or(|status| status.quorate != Some(false))
}

fn quorum(cluster: &Cluster, in_words: bool) -> String {
    let Some(status) = cluster.status() else {
        return String::new();
    };
    let (online, all) = status.online();
    match status.quorate {
        Some(true) if in_words => format!("quorate {online}/{all}"),
        Some(true) => format!("{online}/{all}"),
        Some(false) => format!("NO QUORUM {online}/{all}"),
        // A host that is no cluster.
        None if all > 0 => format!("{online}/{all}"),
        None => String::new(),
    }
}
