//! Alerts of Prometheus and Alertmanager, silences, and what matches what.
//!
//! What always holds here: all texts are foreign. An alert is named by its labels, as Alertmanager does: two with the same
//! labels are the same alert, whoever tells of it.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use regex::{Regex, RegexBuilder};

use super::{
    Severity,
    metric::{Labels, quoted},
};

/// How an alert stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AlertState {
    /// Its condition holds, and somebody is told.
    Firing,
    /// Its condition holds, but not for long enough yet.
    Pending,
    /// It fires, but a silence or another alert keeps it quiet.
    Suppressed,
    /// The server has not decided yet, or says something that is not known here.
    Unknown,
}

/// One alert.
#[derive(Clone, PartialEq, Debug)]
pub struct Alert {
    /// What names it; `alertname` is among them.
    pub labels: Labels,
    /// What its rule says about it; mostly `summary` and `description`.
    pub annotations: Labels,
    /// How it stands.
    pub state: AlertState,
    /// Since when its condition holds.
    pub since: Option<Timestamp>,
    /// The value of its expression, where the server says it.
    pub value: Option<f64>,
    /// Silences by their ids that keep it quiet.
    pub silenced_by: Vec<Box<str>>,
    /// How many other alerts keep it quiet.
    pub inhibited_by: usize,
    /// Who is told.
    pub receivers: Vec<Box<str>>,
    /// The page where its expression can be looked at.
    pub link: Option<Box<str>>,
}

impl Alert {
    /// The name of its rule.
    pub fn name(&self) -> Option<&str> {
        self.labels.get("alertname")
    }

    /// How bad it is, by its label `severity`. `None` where that says nothing that is known.
    pub fn severity(&self) -> Option<Severity> {
        let word = self.labels.get("severity").or_else(|| self.labels.get("level"))?;
        match word.to_ascii_lowercase().as_str() {
            "critical" | "crit" | "page" | "error" | "emergency" | "disaster" | "high" => {
                Some(Severity::Critical)
            }
            "warning" | "warn" | "average" | "medium" => Some(Severity::Warning),
            "info" | "information" | "informational" | "notice" | "none" | "low" => Some(Severity::Info),
            _ => None,
        }
    }

    /// One line about it: its summary, or what else its rule says, or its name.
    pub fn text(&self) -> &str {
        ["summary", "message", "description"]
            .iter()
            .find_map(|key| self.annotations.get(key))
            .or_else(|| self.name())
            .unwrap_or_default()
    }
}

/// Alerts that are told together.
#[derive(Clone, PartialEq, Debug)]
pub struct AlertGroup {
    /// What they have in common.
    pub labels: Labels,
    /// Who is told.
    pub receiver: Box<str>,
    /// The alerts.
    pub alerts: Vec<Alert>,
}

/// Whether a rule works.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RuleHealth {
    /// Its last evaluation went well.
    Good,
    /// It failed, for this reason.
    Failed(Box<str>),
    /// It was not evaluated yet.
    Unknown,
}

/// One rule of Prometheus.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// Its group.
    pub group: Box<str>,
    /// Its name: that of the alert, or of the metric that it records.
    pub name: Box<str>,
    /// Its expression.
    pub query: Box<str>,
    /// Whether it raises alerts; otherwise it records.
    pub alerting: bool,
    /// How long its condition has to hold.
    pub hold: Option<SignedDuration>,
    /// What it adds to the labels of its alerts.
    pub labels: Labels,
    /// What it says.
    pub annotations: Labels,
    /// Whether it works.
    pub health: RuleHealth,
    /// Its alerts at present.
    pub alerts: Vec<Alert>,
}

/// How a matcher compares.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, the whole value
    Regex,
    /// `!~`
    NotRegex,
}

impl MatchOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

/// One condition of a silence. A label that is not there counts as an empty one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Matcher {
    /// The label.
    pub name: Box<str>,
    /// How it is compared.
    pub op: MatchOp,
    /// With what.
    pub value: Box<str>,
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.name, self.op.as_str(), quoted(&self.value))
    }
}

impl FromStr for Matcher {
    type Err = String;

