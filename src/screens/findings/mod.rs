//! What is wrong, or soon will be.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::{
    domain::Severity,
    store::{Feed, Store},
};

/// The pane of the findings.
pub type Findings = List<AllFindings>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllFindings;

impl Listing for AllFindings {
    type Rows<'a> = view::FindingRows<'a>;
    const NAME: &'static str = "Findings";
    const SORT: (&'static str, bool) = ("severity", false);
    const FEEDS: &'static [Feed] = &[Feed::Resources, Feed::ClusterStatus];
    const EXTRA: &'static [Feed] = &[Feed::HaStatus, Feed::Tasks];
    const DIMS: bool = false;
    const NONE: &'static str = "Nothing is wrong.";

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::FindingRows::new(cx)
    }

    fn revision(store: &Store) -> u64 {
        store.findings_revision().max(store.guests_revision())
    }

    fn note(store: &Store) -> String {
        let count = |severity| {
            let those = store
                .findings()
                .iter()
                .filter(|finding| finding.severity == severity);
            match those.count() {
                0 => String::new(),
                some => format!("{some} {severity} "),
            }
        };
        format!("{}{}", count(Severity::Critical), count(Severity::Warning))
            .trim_end()
            .to_owned()
    }
}
