//! Theme files: semantic colours. A theme gives each tone a style and inherits the rest.
//!
//! What always holds here:
//! - A resolved theme has an entry for every name in [`TONES`].
//! - Colours are plain values; who draws turns them into what the terminal understands.

use std::{collections::BTreeMap, fs, path::Path};

use toml::de::{DeTable, DeValue};

use super::{
    color::{ColorDepth, ColorSpec},
    places::Places,
    problem::{Problem, Problems, advice},
    reader::Reader,
    secret::{cannot_read, read_text},
};

/// The names that a theme gives a style to.
pub const TONES: &[&str] = &[
    "text",
    "muted",
    "accent",
    "good",
    "warn",
    "bad",
    "critical",
    "info",
    "selection",
    "selection-idle",
    "mark",
    "header",
    "border",
    "border-focus",
    "title",
    "key",
    "graph1",
    "graph2",
    "graph3",
    "graph4",
    "background",
];

/// The themes that are part of the program. The first is the default.
pub const SHIPPED: &[(&str, &str)] = &[
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
    ("contrast", include_str!("../../themes/contrast.toml")),
    ("colorblind", include_str!("../../themes/colorblind.toml")),
];

/// How many themes may inherit from each other in a row.
const MAX_DEPTH: usize = 8;

/// How a tone looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "these are the switches that a terminal has"
)]
pub struct StyleSpec {
    /// Colour of the text.
    pub fg: Option<ColorSpec>,
    /// Colour behind it.
    pub bg: Option<ColorSpec>,
    /// Bold.
    pub bold: bool,
    /// Faint.
    pub dim: bool,
    /// Underlined.
    pub underline: bool,
    /// Foreground and background swapped.
    pub reverse: bool,
    /// Slanted.
    pub italic: bool,
}

/// A theme with all that it inherits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThemeSpec {
    /// Its name: that of its file without `.toml`.
    pub name: String,
    /// A style for each tone.
    pub entries: BTreeMap<String, StyleSpec>,
}

impl ThemeSpec {
    /// The style of a tone.
    pub fn style(&self, tone: &str) -> StyleSpec {
        self.entries.get(tone).copied().unwrap_or_default()
    }

    /// The same theme with colours that the terminal has.
    #[must_use]
    pub fn reduced(mut self, depth: ColorDepth) -> Self {
        for style in self.entries.values_mut() {
            style.fg = style.fg.and_then(|color| color.reduced(depth));
            style.bg = style.bg.and_then(|color| color.reduced(depth));
        }
        self
    }
}

/// The theme that fits a terminal when nobody has chosen one.
pub fn fitting(depth: ColorDepth) -> &'static str {
    match depth {
        ColorDepth::None => "mono",
        ColorDepth::Ansi16 => "ansi16",
        ColorDepth::Indexed | ColorDepth::True => "dark",
    }
}

/// The names of all themes: shipped ones first, then the user's own.
pub fn names(places: &Places) -> Vec<String> {
    let mut names: Vec<String> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut own: Vec<String> = places
        .candidates("themes")
        .iter()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flat_map(|entries| entries.filter_map(Result::ok))
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".toml").map(str::to_owned)
        })
        .filter(|name| !names.contains(name))
        .collect();
    own.sort();
    own.dedup();
    names.append(&mut own);
    names
}

/// Loads a theme by name; a file of the user's comes before a shipped theme of the same name.
///
/// # Errors
/// There is no such theme, or one of its files is wrong: with line and column.
pub fn load(places: &Places, name: &str) -> Result<ThemeSpec, Problems> {
    let mut entries: BTreeMap<String, StyleSpec> = BTreeMap::new();
    let mut chain: Vec<String> = Vec::new();
    let mut next = Some((name.to_owned(), None::<Problem>));
    while let Some((current, asked_by)) = next.take() {
        let refuse = |message: String| {
            Problems::from(match asked_by.clone() {
                Some(problem) => Problem { message, ..problem },
                None => Problem::whole(format!("theme {name}"), message),
            })
        };
        // A user's `dark` may inherit the shipped `dark`: the name met again means the shipped one, once.
        let own = !chain.contains(&current);
        if chain.len() >= MAX_DEPTH || chain.iter().filter(|seen| **seen == current).count() > 1 {
            return Err(refuse(format!(
                "themes inherit from each other in a circle: {}",
                chain.join(" → ")
            )));
        }
        let Some((file, text)) = source(places, &current, own)? else {
            let known = names(places);
            let hint = advice(&current, known.iter().map(String::as_str));
            return Err(refuse(format!("there is no theme `{current}`: {hint}")));
        };
        let (layer, parent) = parse(Path::new(&file), &text)?;
        for (tone, style) in layer {
            entries.entry(tone).or_insert(style);
        }
        chain.push(current);
        next = parent;
    }
    for tone in TONES {
        entries.entry((*tone).to_owned()).or_default();
    }
    Ok(ThemeSpec {
        name: name.to_owned(),
        entries,
    })
}

