//! Text broken into lines of a width, so that a long value is read in full instead of being cut.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::{safe, theme::Tone};

/// One line after wrapping: pieces of cleaned text, each with its tone.
pub type Wrapped = Vec<(String, Tone)>;

/// Cleans the pieces and breaks them at blanks into lines of at most `columns`; a word that is longer than a line
/// is broken inside. Blanks at the start of the text stay, a blank at a break goes. There is always one line.
pub fn wrap<T: AsRef<str>>(parts: &[(T, Tone)], columns: usize) -> Vec<Wrapped> {
    // A wide character must fit somewhere.
    let columns = columns.max(2);
    let cleaned: Vec<_> = parts
        .iter()
        .map(|(text, tone)| (safe::clean(text.as_ref()), *tone))
        .collect();
    if cleaned.iter().map(|(text, _)| safe::width(text)).sum::<usize>() <= columns {
        return vec![
            cleaned
                .into_iter()
                .map(|(text, tone)| (text.into_owned(), tone))
                .collect(),
        ];
    }
    let graphemes: Vec<(&str, usize, Tone)> = cleaned
        .iter()
        .flat_map(|(text, tone)| text.graphemes(true).map(|g| (g, g.width(), *tone)))
        .collect();
    let mut lines = Vec::new();
    let (mut start, mut at, mut used) = (0, 0, 0);
    let (mut blank, mut word_seen) = (None, false);
    while let Some((grapheme, width, _)) = graphemes.get(at) {
        let is_blank = *grapheme == " ";
        if used + width > columns && at > start {
            let (end, next) = match blank {
                _ if is_blank => (at, at + 1),
                Some(blank) => (blank, blank + 1),
                None => (at, at),
            };
            lines.push(join(&graphemes[start..end]));
            (start, at, used, blank, word_seen) = (next, next, 0, None, false);
            continue;
        }
        if is_blank && word_seen {
            blank = Some(at);
        }
        word_seen |= !is_blank;
        used += width;
        at += 1;
    }
    if start < graphemes.len() || lines.is_empty() {
        lines.push(join(&graphemes[start.min(graphemes.len())..]));
    }
    lines
}

fn join(graphemes: &[(&str, usize, Tone)]) -> Wrapped {
    let mut line: Wrapped = Vec::new();
    for (grapheme, _, tone) in graphemes {
        match line.last_mut() {
            Some((text, last)) if last == tone => text.push_str(grapheme),
            _ => line.push(((*grapheme).to_owned(), *tone)),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str, columns: usize) -> Vec<String> {
        wrap(&[(text, Tone::Text)], columns)
            .into_iter()
            .map(|line| line.into_iter().map(|(text, _)| text).collect())
            .collect()
    }

    #[test]
    fn breaks_at_blanks_and_inside_long_words() {
        assert_eq!(plain("one two three", 7), ["one two", "three"]);
        assert_eq!(plain("one two three", 8), ["one two", "three"]);
        assert_eq!(plain("abcdefgh ij", 5), ["abcde", "fgh", "ij"]);
        assert_eq!(plain("    indented text", 10), ["    indent", "ed text"]);
        assert_eq!(plain("日本語 日本語", 6), ["日本語", "日本語"]);
        assert_eq!(plain("", 5), [""]);
    }

    #[test]
    fn tones_stay_on_their_words() {
        let lines = wrap(&[("ab ", Tone::Good), ("cd ef", Tone::Bad)], 5);
        assert_eq!(
            lines,
            [
                vec![("ab ".to_owned(), Tone::Good), ("cd".to_owned(), Tone::Bad)],
                vec![("ef".to_owned(), Tone::Bad)],
            ]
        );
    }

    #[test]
    fn a_novel_of_one_word_is_no_trouble() {
        let lines = plain(&"x".repeat(100_000), 40);
        assert_eq!(lines.len(), 2_500);
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_lost_and_every_line_fits(text in "[ a-zA-Z0-9ä日]{0,200}", columns in 2usize..30) {
            let lines = plain(&text, columns);
            for line in &lines {
                prop_assert!(safe::width(line) <= columns, "{line:?}");
            }
            let before: String = text.chars().filter(|c| *c != ' ').collect();
            let after: String = lines.concat().chars().filter(|c| *c != ' ').collect();
            prop_assert_eq!(before, after);
        }
    }
}
