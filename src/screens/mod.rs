//! The panes, one folder each: state, view, draw.
