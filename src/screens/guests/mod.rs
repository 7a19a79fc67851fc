//! All guests of all clusters.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::store::{Feed, Store};

/// The pane of the guests.
pub type Guests = List<AllGuests>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllGuests;

impl Listing for AllGuests {
    type Rows<'a> = view::GuestRows<'a>;
    const NAME: &'static str = "Guests";
    const SORT: (&'static str, bool) = ("vmid", false);
    const FEEDS: &'static [Feed] = &[Feed::Resources];
    const NONE: &'static str = "There are no guests, or this sign-in may not see them.";

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::GuestRows::new(cx)
    }

    fn measured(rows: &Self::Rows<'_>) -> Vec<(usize, usize)> {
        rows.measures()
    }

    fn revision(store: &Store) -> u64 {
        store.guests_revision().max(store.findings_revision())
    }
}
