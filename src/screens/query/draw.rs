//! How a query and its answer look.

use super::{OFFERS, Query};
use crate::{
    domain::MonitorKind,
    screens::Cx,
    store::FeedErrorKind,
    ui::{Canvas, Rect, Tone, safe},
};

impl Query {
    pub(super) fn paint(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>) {
        let width = canvas.width();
        let Some(server) = self.server(cx) else {
            let text = "no Prometheus and no exporter is configured: see [[prometheus]] and [[exporter]] of \
                        `pvedeck config print`";
            canvas.text(1, 0, text, width.saturating_sub(1), Tone::Muted);
            return;
        };
        let prompt = match server.id().kind {
            MonitorKind::Exporter => "series with ",
            _ => "promql ",
        };
        let start = 1 + canvas.text(1, 0, prompt, width, Tone::Key);
        let typing = self.draft != self.asked;
        let line = if typing { &self.draft } else { &self.asked };
        if line.is_empty() {
            let hint = match server.id().kind {
                MonitorKind::Exporter => "/ and words: node_cpu mode=\"idle\"",
                _ => "/ and a query: sum by (instance) (rate(node_cpu_seconds_total[5m]))",
            };
            canvas.text(start, 0, hint, width.saturating_sub(start), Tone::Muted);
        } else {
            canvas.text(start, 0, line, width.saturating_sub(start), Tone::Text);
        }
        let mut y = 1;
        if typing {
            for name in self.offers(cx).into_iter().take(OFFERS) {
                canvas.text(start, y, name, width.saturating_sub(start), Tone::Muted);
                y += 1;
            }
        } else {
            y = self.complaints(canvas, cx, start, y);
        }
        let area = canvas.area();
        let rest = Rect {
            y: area.y + y.min(area.height),
            height: area.height.saturating_sub(y),
            ..area
        };
        let mut rest = canvas.part(rest);
        if self.table {
            self.paint_rows(&mut rest);
            return;
        }
        let drawn = self.graph.as_mut().and_then(|graph| {
            // The present moves on between two refreshes.
            graph.extent = self.view.extent(cx.now);
            graph.cursor = self.view.cursor();
            graph.draw(&mut rest)
        });
        self.drawn = drawn;
    }

    /// What the server has against the query, and what it warns of. Says where the rest begins.
    fn complaints(&self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, start: u16, mut y: u16) -> u16 {
        let width = canvas.width();
        let monitors = &cx.store.monitors;
        let Some(key) = self.key(cx) else { return y };
        if let Some(error) = monitors.freshness(&key).error {
            if let FeedErrorKind::Query(Some((1, column))) = error.kind {
                // Columns are counted in letters, from one.
                let before: String = self.asked.chars().take(column.saturating_sub(1)).collect();
                let x = start.saturating_add(safe::width(&safe::clean(&before)) as u16);
                canvas.text(x, y, "^", 1, Tone::Bad);
                y += 1;
            }
            canvas.text(1, y, &error.message, width.saturating_sub(1), Tone::Bad);
            y += 1;
        }
        let warnings = monitors.answer(&key).map(|answer| &answer.warnings);
        for warning in warnings.into_iter().flatten().take(3) {
            let text = format!("warning: {warning}");
            canvas.text(1, y, &text, width.saturating_sub(1), Tone::Warn);
            y += 1;
        }
        y
    }

    fn paint_rows(&self, canvas: &mut Canvas<'_>) {
        let width = canvas.width();
        if self.rows.is_empty() && !self.asked.is_empty() {
            canvas.text(1, 0, "no series", width, Tone::Muted);
        }
        let height = usize::from(canvas.height());
        let widest = self.rows.iter().skip(self.offset).take(height);
        let values = widest
            .map(|row| safe::width(&safe::clean(&row.value)))
            .max()
            .unwrap_or(0);
        let values = (values as u16).min(width / 2);
        let names = width.saturating_sub(values + 3);
        for (y, row) in self.rows.iter().skip(self.offset).take(height).enumerate() {
            let y = y as u16;
            canvas.text(1, y, &row.name, names, Tone::Text);
            let value = safe::width(&safe::clean(&row.value)) as u16;
            let x = width.saturating_sub(value.min(values) + 1);
            canvas.text(x, y, &row.value, values, Tone::Accent);
        }
        canvas.scroll_bar(self.offset, self.rows.len());
    }

    /// What is said where nothing is to be seen.
    pub(super) fn emptiness(&self, cx: &Cx<'_>) -> String {
        let Some(key) = self.key(cx) else {
            return "ask something".to_owned();
        };
        let fresh = cx.store.monitors.freshness(&key);
        match (fresh.data_at, fresh.error) {
            (None, Some(_)) => "no answer".to_owned(),
            (None, None) => "waiting".to_owned(),
            (Some(_), _) if self.series > 0 => "no values in this time yet".to_owned(),
            (Some(_), _) => "no series".to_owned(),
        }
    }
}
