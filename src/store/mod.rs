//! The last known truth about every cluster, and how fresh it is.
//!
//! What always holds here:
//! - [`Store::apply`] is the only way in, and it says what changed.
//! - A failed read never removes anything: the feed keeps its data, its age and gets the error.
//! - Nothing here reads a clock: times come with the updates.

pub mod feed;

pub use feed::{Feed, FeedError, FeedErrorKind, FeedKey, Payload, Update};
