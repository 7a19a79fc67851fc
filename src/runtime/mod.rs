//! Event loop, terminal guard, effect executor; the only room that spawns.

pub mod look;
pub mod prompt;
pub mod screen;
pub mod terminal;
