//! What lies over the panes for a moment: palette, help, toasts. The same shape as a screen: state and update
//! here, cells in `draw.rs`.

pub mod draw;
pub mod help;
pub mod palette;
pub mod toast;

pub use help::Help;
pub use palette::{Choice, Palette};
pub use toast::Toasts;
