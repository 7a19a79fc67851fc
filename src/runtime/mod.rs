//! Event loop, terminal guard, effect executor; the only room that spawns.

pub mod prompt;
