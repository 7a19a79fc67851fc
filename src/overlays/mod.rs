//! What lies over the panes for a moment: palette, menu, form, confirmation, questions, help, toasts. The same shape
//! as a screen: state and update here, cells in `draw.rs`.

pub mod ask;
pub mod confirm;
pub mod draw;
pub mod form;
pub mod help;
pub mod menu;
pub mod palette;
pub mod toast;
pub mod typing;

pub use ask::Ask;
pub use confirm::Confirm;
pub use form::Form;
pub use help::Help;
pub use menu::Menu;
pub use palette::{Choice, Palette};
pub use toast::Toasts;
