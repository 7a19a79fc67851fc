//! Risks that do not depend on the group of a deed.

use super::{
    super::{Deed, Risk, Weight},
    guest::On,
};

/// What one should know before this is done to this guest, whatever it is.
pub(super) fn common(on: &On<'_>) -> Vec<Risk> {
    let mut risks = Vec::new();
    if matches!(on.task.deed, Deed::SnapshotCreate | Deed::SnapshotDelete) {
        return risks;
    }
    if let Some(lock) = &on.guest.lock {
        risks.push(Risk::new(
            Weight::Warning,
            format!("{} is locked ({lock}): something is working on it", on.title),
        ));
    }
    if let Some(state) = on.guest.ha_state.as_deref().filter(|state| *state != "ignored") {
        risks.push(Risk::new(
            Weight::Note,
            format!(
                "{} is managed by HA ({state}): HA does it, a little later",
                on.title
            ),
        ));
    }
    risks.extend(super::copies::in_no_job(on));
    let production = |tag: &&std::sync::Arc<str>| {
        let known = &on.task.scene.rules.production_tags;
        known.iter().any(|name| name.eq_ignore_ascii_case(tag))
    };
    if on.task.scene.rules.danger(on.task.deed) > super::super::Danger::None
        && let Some(tag) = on.guest.tags.iter().find(production)
    {
        risks.push(Risk::new(
            Weight::Warning,
            format!("{} is production (tag {tag})", on.title),
        ));
    }
    risks
}