    /// Reads `severity="critical"`, `instance=~"pve.*"`, and as `amtool` does `alertname=HostDown`.
    fn from_str(text: &str) -> Result<Self, String> {
        let shape = "a matcher is written as label=\"value\", with =, !=, =~ or !~";
        let text = text.trim();
        let at = text.find(['=', '!']).ok_or(shape)?;
        let (name, rest) = text.split_at(at);
        let (op, value) = [
            ("=~", MatchOp::Regex),
            ("!~", MatchOp::NotRegex),
            ("!=", MatchOp::NotEqual),
            ("=", MatchOp::Equal),
        ]
        .into_iter()
        .find_map(|(word, op)| Some((op, rest.strip_prefix(word)?)))
        .ok_or(shape)?;
        let name = name.trim();
        let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
        if !name.starts_with(begins) || !name.chars().all(|c| begins(c) || c.is_ascii_digit()) {
            return Err(format!(
                "`{name}` is not the name of a label: letters, digits and `_`"
            ));
        }
        let matcher = Self {
            name: name.into(),
            op,
            value: unquoted(value.trim()).ok_or("the quotes do not close")?.into(),
        };
        matcher.test()?;
        Ok(matcher)
    }
}

/// What is inside of quotes; the text itself where there are none.
fn unquoted(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix('"') else {
        return (!text.contains('"')).then(|| text.to_owned());
    };
    let mut out = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().is_empty().then_some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                c => out.push(c),
            },
            c => out.push(c),
        }
    }
}

/// Far above any real expression, and small enough to cost nothing.
const REGEX_BYTES: usize = 1 << 18;

enum Test {
    Text(Box<str>),
    Regex(Regex),
}

impl Matcher {
    /// Whether only this value will do.
    pub fn equal(name: &str, value: &str) -> Self {
        Self {
            name: name.into(),
            op: MatchOp::Equal,
            value: value.into(),
        }
    }

    fn test(&self) -> Result<Test, String> {
        match self.op {
            MatchOp::Equal | MatchOp::NotEqual => Ok(Test::Text(self.value.clone())),
            MatchOp::Regex | MatchOp::NotRegex => RegexBuilder::new(&format!("^(?s:{})$", self.value))
                .size_limit(REGEX_BYTES)
                .build()
                .map(Test::Regex)
                .map_err(|_| format!("`{}` is not a regular expression that can be used", self.value)),
        }
    }
}

/// Matchers, ready to be held against many alerts.
pub struct Matchers(Vec<(Matcher, Test)>);

impl Matchers {
    /// Makes them ready.
    ///
    /// # Errors
    /// Which of them is no regular expression, or that they would match everything: Alertmanager refuses that.
    pub fn new(matchers: &[Matcher]) -> Result<Self, String> {
        let tested: Result<Vec<_>, String> = matchers
            .iter()
            .map(|matcher| Ok((matcher.clone(), matcher.test()?)))
            .collect();
        let all = Self(tested?);
        if all.0.iter().all(|(matcher, test)| holds(matcher.op, test, "")) {
            return Err(
                "this would match every alert; name at least one label with a value that is not empty"
                    .to_owned(),
            );
        }
        Ok(all)
    }

    /// Whether all of them hold.
    pub fn match_labels(&self, labels: &Labels) -> bool {
        self.0
            .iter()
            .all(|(matcher, test)| holds(matcher.op, test, labels.get(&matcher.name).unwrap_or_default()))
    }
}

fn holds(op: MatchOp, test: &Test, value: &str) -> bool {
    let same = match test {
        Test::Text(text) => **text == *value,
        Test::Regex(regex) => regex.is_match(value),
    };
    same == matches!(op, MatchOp::Equal | MatchOp::Regex)
}

/// How a silence stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SilenceState {
    /// It holds.
    Active,
    /// It will.
    Pending,
    /// It did.
    Expired,
    /// The server says something that is not known here.
    Unknown,
}

/// Keeps alerts quiet for a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Silence {
    /// Its id.
    pub id: Box<str>,
    /// Which alerts: those for which all of these hold.
    pub matchers: Vec<Matcher>,
    /// From when on.
    pub starts: Option<Timestamp>,
    /// Until when.
    pub ends: Option<Timestamp>,
    /// Who made it.
    pub by: Box<str>,
    /// Why.
    pub comment: Box<str>,
    /// How it stands.
    pub state: SilenceState,
}

