//! pvedeck, a terminal operations console for Proxmox VE.
//!
//! Two sentences carry the design:
//!
//! 1. **Seeing:** interest → reader → client → domain object → store → view model → cells.
//! 2. **Acting:** action → plan → confirmation → runner → journal → event → store.
//!
//! One owner of state, no locks in the interface, no clock and no I/O where decisions are taken.
//!
//! | room | what it is for | may use |
//! |---|---|---|
//! | [`domain`] | nouns, pure | nothing of ours |
//! | [`clients`] | one folder per outside system; nobody else speaks HTTP | domain |
//! | [`store`] | last known truth, freshness, findings | domain |
//! | [`sync`] | interests of the screens → requests at the right rhythm | clients, domain, store |
//! | [`actions`] | the one table of actions | domain, store |
//! | [`plan`] | what a deed would do; runner; journal | actions, domain, store |
//! | [`settings`] | files, layers, secrets → validated settings | domain, actions |
//! | [`ui`] | theme, widgets, text made safe | domain |
//! | [`screens`], [`overlays`] | one folder per pane: state, view, draw | ui, actions, store, settings, domain |
//! | [`app`] | all decisions: `update(Event) → Vec<Effect>` | the line above, screens, overlays |
//! | [`runtime`] | event loop, terminal guard, effects | anything |
//! | [`cli`] | commands | anything |
//! | [`demo`] | the embedded simulated datacentre | domain |
//!
//! `tests/architecture.rs` enforces the table.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod actions;
pub mod app;
pub mod cli;
pub mod clients;
pub mod demo;
pub mod domain;
pub mod overlays;
pub mod plan;
pub mod runtime;
pub mod screens;
pub mod settings;
pub mod store;
pub mod sync;
pub mod ui;
