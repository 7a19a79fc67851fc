//! What the checks found, as lines for people or as a list for scripts.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    cli::{
        connect::code,
        exit::{Code, Failure},
        output::{Column, List, Show},
    },
    clients::Error,
    ui::safe::clean,
};

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Ok,
    Warning,
    Failed(Code),
    Skipped,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed(_) => "failed",
            Self::Skipped => "skipped",
        })
    }
}

/// One check with its result.
#[derive(Clone, Debug)]
struct Check {
    subject: String,
    name: &'static str,
    outcome: Outcome,
    message: String,
    remedy: String,
}

/// The checks in the order in which things depend on each other.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Check>);

impl Report {
    pub(super) fn add(
        &mut self,
        subject: &str,
        name: &'static str,
        outcome: Outcome,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (subject, message, remedy) = (subject.to_owned(), message.into(), remedy.into());
        self.0.push(Check {
            subject,
            name,
            outcome,
            message,
            remedy,
        });
    }

    pub(super) fn ok(&mut self, subject: &str, name: &'static str, message: impl Into<String>) {
        self.add(subject, name, Outcome::Ok, message, "");
    }

    pub(super) fn error(&mut self, subject: &str, name: &'static str, error: &Error) {
        let text = error.to_string();
        let advice = error.advice();
        // The sentence ends with the advice, which has a line of its own here.
        let cause = text
            .strip_suffix(advice)
            .unwrap_or(&text)
            .trim_end_matches([' ', '.']);
        self.add(subject, name, Outcome::Failed(code(error)), cause, advice);
    }

    pub(super) fn failed(&mut self, subject: &str, name: &'static str, failure: &Failure) {
        for line in failure.message.lines() {
            self.add(subject, name, Outcome::Failed(failure.code), line, "");
        }
    }

    pub(super) fn code(&self) -> Option<Code> {
        self.0.iter().find_map(|check| match check.outcome {
            Outcome::Failed(code) => Some(code),
            _ => None,
        })
    }
}

impl Report {
    pub(super) fn list(&self) -> List {
        const COLUMNS: &[Column] = &[
            Column::new("cluster", "CLUSTER", Show::Text),
            Column::new("check", "CHECK", Show::Text),
            Column::new("status", "STATUS", Show::Text),
            Column::new("message", "MESSAGE", Show::Text),
            Column::new("remedy", "REMEDY", Show::Text),
        ];
        let rows = self.0.iter().map(|check| {
            vec![
                if check.subject.is_empty() {
                    Value::Null
                } else {
                    json!(check.subject)
                },
                json!(check.name),
                json!(check.outcome.to_string()),
                json!(check.message),
                json!(check.remedy),
            ]
        });
        List {
            columns: COLUMNS,
            rows: rows.collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut subject = "";
        for check in &self.0 {
            if check.subject != subject {
                subject = &check.subject;
                text.extend(["\n", &clean(subject), "\n"]);
            }
            let Check {
                outcome,
                name,
                message,
                remedy,
                ..
            } = check;
            text.extend([&format!("{outcome:<8} {name:<14} {}", clean(message)), "\n"]);
            if !remedy.is_empty() {
                text.extend([&format!("{:<23} → {}", "", clean(remedy)), "\n"]);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_and_remedies_have_lines_of_their_own() {
        let mut report = Report::default();
        report.ok("", "state", "fine");
        let error = Error::Unreachable {
            address: "https://pve1:8006".into(),
            cause: "refused\u{1b}[2J".into(),
        };
        report.error("prod", "connection", &error);
        report.add("prod", "clock", Outcome::Warning, "late", "Set it");
        assert_eq!(
            report.text(),
            format!(
                "ok       state          fine\n\nprod\nfailed   connection     https://pve1:8006 does not answer: \
                 refused·[2J\n{0}→ {1}\nwarning  clock          late\n{0}→ Set it\n",
                " ".repeat(24),
                error.advice()
            )
        );
        assert_eq!(report.code(), Some(Code::Unreachable));
        assert_eq!(report.list().rows[0][0], Value::Null);
        assert_eq!(report.list().rows[1][4], error.advice());
    }
}
