//! The panes, one folder each: state, view, draw.

pub mod deck;
