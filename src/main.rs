//! The `pvedeck` binary.

fn main() {}
