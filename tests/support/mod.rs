//! What the test programs share. One idea a file; each program uses its part.

#![allow(dead_code, unreachable_pub, reason = "each test program uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on says so by panicking"
)]

pub mod caller;
pub mod estate;
pub mod identity;
pub mod recording;
pub mod reference;
pub mod replay;
pub mod scripted;
pub mod terminal;
