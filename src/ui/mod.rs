//! Theme, widgets, and text made safe for a terminal.
//!
//! What always holds here:
//! - A view model names a [`Tone`], never a colour; only [`theme`] knows colours.
//! - Every text reaches the buffer through [`Canvas`], which makes it harmless ([`safe`]); what still slipped
//!   through is caught by [`safe::scrub`], the last function before the terminal.
//! - Drawing changes nothing but scroll offsets.

pub mod canvas;
pub mod cell;
pub mod export;
pub mod find;
pub mod glyphs;
pub mod graph;
pub mod line;
pub mod page;
pub mod pane;
pub mod safe;
pub mod table;
pub mod text;
pub mod theme;
pub mod wrap;

pub use canvas::Canvas;
pub use cell::{Align, Cell};
pub use glyphs::Glyphs;
pub use ratatui::layout::Rect;
pub use theme::{Theme, Tone};
