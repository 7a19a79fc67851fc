//! Whether an action is possible now, and if not, why.

use super::table::Id;
use crate::domain::ObjectRef;

/// What an action would be done to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Target<'a> {
    /// The selected or opened object.
    pub object: Option<&'a ObjectRef>,
    /// Whether the focused pane is a list.
    pub list: bool,
    /// Whether the object's cluster may be written to.
    pub writable: bool,
}

/// Why an action is not possible: a few words that the palette shows behind it.
pub type Reason = &'static str;

/// Whether an action is possible on the target.
///
/// # Errors
/// The reason why it is not.
pub fn availability(action: Id, target: Target<'_>) -> Result<(), Reason> {
    match action {
        Id::ObjectRaw if matches!(target.object, Some(ObjectRef::Alert(_) | ObjectRef::Silence(_))) => {
            Err("its page shows everything")
        }
        Id::ListOpen | Id::ObjectDescribe | Id::ObjectRaw | Id::Copy => {
            target.object.map(|_| ()).ok_or("nothing is selected")
        }
        Id::ObjectLog => match target.object {
            Some(ObjectRef::Task(_) | ObjectRef::Node(_)) => Ok(()),
            Some(_) => Err("only tasks and nodes have a log"),
            None => Err("nothing is selected"),
        },
        Id::ObjectDashboard => match target.object {
            Some(ObjectRef::Node(_) | ObjectRef::Guest(_) | ObjectRef::Storage(_)) => Ok(()),
            Some(_) => Err("only nodes, guests and storages have dashboards"),
            None => Err("nothing is selected"),
        },
        Id::ObjectMetrics => match target.object {
            Some(ObjectRef::Node(_) | ObjectRef::Guest(_) | ObjectRef::Storage(_) | ObjectRef::Alert(_)) => {
                Ok(())
            }
            Some(_) => Err("only nodes, guests and storages have metrics"),
            None => Err("nothing is selected"),
        },
        Id::AlertAcknowledge => match target.object {
            Some(ObjectRef::Alert(_)) => Ok(()),
            Some(_) => Err("only alerts and findings are acknowledged"),
            None => Err("nothing is selected"),
        },
        Id::ConsoleOpen | Id::ConsoleRecord | Id::ConsoleClose => match target.object {
            Some(ObjectRef::Node(_) | ObjectRef::Guest(_)) if !target.writable => Err("read-only"),
            Some(ObjectRef::Node(_) | ObjectRef::Guest(_)) => Ok(()),
            Some(_) => Err("only nodes and guests have a console"),
            None => Err("nothing is selected"),
        },
        Id::ObjectSsh => match target.object {
            // Whoever is on it can change everything.
            Some(ObjectRef::Node(_) | ObjectRef::Guest(_)) if !target.writable => Err("read-only"),
            Some(ObjectRef::Node(_) | ObjectRef::Guest(_)) => Ok(()),
            Some(_) => Err("only nodes and guests are reached by SSH"),
            None => Err("nothing is selected"),
        },
        Id::ListFilter
        | Id::ListSortNext
        | Id::ListSortReverse
        | Id::ListMark
        | Id::ListMarkRange
        | Id::ListMarkAll
            if !target.list =>
        {
            Err("there is no list here")
        }
        _ => Ok(()),
    }
}
