//! How the confirmation looks: calls, then risks, then how it is run and what it takes. Where there is no room for
//! all, calls give way to risks, and both can be scrolled.

use super::Confirm;
use crate::{
    plan::{Danger, Plan, Weight},
    ui::{
        Canvas, Glyphs, Rect, Tone, safe,
        wrap::{Wrapped, wrap},
    },
};

/// Widest that it gets.
const WIDEST: u16 = 110;

/// Draws the confirmation over the canvas.
pub fn draw(canvas: &mut Canvas<'_>, confirm: &mut Confirm) {
    let room = canvas.area();
    let width = room.width.saturating_sub(4).clamp(20.min(room.width), WIDEST);
    let columns = usize::from(width.saturating_sub(4));
    let g = canvas.glyphs();
    let steps = confirm.plan.as_ref().map_or_else(|_| Vec::new(), steps);
    let risks = remarks(confirm, g, columns);
    let below = below(confirm, columns);
    let gap = usize::from(!risks.is_empty());
    let wanted = steps.len() + gap + risks.len() + 1 + below.len() + 2;
    let height = wanted.min(room.height.into()) as u16;
    let mut popup = canvas.part(Rect {
        x: room.x + (room.width - width) / 2,
        y: room.y + (room.height - height) / 3,
        width,
        height,
    });
    popup.clear();
    popup.frame(Tone::BorderFocus);
    draw_title(&mut popup, confirm);
    let mut inside = popup.inner();
    let free = usize::from(inside.height()).saturating_sub(below.len() + 1);
    // Calls give way to risks, but at most to half of the room.
    let risk_room = risks
        .len()
        .min((free / 2).max(free.saturating_sub(steps.len() + gap)));
    let step_room = free.saturating_sub(risk_room + gap).min(steps.len());
    confirm.last = (steps.len() - step_room) + (risks.len() - risk_room);
    confirm.offset = confirm.offset.min(confirm.last);
    let first_step = confirm.offset.min(steps.len() - step_room);
    let first_risk = confirm.offset - first_step;
    let mut y = 0;
    for (number, (call, parameters)) in steps.iter().enumerate().skip(first_step).take(step_room) {
        draw_step(&mut inside.row(y), number + 1, steps.len(), call, parameters);
        y += 1;
    }
    let hidden = steps.len() - step_room;
    if hidden > 0 {
        let all = inside.area();
        let height = step_room as u16;
        inside
            .part(Rect { height, ..all })
            .scroll_bar(first_step, steps.len());
    }
    y += gap as u16;
    let risks_at = inside.area().y + y;
    for line in risks.iter().skip(first_risk).take(risk_room) {
        draw_line(&mut inside, y, line);
        y += 1;
    }
    if risks.len() > risk_room {
        let all = inside.area();
        let height = risk_room as u16;
        let area = Rect {
            y: risks_at,
            height,
            ..all
        };
        inside.part(area).scroll_bar(first_risk, risks.len());
    }
    let first = inside.height().saturating_sub(below.len() as u16);
    for (y, line) in (first..).zip(&below) {
        draw_line(&mut inside, y, line);
    }
    if confirm.typing && confirm.plan.is_ok() {
        let y = inside.height().saturating_sub(2);
        let prompt = prompt(confirm);
        let mut row = inside.row(y);
        let mut row = row.part(Rect {
            x: row.area().x + 1,
            width: row.area().width.saturating_sub(2),
            ..row.area()
        });
        confirm.word.draw(&mut row, &prompt);
    }
}

fn draw_title(popup: &mut Canvas<'_>, confirm: &Confirm) {
    let width = popup.width();
    let (title, count) = match &confirm.plan {
        Ok(plan) => (format!(" Plan: {} ", plan.title), counts(plan)),
        Err(_) => (
            format!(" {}: not possible ", confirm.wish.deed.title()),
            String::new(),
        ),
    };
    let taken = safe::width(&count) as u16;
    popup.text(2, 0, &title, width.saturating_sub(taken + 5), Tone::Title);
    if taken + 20 < width {
        popup.text(width - taken - 2, 0, &count, taken, Tone::Muted);
    }
}

fn counts(plan: &Plan) -> String {
    let plural = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    let steps = plural(plan.steps.len(), "step");
    if plan.risks.is_empty() {
        return format!(" {steps} ");
    }
    format!(" {steps}, {} ", plural(plan.risks.len(), "risk"))
}

/// Each call in two parts: what is called, and with what.
fn steps(plan: &Plan) -> Vec<(String, String)> {
    let several = plan
        .steps
        .windows(2)
        .any(|pair| pair[0].cluster != pair[1].cluster);
    plan.steps
        .iter()
        .map(|step| {
            let cluster = if several {
                format!("{}: ", step.cluster)
            } else {
                String::new()
            };
            let call = format!("{cluster}{} {}", step.call.method.as_str(), step.call.path());
            let parameters: Vec<String> = step
                .call
                .shown()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            (call, parameters.join(" "))
        })
        .collect()
}

