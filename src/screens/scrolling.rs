//! The scroll actions, which all panes of text share.

use crate::{actions::Id, ui::table::Move};

/// The step that an action means in scrolling text.
pub(super) fn step(action: Id) -> Option<Move> {
    Some(match action {
        Id::TextDown => Move::By(1),
        Id::TextUp => Move::By(-1),
        Id::TextPageDown => Move::Page(1),
        Id::TextPageUp => Move::Page(-1),
        Id::TextFirst => Move::First,
        Id::TextLast => Move::Last,
        _ => return None,
    })
}
