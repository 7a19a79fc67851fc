//! A source file as the architecture rules see it: its tokens without comments, texts and test modules, and the
//! absolute paths that it names. No parser: the rules need words and paths, and a small reader has few surprises.

/// A word, a number, or one sign; `::` counts as one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A path inside the crate, resolved: `crate::store::Store` is `["store", "Store"]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CratePath {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// One file under `src/`.
pub(crate) struct Source {
    /// Relative to `src/`, with slashes.
    pub(crate) path: String,
    /// All of it, as written.
    pub(crate) text: String,
    /// What the program is made of: no comment, no text literal, nothing under `#[cfg(test)]`.
    pub(crate) code: Vec<Token>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: if is_test {
                Vec::new()
            } else {
                without_tests(&tokens(text))
            },
        }
    }

    /// The room that the file belongs to: `store` for `store/feed.rs` and for `store.rs`.
    pub(crate) fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Whether `words` stand in the code one after the other; each hit's line.
    pub(crate) fn find(&self, words: &[&str]) -> Vec<usize> {
        self.code
            .windows(words.len())
            .filter(|window| window.iter().zip(words).all(|(token, word)| token.text == *word))
            .map(|window| window[0].line)
            .collect()
    }

    /// All paths that begin with `crate::`, `super::` or the crate's name, groups taken apart.
    pub(crate) fn crate_paths(&self) -> Vec<CratePath> {
        let mut found = Vec::new();
        let mut inner: Vec<(String, usize)> = Vec::new();
        let mut depth = 0;
        let mut at = 0;
        while at < self.code.len() {
            let word = |offset: usize| self.code.get(at + offset).map(|token| token.text.as_str());
            match word(0) {
                Some("{") => depth += 1,
                Some("}") => {
                    depth -= 1;
                    inner.retain(|(_, opened)| *opened <= depth);
                }
                Some("mod") if word(2) == Some("{") => {
                    inner.push((self.code[at + 1].text.clone(), depth + 1));
                }
                Some("crate" | "pvedeck" | "super")
                    if word(1) == Some("::") && (at == 0 || self.code[at - 1].text != "::") =>
                {
                    at = self.path_at(at, &inner, &mut found);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        found
    }

    /// Reads the path (or group of paths) that begins at `at`; returns where it ends.
    fn path_at(&self, mut at: usize, inner: &[(String, usize)], found: &mut Vec<CratePath>) -> usize {
        let mut base = if self.code[at].text == "super" {
            let mut module = module_of(&self.path);
            module.extend(inner.iter().map(|(name, _)| name.clone()));
            module
        } else {
            at += 2;
            Vec::new()
        };
        while self.code.get(at).is_some_and(|token| token.text == "super") {
            base.pop();
            at += 2;
        }
        self.tree(at, &base, found)
    }

    /// Reads a tree of a `use` line below `base`: `a::b`, `a::{b, c::d}`, `*`.
    fn tree(&self, mut at: usize, base: &[String], found: &mut Vec<CratePath>) -> usize {
        let mut segments = base.to_vec();
        let begin = at;
        let line = self.code.get(at).map_or(0, |token| token.line);
        while let Some(token) = self.code.get(at) {
            if token.text == "{" {
                at += 1;
                while self.code.get(at).is_some_and(|token| token.text != "}") {
                    let before = at;
                    at = self.tree(at, &segments, found);
                    // Whatever stands between two trees of a group is passed over.
                    if at == before {
                        at += 1;
                    }
                }
                return at + 1;
            }
            if !(is_word(&token.text) || token.text == "*") || token.text == "as" {
                break;
            }
            if token.text != "self" {
                segments.push(token.text.clone());
            }
            at += 1;
            if self.code.get(at).is_some_and(|next| next.text == "::") {
                at += 1;
            } else {
                break;
            }
        }
        if at > begin {
            found.push(CratePath { segments, line });
        }
        let renamed = self.code.get(at).is_some_and(|token| token.text == "as");
        at + if renamed { 2 } else { 0 }
    }
}

/// The module of a file: `["store", "feed"]` for `store/feed.rs`, `["store"]` for `store/mod.rs`.
fn module_of(path: &str) -> Vec<String> {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let mut module: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Takes every item under `#[cfg(test)]` away.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let marked = tokens[at..]
            .iter()
            .map(|token| token.text.as_str())
            .take(MARK.len())
            .eq(MARK);
        if marked {
            at = end_of_item(tokens, at + MARK.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Behind the `;` or the closing brace of the item that begins at `at`.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            ";" if depth == 0 => return at,
            _ => {}
        }
    }
    at
}

/// Words and signs with their lines. Comments, texts and characters are left out.
fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader {
        rest: text,
        line: 1,
        tokens: Vec::new(),
    };
    while !reader.rest.is_empty() {
        reader.step();
    }
    reader.tokens
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn step(&mut self) {
        let rest = self.rest;
        if rest.starts_with("//") {
            self.skip(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.skip(block_comment(rest));
        } else if let Some(length) = raw_text(rest) {
            self.skip(length);
        } else if rest.starts_with('"') || rest.starts_with("b\"") || rest.starts_with("c\"") {
            let open = rest.find('"').unwrap_or(0);
            self.skip(open + quoted(&rest[open..], '"'));
        } else if rest.starts_with('\'') || rest.starts_with("b'") {
            let open = rest.find('\'').unwrap_or(0);
            self.skip(open + character_or_lifetime(&rest[open..]));
        } else if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            self.take(end);
        } else if rest.starts_with("::") {
            self.take(2);
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            if rest.starts_with(char::is_whitespace) {
                self.skip(length);
            } else {
                self.take(length);
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    fn take(&mut self, bytes: usize) {
        self.tokens.push(Token {
            text: self.rest[..bytes].to_owned(),
            line: self.line,
        });
        self.skip(bytes);
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a raw text (`r"…"`, `r#"…"#`, `br"…"`), if one begins here.
fn raw_text(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inside = body[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = inside.find(&close).map_or(inside.len(), |end| end + close.len());
    Some(text.len() - inside.len() + end)
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `'x'` and `'\n'` are characters; `'a` is a lifetime, of which only the quote is passed over.
fn character_or_lifetime(text: &str) -> usize {
    let mut chars = text.chars().skip(1);
    let first = chars.next();
    if first == Some('\\') || chars.next() == Some('\'') {
        quoted(text, '\'')
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(path: &str, text: &str) -> Vec<String> {
        let found = Source::new(path, text).crate_paths();
        found.into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn groups_are_taken_apart() {
        assert_eq!(
            paths(
                "a.rs",
                "use crate::{b::{C, d::E as F}, g, h::{self, I}};\nfn x() { crate::j::k() }"
            ),
            ["b::C", "b::d::E", "g", "h", "h::I", "j::k"]
        );
    }

    #[test]
    fn super_is_resolved_from_where_it_stands() {
        assert_eq!(
            paths(
                "screens/nodes/draw.rs",
                "use super::{view};\nuse super::super::guests;"
            ),
            ["screens::nodes::view", "screens::guests"]
        );
        assert_eq!(
            paths("screens/nodes/mod.rs", "use super::super::store::Store;"),
            ["store::Store"]
        );
        assert_eq!(
            paths("a/b.rs", "mod c { use super::D; }\nuse super::E;"),
            ["a::b::D", "a::E"]
        );
    }

    #[test]
    fn comments_texts_and_tests_name_nothing() {
        let text = r##"
            // crate::a
            /* crate::b /* nested */ crate::b2 */
            const T: &str = "crate::c \" crate::c2";
            const R: &str = r#"crate::d " "#;
            const Q: char = '"'; const L: &'static str = "x"; const B: u8 = b'\'';
            #[cfg(test)]
            use crate::e;
            #[cfg(test)]
            mod tests { fn f() { crate::g::h() } }
            use crate::found;
        "##;
        assert_eq!(paths("x.rs", text), ["found"]);
        assert_eq!(paths("x/tests.rs", "use crate::a;"), Vec::<String>::new());
    }

    #[test]
    fn lines_are_counted() {
        let source = Source::new("x.rs", "/*\n\n*/\n\"\n\"\nfn y() {}\n");
        assert_eq!(source.find(&["fn", "y"]), [6]);
    }
}
