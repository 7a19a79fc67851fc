//! Foreign text made harmless. Names, notes, tags and logs come from guests and other people: control sequences
//! could drive the terminal, bidirectional overrides could make one name look like another, and combining
//! characters without end could break the layout.
//!
//! [`clean`] is for text on its way into a cell or to stdout; [`scrub`] is the last function before the terminal.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands in for a character that must not reach the terminal.
pub const REPLACEMENT: char = '\u{b7}';

/// Combining characters kept on one base character; scripts that need more than this are unknown to us.
const MAX_COMBINING: usize = 3;

/// The text on one line, without anything that a terminal would obey or reorder. Line breaks and tabs become
/// blanks, other control and format characters become `·`.
pub fn clean(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut combining = 0;
    for c in text.chars() {
        if matches!(c, '\n' | '\r' | '\t') {
            out.push(' ');
            combining = 0;
        } else if matches!(c, '\u{fe00}'..='\u{fe0f}') {
            // A variation selector hides nothing by being left out: what it varies stays.
        } else if is_harmful(c) {
            out.push(REPLACEMENT);
            combining = 0;
        } else if c.width() == Some(0) {
            // A mark needs something to stand on, and only a few fit there.
            combining += 1;
            if combining <= MAX_COMBINING && !out.is_empty() {
                out.push(c);
            }
        } else {
            out.push(c);
            combining = 0;
        }
    }
    Cow::Owned(out)
}

/// Whether a character could drive the terminal, reorder the line or hide.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'                      // soft hyphen: shown by some terminals, hidden by others
            | '\u{61c}'                   // Arabic letter mark
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'     // zero width, joiners, direction marks
            | '\u{2028}'..='\u{202e}'     // separators, embeddings and overrides
            | '\u{2060}'..='\u{206f}'     // invisible operators, isolates
            | '\u{fe00}'..='\u{fe0f}'     // variation selectors change the width of what stands before them
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e000}'..='\u{f8ff}'     // private use: means whatever the font says
            | '\u{e0000}'..='\u{e0fff}'   // tags, more variation selectors
            | '\u{f0000}'..='\u{10ffff}'  // private planes
        )
}

/// Columns that a cleaned text takes.
pub fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.width() }
}

/// Whether it is printable ASCII, as nearly all names are: that is a byte, a character and a column each.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// The text cut to `columns`, with `…` as its last column if anything was cut. Never splits a character.
pub fn fit<'a>(text: &'a str, columns: usize, ellipsis: &str) -> Cow<'a, str> {
    // Ten thousand characters of notes must not be measured for a cell of twenty columns.
    if text.len() <= columns || (text.len() < 4 * columns + 64 && width(text) <= columns) {
        return if width(text) <= columns {
            Cow::Borrowed(text)
        } else {
            cut(text, columns, ellipsis)
        };
    }
    cut(text, columns, ellipsis)
}

fn cut<'a>(text: &str, columns: usize, ellipsis: &str) -> Cow<'a, str> {
    let room = columns.saturating_sub(width(ellipsis));
    let mut out = String::new();
    let mut used = 0;
    let mut whole = true;
    for grapheme in text.graphemes(true) {
        let w = grapheme.width();
        if used + w > room {
            whole = false;
            break;
        }
        used += w;
        out.push_str(grapheme);
    }
    if !whole && columns > 0 {
        out.push_str(ellipsis);
    }
    Cow::Owned(out)
}

/// The last function before the terminal: replaces every symbol in the buffer that could harm it. After
/// [`clean`] there should be none; this is the net under it.
pub fn scrub(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        let bytes = symbol.as_bytes();
        if let [b] = bytes
            && (0x20..0x7f).contains(b)
        {
            continue;
        }
        if symbol.chars().count() > 1 + MAX_COMBINING || symbol.chars().any(is_harmful) {
            cell.set_char(REPLACEMENT);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_sequences_lose_their_teeth() {
        assert_eq!(clean("web\x1b[31m-01"), "web·[31m-01");
        assert_eq!(clean("a\nb\tc"), "a b c");
        assert_eq!(clean("invoice\u{202e}gpj.exe"), "invoice·gpj.exe");
        assert_eq!(clean("\u{9b}31m"), "·31m");
        assert_eq!(clean("plain"), Cow::Borrowed("plain"));
        assert_eq!(
            clean("Z\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}"),
            "Z\u{301}\u{301}\u{301}"
        );
    }

    #[test]
    fn cutting_keeps_columns_and_characters() {
        assert_eq!(fit("database", 5, "…"), "data…");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
        assert_eq!(fit("日本語", 6, "…"), "日本語");
        assert_eq!(fit("abc", 0, "…"), "");
        assert_eq!(fit("", 3, "…"), "");
    }

    proptest! {
        #[test]
        fn nothing_harmful_survives(text in "\\PC*|[\\x00-\\u{10ffff}]{0,80}") {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(is_harmful), "{cleaned:?}");
        }

        #[test]
        fn plain_text_is_as_wide_as_it_is_long(text in "[ -~]{0,80}") {
            prop_assert_eq!(width(&text), UnicodeWidthStr::width(text.as_str()));
        }

        #[test]
        fn a_cut_text_fits(text in any::<String>(), columns in 0usize..60) {
            let cleaned = clean(&text);
            prop_assert!(width(&fit(&cleaned, columns, "…")) <= columns);
        }

        #[test]
        fn no_symbol_of_a_scrubbed_buffer_is_harmful(text in any::<String>()) {
            let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 40, 1));
            for (index, grapheme) in text.graphemes(true).take(40).enumerate() {
                buffer.content[index].set_symbol(grapheme);
            }
            scrub(&mut buffer);
            for cell in &buffer.content {
                prop_assert!(!cell.symbol().chars().any(is_harmful));
                prop_assert!(cell.symbol().chars().count() <= 1 + MAX_COMBINING);
            }
        }
    }
}