fn draw_step(row: &mut Canvas<'_>, number: usize, of: usize, call: &str, parameters: &str) {
    let digits = of.to_string().len();
    let mut x = 1 + row.text(1, 0, &format!("{number:>digits$} "), 8, Tone::Muted);
    let room = row.width().saturating_sub(2);
    x += row.text(x, 0, call, room.saturating_sub(x), Tone::Text);
    if !parameters.is_empty() && x + 4 < room {
        row.text(x + 2, 0, parameters, room - x - 2, Tone::Accent);
    }
}

/// Risks with their signs, what cannot be known, and why it is not possible.
fn remarks(confirm: &Confirm, g: &Glyphs, columns: usize) -> Vec<Wrapped> {
    let mut lines = Vec::new();
    let mut say = |sign: &str, text: &str, tone: Tone| {
        let text = wrap(&[(text, Tone::Text)], columns.saturating_sub(3));
        for (index, mut line) in text.into_iter().enumerate() {
            let sign = if index == 0 { sign } else { " " };
            line.insert(0, (format!(" {sign} "), tone));
            lines.push(line);
        }
    };
    match &confirm.plan {
        Ok(plan) => {
            for risk in &plan.risks {
                let (sign, tone) = match risk.weight {
                    Weight::Danger => (g.failed, Tone::Critical),
                    Weight::Warning => (g.warn, Tone::Warn),
                    Weight::Note => (g.dot, Tone::Info),
                };
                say(sign, &risk.text, tone);
            }
        }
        Err(refusal) => say(g.failed, &refusal.to_string(), Tone::Bad),
    }
    for sentence in &confirm.reading.failed {
        say(g.unknown, &format!("not known: {sentence}"), Tone::Warn);
    }
    lines
}

/// How it is run, what is still being read, and what the keys do.
fn below(confirm: &Confirm, columns: usize) -> Vec<Wrapped> {
    let piece = |text: &str, tone: Tone| (text.to_owned(), tone);
    let mut lines = Vec::new();
    if confirm.has_several() {
        let at_once = confirm.options.at_once.to_string();
        let failing = if confirm.options.go_on { "go on" } else { "stop" };
        lines.push(vec![
            piece(" how many at once: ", Tone::Muted),
            (at_once, Tone::Text),
            piece("  +/-", Tone::Key),
            piece("     on failure: ", Tone::Muted),
            piece(failing, Tone::Text),
            piece("  f", Tone::Key),
        ]);
    }
    if !confirm.is_complete() {
        let text = format!("still reading: {}", confirm.reading.waiting.join(", "));
        for mut line in wrap(&[(text, Tone::Info)], columns) {
            line.insert(0, piece(" ", Tone::Info));
            lines.push(line);
        }
    }
    if confirm.danger() == Danger::TypeName {
        lines.push(vec![(format!(" {}", prompt(confirm)), Tone::Muted)]);
    }
    let hints: &[(&str, &str)] = match (&confirm.plan, confirm.danger(), confirm.typing) {
        (Err(_), ..) => &[("e", "edit"), ("esc", "close")],
        (_, Danger::TypeName, true) => &[
            ("enter", "run"),
            ("tab", "keys"),
            ("ctrl-x", "export"),
            ("esc", "cancel"),
        ],
        (_, Danger::TypeName, false) => &[
            ("tab", "type"),
            ("e", "edit"),
            ("x", "export as shell"),
            ("esc", "cancel"),
        ],
        (_, Danger::Confirm, _) => &[
            ("y", "or"),
            ("enter", "run"),
            ("e", "edit"),
            ("x", "export as shell"),
            ("n", "or"),
            ("esc", "cancel"),
        ],
        (_, Danger::None, _) => &[
            ("enter", "run"),
            ("e", "edit"),
            ("x", "export as shell"),
            ("esc", "cancel"),
        ],
    };
    let mut line = vec![piece(" ", Tone::Text)];
    for (key, word) in hints {
        line.push(piece(key, Tone::Key));
        let gap = if *word == "or" { " " } else { "   " };
        line.push((format!(" {word}{gap}"), Tone::Muted));
    }
    lines.push(line);
    lines
}

fn prompt(confirm: &Confirm) -> String {
    let word = confirm.plan.as_ref().map_or("", |plan| plan.word.as_str());
    format!("type {} to go on: ", safe::clean(word))
}

fn draw_line(canvas: &mut Canvas<'_>, y: u16, line: &Wrapped) {
    let mut x = 0;
    for (text, tone) in line {
        x += canvas.text(x, y, text, canvas.width().saturating_sub(x), *tone);
    }
}
