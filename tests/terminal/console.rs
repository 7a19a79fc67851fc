//! The console on a server of the test.

/// A token's shape; the server of a test lets everybody in unless told otherwise.
pub(crate) const TOKEN: &str = "root@pam!test=00000000-0000-4000-8000-000000000000";