/// A change of the silences, as a value: what a plan shows and what is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SilenceCall {
    /// Makes one; with the id of another it takes its place, which is how one is extended.
    Create {
        /// The one that it takes the place of.
        replaces: Option<Box<str>>,
        /// Which alerts.
        matchers: Vec<Matcher>,
        /// From when on.
        starts: Timestamp,
        /// Until when.
        ends: Timestamp,
        /// Who.
        by: Box<str>,
        /// Why.
        comment: Box<str>,
    },
    /// Ends one now.
    Expire(Box<str>),
}

impl fmt::Display for SilenceCall {
    /// For plans and the journal: `POST /api/v2/silences alertname="HostDown" until 2026-…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { matchers, ends, .. } => {
                f.write_str("POST /api/v2/silences")?;
                for matcher in matchers {
                    write!(f, " {matcher}")?;
                }
                write!(f, " until {ends}")
            }
            Self::Expire(id) => write!(f, "DELETE /api/v2/silence/{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    fn judge(matchers: &[&str]) -> Matchers {
        let all: Vec<Matcher> = matchers.iter().map(|text| text.parse().unwrap()).collect();
        Matchers::new(&all).unwrap()
    }

    #[test]
    fn matchers_as_alertmanager_reads_them() {
        let alert = labels(&[("alertname", "HostDown"), ("instance", "pve1:9100")]);
        for (matchers, holds) in [
            (&["alertname=HostDown"][..], true),
            (&["alertname=\"HostDown\"", "instance=~pve.*"], true),
            (&["instance=~pve"], false), // the whole value
            (&["instance=~\"pve1|pve2\""], false),
            (&["alertname=HostDown", "team=\"\""], true), // not there is empty
            (&["alertname=HostDown", "team!=\"\""], false),
            (&["alertname!~\"Host.*\"", "instance=~.+"], false),
        ] {
            assert_eq!(judge(matchers).match_labels(&alert), holds, "{matchers:?}");
        }
    }

    #[test]
    fn what_is_no_matcher_is_said() {
        for (text, said) in [
            ("alertname", "is written as"),
            ("1a=b", "name of a label"),
            ("a b=c", "name of a label"),
            ("a=\"b", "do not close"),
            ("a=\"b\"c", "do not close"),
            ("a=~(", "regular expression"),
            ("a=~(x{1000}){1000}", "regular expression"),
        ] {
            let error = text.parse::<Matcher>().unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        for everything in [&["a=~.*"][..], &["a!=b"], &["a=\"\""], &[]] {
            let all: Vec<Matcher> = everything.iter().map(|text| text.parse().unwrap()).collect();
            assert!(Matchers::new(&all).is_err(), "{everything:?}");
        }
    }

    #[test]
    fn severities_of_many_houses() {
        let alert = |word: &str| Alert {
            labels: labels(&[("alertname", "X"), ("severity", word)]),
            annotations: labels(&[("description", "long"), ("summary", "short")]),
            state: AlertState::Firing,
            since: None,
            value: None,
            silenced_by: Vec::new(),
            inhibited_by: 0,
            receivers: Vec::new(),
            link: None,
        };
        assert_eq!(alert("Critical").severity(), Some(Severity::Critical));
        assert_eq!(alert("warning").severity(), Some(Severity::Warning));
        assert_eq!(alert("info").severity(), Some(Severity::Info));
        assert_eq!(alert("pink").severity(), None);
        assert_eq!(alert("").text(), "short");
    }

    proptest! {
        #[test]
        fn a_written_matcher_reads_back(value in "\\PC*", op in 0..2) {
            let op = [MatchOp::Equal, MatchOp::NotEqual][op as usize];
            let matcher = Matcher { name: "label".into(), op, value: value.into() };
            prop_assert_eq!(matcher.to_string().parse::<Matcher>().unwrap(), matcher);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,60}") {
            let _ = text.parse::<Matcher>();
        }
    }
}
