//! Short messages that go away by themselves.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::ui::Tone;

/// Seconds that a toast stays; errors stay longer, because they have to be understood.
const SECONDS: i64 = 5;
const SECONDS_OF_ERRORS: i64 = 12;

/// The messages on show, the newest last.
#[derive(Clone, Debug, Default)]
pub struct Toasts {
    queue: VecDeque<Toast>,
}

/// One message.
#[derive(Clone, PartialEq, Debug)]
pub struct Toast {
    /// What it means.
    pub tone: Tone,
    /// What it says. Foreign text may be part of it.
    pub text: String,
    until: Timestamp,
}

impl Toasts {
    const MOST: usize = 3;

    /// Shows a message. The same message again only stays longer.
    pub fn say(&mut self, tone: Tone, text: String, now: Timestamp) {
        let seconds = if matches!(tone, Tone::Bad | Tone::Critical) {
            SECONDS_OF_ERRORS
        } else {
            SECONDS
        };
        let until = Timestamp::from_second(now.as_second() + seconds).unwrap_or(now);
        self.queue.retain(|toast| toast.text != text);
        self.queue.push_back(Toast { tone, text, until });
        while self.queue.len() > Self::MOST {
            self.queue.pop_front();
        }
    }

    /// Lets go what has been shown long enough; returns whether anything went.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let before = self.queue.len();
        self.queue.retain(|toast| toast.until > now);
        self.queue.len() != before
    }

    /// What is on show.
    pub fn shown(&self) -> impl DoubleEndedIterator<Item = &Toast> + ExactSizeIterator {
        self.queue.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toasts_go_by_themselves_and_do_not_pile_up() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut toasts = Toasts::default();
        toasts.say(Tone::Good, "saved".into(), at(0));
        toasts.say(Tone::Bad, "refused".into(), at(0));
        toasts.say(Tone::Good, "saved".into(), at(2));
        assert_eq!(toasts.shown().len(), 2);
        assert!(!toasts.expire(at(5)));
        assert!(toasts.expire(at(7)));
        assert_eq!(toasts.shown().next().unwrap().text, "refused");
        assert!(toasts.expire(at(12)));
    }
}
