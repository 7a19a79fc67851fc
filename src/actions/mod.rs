//! The one table of actions: keys, palette, footer, help and `pvedeck keys` all come from it.
