//! `/access/…`.

use std::collections::BTreeMap;

use super::{super::request::Permissions, Broken, Envelope, lenient::Flag};

/// Path and privileges, both sorted. The value of a privilege only says whether it is inherited.
pub(in super::super) fn permissions(envelope: &Envelope<'_>) -> Result<Permissions, Broken> {
    let paths: BTreeMap<Box<str>, BTreeMap<Box<str>, Flag>> = envelope.object()?;
    Ok(paths
        .into_iter()
        .map(|(path, privileges)| (path, privileges.into_keys().collect()))
        .collect())
}
