//! What is possible, decided apart from the panes.

use std::collections::BTreeSet;

use crate::{
    domain::{ClusterId, ObjectRef},
    overlays::palette::Judge,
    plan::{self, Arguments, Deed, Scene},
};

/// Who knows what is possible, as the store has it.
pub(super) struct Justice<'a> {
    pub(super) scene: Scene<'a>,
    pub(super) writable: &'a BTreeSet<ClusterId>,
}

impl Judge for Justice<'_> {
    fn possible(&self, deed: Deed, targets: &[ObjectRef]) -> Result<(), String> {
        if targets.is_empty() {
            return Err(format!("select {} first", plan::one_of(deed.row().object)));
        }
        let mut first = None;
        for target in targets {
            let possible = if self.writable.contains(target.cluster()) {
                plan::availability(deed, target, self.scene.store)
                    .map_err(|refusal| refusal.to_string())
                    .and_then(|()| plan::lacking(deed, target, self.scene).map_or(Ok(()), Err))
            } else {
                Err(format!("{} is read-only", target.cluster()))
            };
            match possible {
                Ok(()) => return Ok(()),
                Err(reason) => {
                    first.get_or_insert(reason);
                }
            }
        }
        Err(first.unwrap_or_default())
    }

    fn offers(
        &self,
        deed: Deed,
        argument: &str,
        targets: &[ObjectRef],
        given: &Arguments,
    ) -> Vec<plan::Offer> {
        plan::offers(deed, argument, targets, given, self.scene)
    }
}
