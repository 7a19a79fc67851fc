//! JSON as lines that one can read.

/// Indented, with sorted keys: the server sends them in another order each time. What is no JSON stays as it is.
pub(super) fn lines(text: &str) -> Vec<Box<str>> {
    let pretty = serde_json::from_str::<serde_json::Value>(text)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .ok();
    pretty
        .as_deref()
        .unwrap_or(text)
        .lines()
        .map(Into::into)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn keys_are_sorted_and_the_broken_is_shown() {
        assert_eq!(
            lines(r#"{"b":[1,"x\u001b"],"a":null}"#),
            [
                "{",
                "  \"a\": null,",
                "  \"b\": [",
                "    1,",
                "    \"x\\u001b\"",
                "  ]",
                "}"
            ]
            .map(Into::into)
        );
        assert_eq!(lines("<html>\nno"), ["<html>", "no"].map(Into::into));
        assert!(lines("").is_empty());
    }
}