/// The text of a theme and what to call its file.
fn source(places: &Places, name: &str, own: bool) -> Result<Option<(String, String)>, Problem> {
    let is_file_name = !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.');
    if own && is_file_name {
        for path in places
            .candidates("themes")
            .into_iter()
            .map(|dir| dir.join(format!("{name}.toml")))
        {
            match read_text(&path) {
                Ok((text, _)) => return Ok(Some((path.display().to_string(), text))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Problem::whole(path.display(), cannot_read(&error))),
            }
        }
    }
    let shipped = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
    Ok(shipped.map(|(name, text)| (format!("themes/{name}.toml"), (*text).to_owned())))
}

type Layer = Vec<(String, StyleSpec)>;
type Parent = Option<(String, Option<Problem>)>;

/// Parses one theme file: its own entries and whom it inherits from.
fn parse(file: &Path, text: &str) -> Result<(Layer, Parent), Problems> {
    let (mut reader, table) = Reader::parse(file, text);
    let Some(table) = table else {
        return Err(Problems(reader.problems));
    };
    reader.only("", &table, &["inherits", "palette", "tones"]);
    let parent = reader.string(&table, "inherits").map(|found| {
        let problem = reader.problem(&found.span, String::new());
        (found.value, Some(problem))
    });
    let palette = match reader.table(&table, "palette") {
        Some(colors) => palette(&mut reader, colors),
        None => BTreeMap::new(),
    };
    let mut layer = Vec::new();
    if let Some(tones) = reader.table(&table, "tones") {
        reader.only("tones", tones, TONES);
        for (name, value) in tones
            .iter()
            .filter(|(name, _)| TONES.contains(&name.get_ref().as_ref()))
        {
            let style = match value.get_ref() {
                DeValue::String(_) => Some(StyleSpec {
                    fg: color(&mut reader, &palette, tones, name.get_ref()),
                    ..StyleSpec::default()
                }),
                DeValue::Table(style) => Some(style_of(&mut reader, &palette, name.get_ref(), style)),
                other => {
                    let message = format!(
                        "`{}` must be a colour or a table {{ fg = …, bg = …, bold = true }}, not {}",
                        name.get_ref(),
                        other.type_str()
                    );
                    reader.complain(&value.span(), message);
                    None
                }
            };
            layer.extend(style.map(|style| (name.get_ref().to_string(), style)));
        }
    }
    if reader.problems.is_empty() {
        Ok((layer, parent))
    } else {
        Err(Problems(reader.problems))
    }
}

fn palette(reader: &mut Reader<'_>, table: &DeTable<'_>) -> BTreeMap<String, ColorSpec> {
    let none = BTreeMap::new();
    table
        .keys()
        .filter_map(|name| {
            let name = name.get_ref().as_ref();
            color(reader, &none, table, name).map(|color| (name.to_owned(), color))
        })
        .collect()
}

fn style_of(
    reader: &mut Reader<'_>,
    palette: &BTreeMap<String, ColorSpec>,
    tone: &str,
    table: &DeTable<'_>,
) -> StyleSpec {
    const KEYS: &[&str] = &["fg", "bg", "bold", "dim", "underline", "reverse", "italic"];
    reader.only(&format!("tones.{tone}"), table, KEYS);
    let mut flag = |key| reader.boolean(table, key).unwrap_or(false);
    StyleSpec {
        bold: flag("bold"),
        dim: flag("dim"),
        underline: flag("underline"),
        reverse: flag("reverse"),
        italic: flag("italic"),
        fg: color(reader, palette, table, "fg"),
        bg: color(reader, palette, table, "bg"),
    }
}

