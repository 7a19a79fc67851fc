//! One frame without a terminal: for mail, documents and tests.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::{buffer::Buffer, layout::Rect};

use super::links::Links;
use crate::{
    app::{App, Effect, Event, Setup},
    store::FeedErrorKind,
};

/// How a waited-for frame ended.
#[derive(Debug)]
pub struct Frame {
    /// The frame.
    pub buffer: Buffer,
    /// What could not be read, a sentence each; empty if the frame is complete.
    pub missing: Vec<String>,
    /// Whether the time ran out before everything was answered.
    pub timed_out: bool,
    /// Why a cluster's inventory could not be read, if none could.
    pub dead: Option<FeedErrorKind>,
}

/// Draws the place of `setup` once everything that it shows was answered, or `timeout` passed. What a server does
/// wrong is in [`Frame::missing`].
pub async fn frame(setup: Setup, size: (u16, u16), mut links: Links, timeout: Duration) -> Frame {
    let mut app = App::new(setup, Timestamp::now(), size);
    let deadline = tokio::time::Instant::now() + timeout;
    let mut timed_out = false;
    obey(&links, app.update(Event::Ticked, Timestamp::now()));
    while !app.is_settled() {
        let event = tokio::select! {
            Some(update) = links.updates.recv() => Event::Read(Box::new(update)),
            Some(update) = links.measured.recv() => Event::Measured(Box::new(update)),
            () = tokio::time::sleep_until(deadline) => {
                timed_out = true;
                break;
            }
            else => break,
        };
        obey(&links, app.update(event, Timestamp::now()));
    }
    links.stop().await;
    let mut buffer = Buffer::empty(Rect {
        x: 0,
        y: 0,
        width: size.0,
        height: size.1,
    });
    app.draw(&mut buffer);
    let errors = app
        .store()
        .members()
        .iter()
        .map(|member| member.freshness(&member.heart()).error.map(|error| error.kind));
    let dead = if errors.clone().all(|error| error.is_some()) {
        errors.flatten().next()
    } else {
        None
    };
    Frame {
        buffer,
        missing: app.missing(),
        timed_out,
        dead,
    }
}

fn obey(links: &Links, effects: Vec<Effect>) {
    for effect in effects {
        match effect {
            Effect::Watch { feeds, paused } => links.watch(feeds, paused),
            Effect::Refresh(feeds) => links.refresh(feeds),
            Effect::WatchMonitors { feeds, paused } => links.watch_monitors(feeds, paused),
            Effect::RefreshMonitors(feeds) => links.refresh_monitors(feeds),
            // Nobody presses keys here, so nothing else is wanted.
            Effect::Console(..)
            | Effect::Acknowledge(_)
            | Effect::Copy(_)
            | Effect::Dump(_)
            | Effect::Export(_)
            | Effect::HandOver(_)
            | Effect::CaptureMouse(_)
            | Effect::Run { .. }
            | Effect::ContinueRun { .. }
            | Effect::StopRun(_)
            | Effect::DropRun(_)
            | Effect::ReadJournal
            | Effect::Quit => {}
        }
    }
}
