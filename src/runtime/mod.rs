//! Event loop, terminal guard, effect executor; the only room that spawns.

pub mod board;
pub mod console;
mod consoles;
mod errand;
pub mod files;
pub mod hands;
pub mod input;
pub mod links;
pub mod look;
pub mod memory;
pub mod prompt;
pub mod recording;
pub mod relocating;
pub mod screen;
pub mod show;
pub mod terminal;
pub mod works;
