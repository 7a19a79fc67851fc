//! The sessions of consoles: each a task that holds one connection.
//!
//! What always holds here:
//! - What guests write waits in a bounded queue; when that is full, the connection is not read: a flood slows down
//!   the guest, and neither grows memory nor starves keys.
//! - Only a cluster that may be written to has consoles: there is nothing else to open one with.
//! - A connection that gives no sign of life is ended.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::recording::Recording;
use crate::{
    app::{ConsoleEvent, ConsoleOrder},
    clients::pve::{Actor, ConsoleNews, ConsoleStream},
    domain::{ClusterId, Console},
    sync::failure,
};

/// Pieces of output that may wait, in all sessions together.
const WAITING: usize = 16;
/// The longest piece: the loop draws and takes keys between two of them.
const PIECE: usize = 16 << 10;
/// Orders that may wait for a session, each a key or a paste.
const ORDERS: usize = 256;
/// How often the line is kept open.
const ALIVE: Duration = Duration::from_secs(30);
/// Without a sign of life for so long, the other side is gone.
const DEAD: Duration = Duration::from_secs(75);
/// How long a server may take to accept what is typed.
const SLOW: Duration = Duration::from_secs(20);

/// All sessions.
pub(super) struct Consoles {
    actors: BTreeMap<ClusterId, Actor>,
    /// Where recordings are kept.
    state: Option<PathBuf>,
    sessions: BTreeMap<u64, mpsc::Sender<ConsoleOrder>>,
    sender: mpsc::Sender<(u64, ConsoleEvent)>,
    /// What is heard of them.
    pub(super) events: mpsc::Receiver<(u64, ConsoleEvent)>,
    tasks: JoinSet<()>,
}

impl Consoles {
    pub(super) fn new(actors: BTreeMap<ClusterId, Actor>, state: Option<PathBuf>) -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        Self {
            actors,
            state,
            sessions: BTreeMap::new(),
            sender,
            events,
            tasks: JoinSet::new(),
        }
    }

    /// Gives an order to a session. What cannot be done is said by the event.
    pub(super) fn order(&mut self, session: u64, order: ConsoleOrder) -> Option<ConsoleEvent> {
        // The tasks that have ended leave nothing behind.
        while self.tasks.try_join_next().is_some() {}
        self.sessions.retain(|_, orders| !orders.is_closed());
        if let ConsoleOrder::Open {
            cluster,
            console,
            size,
        } = order
        {
            let Some(actor) = self.actors.get(&cluster).cloned() else {
                return Some(ConsoleEvent::Ended(Some(format!("{cluster} is read-only"))));
            };
            let (orders, receiver) = mpsc::channel(ORDERS);
            let session_task = Session {
                orders: receiver,
                events: Events {
                    session,
                    sender: self.sender.clone(),
                },
                state: self.state.clone(),
                recording: None,
                heard: Instant::now(),
            };
            self.sessions.insert(session, orders);
            self.tasks.spawn(session_task.run(actor, console, size));
            return None;
        }
        let closes = order == ConsoleOrder::Close;
        let orders = self.sessions.get(&session)?;
        let full = matches!(orders.try_send(order), Err(mpsc::error::TrySendError::Full(_)));
        if closes {
            // Without its orders a session ends.
            self.sessions.remove(&session);
        }
        full.then(|| ConsoleEvent::Ended(Some("the guest does not take what is typed".to_owned())))
    }

    /// Ends all sessions.
    pub(super) async fn stop(mut self) {
        self.sessions.clear();
        self.events.close();
        // Each says farewell; a server that does not listen to it is not waited for.
        let farewell = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), farewell).await;
    }
}

/// The way back to the loop.
struct Events {
    session: u64,
    sender: mpsc::Sender<(u64, ConsoleEvent)>,
}

impl Events {
    /// Tells the loop. If that is gone, nobody wants to know.
    async fn tell(&self, event: ConsoleEvent) {
        let _ = self.sender.send((self.session, event)).await;
    }
}

struct Session {
    orders: mpsc::Receiver<ConsoleOrder>,
    events: Events,
    state: Option<PathBuf>,
    recording: Option<Recording>,
    /// When the other side last gave a sign of life.
    heard: Instant,
}

