//! Theme files and the environment become themes and signs for this terminal.

use ratatui::style::{Color, Modifier, Style};

use crate::{
    settings::{
        ColorDepth, ColorSpec, Places, Ui,
        theme::{self, StyleSpec, ThemeSpec},
    },
    ui::{Glyphs, Theme, Tone, graph::Dots, theme::ANSI},
};

/// The themes to go through, the chosen one first, and what was wrong with any of them.
pub fn themes(places: &Places, ui: &Ui, depth: ColorDepth) -> (Vec<Theme>, Vec<String>) {
    let chosen = ui
        .theme
        .clone()
        .unwrap_or_else(|| theme::fitting(depth).to_owned());
    let mut names = theme::names(places);
    names.retain(|name| *name != chosen);
    names.insert(0, chosen);
    let mut themes = Vec::new();
    let mut warnings = Vec::new();
    for name in names {
        match theme::load(places, &name) {
            Ok(spec) => themes.push(theme_of(&spec.reduced(depth))),
            Err(problems) => warnings.push(problems.to_string()),
        }
    }
    (themes, warnings)
}

fn theme_of(spec: &ThemeSpec) -> Theme {
    Theme::new(
        spec.name.clone(),
        Tone::ALL
            .iter()
            .map(|(name, tone)| (*tone, style_of(spec.style(name)))),
    )
}

fn style_of(spec: StyleSpec) -> Style {
    let mut style = Style {
        fg: spec.fg.map(color_of),
        bg: spec.bg.map(color_of),
        ..Style::default()
    };
    for (on, modifier) in [
        (spec.bold, Modifier::BOLD),
        (spec.dim, Modifier::DIM),
        (spec.underline, Modifier::UNDERLINED),
        (spec.reverse, Modifier::REVERSED),
        (spec.italic, Modifier::ITALIC),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

fn color_of(color: ColorSpec) -> Color {
    match color {
        ColorSpec::Reset => Color::Reset,
        ColorSpec::Ansi(index) => ANSI.get(usize::from(index)).copied().unwrap_or(Color::Reset),
        ColorSpec::Indexed(index) => Color::Indexed(index),
        ColorSpec::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

/// The signs that the terminal can show: ASCII if asked for, or if the locale is not UTF-8.
pub fn glyphs(ui: &Ui, var: impl Fn(&str) -> Option<String>) -> Glyphs {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| var(name).filter(|value| !value.is_empty()));
    let utf8 = locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        // `C` and `POSIX` say nothing about the terminal: over SSH they are mostly just not set up.
        locale.contains("utf") || locale == "c" || locale == "posix"
    });
    if ui.ascii || !utf8 {
        Glyphs::ASCII
    } else if var("TERM").is_some_and(|term| term == "linux") {
        // The font of the Linux console has half blocks, but no braille.
        Glyphs {
            dots: Dots::Block,
            ..Glyphs::UNICODE
        }
    } else {
        Glyphs::UNICODE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_names_only_known_tones() {
        for name in theme::TONES {
            assert!(Tone::from_name(name).is_some(), "{name}");
        }
        assert_eq!(theme::TONES.len(), Tone::ALL.len());
    }

    #[test]
    fn an_old_locale_gets_ascii() {
        let ui = Ui::default();
        let with =
            |value: &'static str| glyphs(&ui, move |name| (name == "LANG").then(|| value.to_owned())).ascii;
        assert!(with("de_DE.ISO-8859-1"));
        assert!(!with("de_DE.UTF-8"));
        assert!(!with("C"));
    }
}
