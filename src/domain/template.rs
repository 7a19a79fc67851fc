//! Metrics as templates of PromQL: what is asked for a whole column, and for one object.

use std::str::FromStr;

use jiff::SignedDuration;

use super::{
    ObjectRef,
    matching::{LabelMap, Subject},
    metric::Unit,
};

/// What a metric is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Of {
    /// Virtual machines and containers.
    Guest,
    /// Nodes.
    Node,
    /// Storages.
    Storage,
}

impl Of {
    /// The words of the configuration.
    pub const NAMED: [(&'static str, Self); 3] = [
        ("guest", Self::Guest),
        ("node", Self::Node),
        ("storage", Self::Storage),
    ];
}

impl Of {
    /// What an object is; nothing of tasks, backups and whole clusters.
    pub fn object(object: &ObjectRef) -> Option<Self> {
        match object {
            ObjectRef::Guest(_) => Some(Self::Guest),
            ObjectRef::Node(_) => Some(Self::Node),
            ObjectRef::Storage(_) => Some(Self::Storage),
            _ => None,
        }
    }
}

impl FromStr for Of {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let found = Self::NAMED.iter().find(|(known, _)| *known == word);
        found.map(|(_, of)| *of).ok_or(())
    }
}

/// Stands for the matchers that choose objects.
pub const OBJECT: &str = "$object";
/// Stands for the span over which rates are taken.
pub const SPAN: &str = "$span";

/// One metric by one kind of exporter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// Which metric: `cpu`. The same name comes once for each kind of exporter.
    pub name: Box<str>,
    /// What it is about.
    pub of: Of,
    /// What it is called.
    pub title: Box<str>,
    /// What its numbers mean.
    pub unit: Unit,
    /// Which exporter it is made for, for people.
    pub source: Box<str>,
    /// The expression, with [`OBJECT`] and [`SPAN`] in it.
    pub query: Box<str>,
    /// The metrics that have to be there; one of them is enough.
    pub needs: Vec<Box<str>>,
    /// How series are told apart, the first way first.
    pub maps: Vec<LabelMap>,
}

impl Template {
    /// Checks an expression: that it can be told whose series are meant.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(query: &str) -> Result<(), String> {
        let mut places = query.match_indices(OBJECT).peekable();
        if places.peek().is_none() {
            return Err(format!(
                "{OBJECT} is missing; put it where the object is chosen: metric{{{OBJECT}}}"
            ));
        }
        for (place, _) in places {
            let before = query[..place].trim_end();
            let behind = query[place + OBJECT.len()..].trim_start();
            if !before.ends_with(['{', ',']) || !behind.starts_with('}') {
                return Err(format!(
                    "{OBJECT} stands last in the braces: metric{{a=\"b\", {OBJECT}}}"
                ));
            }
        }
        Ok(())
    }

    /// The expression for all objects: one query fills a column.
    pub fn of_all(&self, span: SignedDuration) -> String {
        let selector = match &self.maps[..] {
            [only] => only.selector_of_all(),
            _ => String::new(),
        };
        self.filled(&selector, span)
    }

    /// The expressions for one object: one for each way of finding it that can be tried.
    pub fn of_one(&self, subject: &Subject, span: SignedDuration) -> Vec<String> {
        self.maps
            .iter()
            .filter_map(|map| Some(self.filled(&map.selector(subject)?, span)))
            .collect()
    }

    fn filled(&self, selector: &str, span: SignedDuration) -> String {
        // The selector comes last: a name that holds `$span` stays what it is.
        self.query
            .replace(SPAN, &format!("{}s", span.as_secs().max(1)))
            .replace(OBJECT, selector)
    }
}

/// The span over which rates are taken when points are `step` apart: four scrapes of half a minute at least, or a single
/// missing one leaves a hole.
pub fn rate_span(step: SignedDuration) -> SignedDuration {
    step.max(SignedDuration::from_secs(30)) * 4
}

/// The template of a metric that this server can answer: the first whose metrics it has.
pub fn choose<'a>(
    templates: &'a [Template],
    of: Of,
    name: &str,
    there: impl Fn(&str) -> bool,
) -> Option<&'a Template> {
    templates
        .iter()
        .filter(|template| template.of == of && *template.name == *name)
        .find(|template| template.needs.iter().any(|metric| there(metric)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{GuestKind, Vmid};

    fn template(query: &str, maps: &[(&str, &str)]) -> Template {
        Template {
            name: "cpu".into(),
            of: Of::Guest,
            title: "CPU".into(),
            unit: Unit::Ratio,
            source: "test".into(),
            query: query.into(),
            needs: vec!["a".into()],
            maps: maps
                .iter()
                .map(|entry| LabelMap::parse([*entry]).unwrap())
                .collect(),
        }
    }

    fn guest() -> Subject {
        Subject {
            kind: Some(GuestKind::Lxc),
            vmid: Some(Vmid(104)),
            name: Some("$span\"".into()),
            ..Subject::default()
        }
    }

    #[test]
    fn one_query_for_all_and_one_for_each_way_to_an_object() {
        let span = rate_span(SignedDuration::from_secs(10));
        let one = template("rate(a{b=\"c\", $object}[$span])", &[("id", "{kind}/{vmid}")]);
        assert_eq!(one.of_all(span), "rate(a{b=\"c\", id!=\"\"}[120s])");
        assert_eq!(
            one.of_one(&guest(), span),
            ["rate(a{b=\"c\", id=\"lxc/104\"}[120s])"]
        );
        let two = template("a{$object}", &[("storage", "{storage}"), ("name", "{name}")]);
        assert_eq!(two.of_all(span), "a{}");
        assert_eq!(two.of_one(&guest(), span), ["a{name=\"$span\\\"\"}"]);
    }

    #[test]
    fn the_first_that_the_server_has() {
        let mut other = template("b{$object}", &[("id", "x")]);
        other.needs = vec!["b".into(), "c".into()];
        let all = [template("a{$object}", &[("id", "x")]), other];
        let chosen = |there: &[&str]| {
            choose(&all, Of::Guest, "cpu", |name| there.contains(&name)).map(|template| &*template.query)
        };
        assert_eq!(chosen(&["c"]), Some("b{$object}"));
        assert_eq!(chosen(&["a", "b"]), Some("a{$object}"));
        assert_eq!(chosen(&["x"]), None);
    }

    #[test]
    fn an_expression_must_say_whose_series_are_meant() {
        assert!(Template::check("a{$object} / b{c=\"d\",$object}").is_ok());
        for (query, said) in [
            ("up", "missing"),
            ("a{$object, b=\"c\"}", "stands last"),
            ("a{b=\"$object\"}", "stands last"),
        ] {
            let error = Template::check(query).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