impl Session {
    async fn run(mut self, actor: Actor, console: Console, mut size: (u16, u16)) {
        let opened = {
            let opening = actor.console(&console);
            tokio::pin!(opening);
            loop {
                tokio::select! {
                    opened = &mut opening => break opened,
                    order = self.orders.recv() => match order {
                        // Nobody waits for it any more.
                        None | Some(ConsoleOrder::Close) => return,
                        Some(ConsoleOrder::Resize(columns, rows)) => size = (columns, rows),
                        // Nothing else is ordered of a console that is not open.
                        Some(_) => {}
                    },
                }
            }
        };
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(error) => {
                let why = failure(&error);
                return self
                    .events
                    .tell(ConsoleEvent::Refused(why.kind, why.message))
                    .await;
            }
        };
        self.events.tell(ConsoleEvent::Opened).await;
        self.heard = Instant::now();
        let ended = match within(stream.resize(size.0, size.1)).await {
            Ok(()) => self.serve(&mut stream).await,
            Err(why) => Err(why),
        };
        drop(self.recording.take());
        stream.close().await;
        self.events.tell(ConsoleEvent::Ended(ended.err())).await;
    }

    /// Goes between the guest and the loop until one of them ends it; the error says why it broke.
    async fn serve(&mut self, stream: &mut ConsoleStream) -> Result<(), String> {
        let mut alive = interval(ALIVE);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once, when there is nothing to keep open yet.
        alive.tick().await;
        let mut output: Vec<u8> = Vec::new();
        let sender = self.events.sender.clone();
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    None | Some(ConsoleOrder::Close) => return Ok(()),
                    Some(order) => self.obey(order, stream).await?,
                },
                _ = alive.tick() => {
                    if self.heard.elapsed() > DEAD {
                        return Err(format!("the server has given no sign of life for {} s", DEAD.as_secs()));
                    }
                    within(stream.keep_alive()).await?;
                }
                // Only when the last piece is taken is more of it read.
                permit = sender.reserve(), if !output.is_empty() => {
                    let rest = output.split_off(output.len().min(PIECE));
                    let piece = std::mem::replace(&mut output, rest);
                    // Without a loop there is nobody to write to.
                    let Ok(permit) = permit else { return Ok(()) };
                    permit.send((self.events.session, ConsoleEvent::Wrote(piece)));
                }
                news = stream.next(), if output.is_empty() => {
                    self.heard = Instant::now();
                    match news.map_err(|error| error.to_string())? {
                        ConsoleNews::Output(bytes) => {
                            self.record(&bytes).await;
                            output = bytes;
                        }
                        ConsoleNews::Alive => {}
                        ConsoleNews::Ended => return Ok(()),
                    }
                }
            }
        }
    }

    async fn obey(&mut self, order: ConsoleOrder, stream: &mut ConsoleStream) -> Result<(), String> {
        match order {
            ConsoleOrder::Type(bytes) => within(stream.send(&bytes)).await?,
            ConsoleOrder::Resize(columns, rows) => {
                if let Some(recording) = &mut self.recording
                    && let Err(error) = recording.resized(columns, rows)
                {
                    self.fail(&error).await;
                }
                within(stream.resize(columns, rows)).await?;
            }
            ConsoleOrder::Record {
                file,
                title,
                size,
                state,
            } => {
                let begun = match (&file, &self.state) {
                    (Some(file), _) => Recording::create(file, &title, size),
                    (None, Some(directory)) => Recording::begin(&directory.join("recordings"), &title, size),
                    (None, None) => Err(std::io::Error::other(
                        "there is no directory for it (HOME is not set)",
                    )),
                };
                match begun.and_then(|mut recording| recording.wrote(&state).map(|()| recording)) {
                    Ok(recording) => {
                        let file = recording.path().display().to_string();
                        self.recording = Some(recording);
                        self.events.tell(ConsoleEvent::Recording(file)).await;
                    }
                    Err(error) => self.fail(&error).await,
                }
            }
            ConsoleOrder::EndRecord => {
                self.recording = None;
                self.events.tell(ConsoleEvent::Recorded(None)).await;
            }
            // Opening is how a session begins, and closing is seen before.
            ConsoleOrder::Open { .. } | ConsoleOrder::Close => {}
        }
        Ok(())
    }

    async fn record(&mut self, bytes: &[u8]) {
        if let Some(recording) = &mut self.recording
            && let Err(error) = recording.wrote(bytes)
        {
            self.fail(&error).await;
        }
    }

    async fn fail(&mut self, error: &std::io::Error) {
        self.recording = None;
        self.events
            .tell(ConsoleEvent::Recorded(Some(format!(
                "the file cannot be written ({error})"
            ))))
            .await;
    }
}

/// Something that is sent, or the sentence that it was not taken.
async fn within(sending: impl Future<Output = Result<(), crate::clients::Error>>) -> Result<(), String> {
    match tokio::time::timeout(SLOW, sending).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err(format!("the server took nothing for {} s", SLOW.as_secs())),
    }
}
