//! The deck, the start screen: where its tiles lie.
//!
//! The deck knows no pane. It gives each tile a place by its number; the app puts its panes there.

mod layout;

pub use layout::{Layout, layout};
