//! All decisions: `update(Event) -> Vec<Effect>`.
