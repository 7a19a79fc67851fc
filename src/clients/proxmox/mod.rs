//! What the clients of Proxmox VE and of Proxmox Backup Server share: sign-in, envelopes, lenient values, tasks, and
//! what an answer means.
//!
//! What always holds here: the two differ in how they write tokens, cookies and errors, and each difference stands in
//! one place ([`auth::Scheme`], [`answer`]).

pub(in crate::clients) mod accepted;
pub(in crate::clients) mod answer;
pub mod auth;
pub(in crate::clients) mod envelope;
pub(in crate::clients) mod get;
pub(in crate::clients) mod lenient;
pub(in crate::clients) mod tasks;