fn color(
    reader: &mut Reader<'_>,
    palette: &BTreeMap<String, ColorSpec>,
    table: &DeTable<'_>,
    key: &str,
) -> Option<ColorSpec> {
    let found = reader.string(table, key)?;
    if let Some(color) = palette.get(&found.value) {
        return Some(*color);
    }
    let color = found.value.parse().ok();
    if color.is_none() {
        let names = ColorSpec::NAMES.iter().copied().chain(["reset"]);
        let hint = advice(&found.value, names.chain(palette.keys().map(String::as_str)));
        let kinds = "#rrggbb, 0 to 255, a name, or one of [palette]";
        reader.complain(
            &found.span,
            format!("\"{}\" is no colour ({kinds}): {hint}", found.value),
        );
    }
    color
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ColorSpec;

    fn places(files: &[(&str, &str)]) -> (tempfile::TempDir, Places) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("themes")).unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join("themes").join(name), text).unwrap();
        }
        let places = Places {
            system: dir.path().join("etc"),
            user: Some(dir.path().into()),
            state: None,
            home: None,
        };
        (dir, places)
    }

    #[test]
    fn every_shipped_theme_is_whole() {
        let (_dir, places) = places(&[]);
        for (name, text) in SHIPPED {
            let theme = load(&places, name).unwrap();
            assert_eq!(theme.entries.len(), TONES.len(), "{name}");
            let (own, parent) = parse(Path::new(name), text).unwrap();
            assert!(
                parent.is_some() || own.len() == TONES.len(),
                "{name} leaves a tone out and inherits nothing"
            );
            for tone in ["critical", "selection", "border-focus"] {
                assert_ne!(
                    theme.style(tone),
                    theme.style("text"),
                    "{name}: {tone} cannot be told from text"
                );
            }
        }
    }

    #[test]
    fn without_colours_means_without() {
        let (_dir, places) = places(&[]);
        let mono = load(&places, "mono").unwrap();
        assert!(
            mono.entries
                .values()
                .all(|style| style.fg.is_none() && style.bg.is_none())
        );
        let dark = load(&places, "dark").unwrap();
        let rgb = |theme: &ThemeSpec| {
            theme
                .entries
                .values()
                .any(|style| matches!(style.fg, Some(ColorSpec::Rgb(..))))
        };
        assert!(rgb(&dark) && !rgb(&dark.clone().reduced(ColorDepth::Indexed)));
    }

    #[test]
    fn a_theme_inherits_and_overrides_also_its_own_name() {
        let (_dir, places) = places(&[
            (
                "dark.toml",
                "inherits = \"dark\"\n[tones]\ngood = \"mine\"\n[palette]\nmine = \"42\"",
            ),
            (
                "mine.toml",
                "inherits = \"dark\"\n[tones]\nbad = { bg = \"red\", italic = true }",
            ),
        ]);
        let mine = load(&places, "mine").unwrap();
        assert_eq!(mine.style("good").fg, Some(ColorSpec::Indexed(42)));
        let bad = StyleSpec {
            bg: Some(ColorSpec::Ansi(1)),
            italic: true,
            ..StyleSpec::default()
        };
        assert_eq!(mine.style("bad"), bad);
        assert!(mine.style("warn").fg.is_some());
        assert_eq!(
            names(&places),
            [
                "dark",
                "light",
                "ansi16",
                "mono",
                "contrast",
                "colorblind",
                "mine"
            ]
        );
    }

    #[test]
    fn mistakes_have_a_line_and_a_column() {
        let (dir, places) = places(&[
            ("key.toml", "[tones]\ngoood = \"red\""),
            ("color.toml", "[tones]\ngood = { fg = \"gren\" }"),
            ("hex.toml", "[palette]\nx = \"#12345\""),
            ("kind.toml", "[tones]\ngood = 5"),
            ("flag.toml", "[tones]\ngood = { bold = \"yes\" }"),
            ("parent.toml", "\ninherits = \"drak\""),
            ("a.toml", "inherits = \"b\""),
            ("b.toml", "inherits = \"a\""),
        ]);
        for (name, said) in [
            (
                "key",
                "key.toml:2:1: unknown key `goood` in [tones]: did you mean `good`?",
            ),
            (
                "color",
                "color.toml:2:15: \"gren\" is no colour (#rrggbb, 0 to 255, a name, or one of [palette]): did you mean `green`?",
            ),
            ("hex", "hex.toml:2:5: \"#12345\" is no colour"),
            ("kind", "kind.toml:2:8: `good` must be a colour or a table"),
            ("flag", "flag.toml:2:17: `bold` must be true or false, not string"),
            (
                "parent",
                "parent.toml:2:12: there is no theme `drak`: did you mean `dark`?",
            ),
            ("a", "b.toml:1:12: there is no theme `a`"),
            ("../key", "theme ../key: there is no theme `../key`"),
            (
                "lihgt",
                "theme lihgt: there is no theme `lihgt`: did you mean `light`?",
            ),
        ] {
            let error = load(&places, name).unwrap_err().to_string();
            let error = error.replace(&format!("{}/themes/", dir.path().display()), "");
            assert!(error.starts_with(said), "{name}: {error}");
        }
    }
}
