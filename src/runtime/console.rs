//! The event loop of the console.

use std::{
    io,
    path::PathBuf,
    pin::pin,
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use crossterm::event::{Event as Heard, EventStream};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use super::{
    board::Board,
    consoles::Consoles,
    errand::{self, Errand, Stage},
    files::write_private,
    input::Input,
    links::Links,
    memory,
    screen::Screen,
    terminal::{self, Guard},
    works::Works,
};
use crate::{
    app::{App, Effect, Event, HandOver, Outcome, Setup},
    domain::{ClusterId, acknowledge::Acknowledgements},
    store::{Snapshot, Store},
    ui::Tone,
};

/// News from servers are drawn at most this often; keys are drawn at once.
const FRAME: Duration = Duration::from_millis(33);

/// Runs the console until the user ends it. `connect` is called after the first frame: neither what it takes to reach
/// the clusters nor ten thousand remembered guests may delay it. Dumps and the last known state are kept below `state`.
///
/// Returns why a console ended that was all there is.
///
/// # Errors
/// If there is no terminal to draw on, or it goes away.
pub async fn run(
    setup: Setup,
    state: Option<PathBuf>,
    connect: impl FnOnce() -> Links,
) -> anyhow::Result<Option<Outcome>> {
    let mouse = setup.mouse;
    let alone = setup.alone.is_some();
    let guard = Guard::take(mouse)?;
    let size = crossterm::terminal::size().context("the size of the terminal cannot be read")?;
    let mut app = App::new(setup, Timestamp::now(), size);
    let mut screen = Screen::new(io::stdout(), size);
    screen.draw(|buffer| app.draw(buffer))?;
    let mut links = connect();
    let mut works = Works::new(state.as_deref());
    works.act_through(links.actors.clone(), std::mem::take(&mut links.servers));
    if !alone {
        works.read_journal(true);
    }
    let consoles = Consoles::new(std::mem::take(&mut links.actors), state.clone());
    let recalled = recall(state.clone(), app.store());
    let mut console = Loop {
        app,
        screen,
        links,
        works,
        consoles,
        recalled,
        board: Board::new(state.as_deref()),
        state,
        guard,
        keys: Some(EventStream::new()),
        errand: None,
        mouse,
        quit: false,
    };
    let ended = console.run().await;
    if let Some(errand) = console.errand.take() {
        errand.recall(&mut console.guard).await;
    }
    drop(console.guard);
    console.consoles.stop().await;
    console.works.leave().await;
    console.links.stop().await;
    // Whoever looked at one console knows nothing new of the rest.
    if !alone {
        memory::remember(console.state.as_deref(), console.app.store());
    }
    ended.map(|()| console.app.outcome().filter(|_| alone).cloned())
}

/// Reads what earlier runs knew, beside the loop: a key is answered meanwhile.
fn recall(state: Option<PathBuf>, store: &Store) -> mpsc::Receiver<Snapshot> {
    let (sender, recalled) = mpsc::channel(1);
    let clusters: Vec<ClusterId> = store.clusters().iter().map(|known| known.id().clone()).collect();
    tokio::task::spawn_blocking(move || {
        let known = state.iter().flat_map(|state| memory::recall(state, &clusters));
        for known in known {
            if sender.blocking_send(known).is_err() {
                return;
            }
        }
    });
    recalled
}

/// The next thing that the terminal tells; nothing while nobody listens.
async fn typed(keys: &mut Option<EventStream>) -> Option<io::Result<Heard>> {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}

struct Loop {
    app: App,
    screen: Screen<io::Stdout>,
    links: Links,
    works: Works,
    consoles: Consoles,
    recalled: mpsc::Receiver<Snapshot>,
    board: Board,
    state: Option<PathBuf>,
    guard: Guard,
    /// What is typed; nobody listens while another program has the terminal.
    keys: Option<EventStream>,
    /// The program that has the terminal, if one has.
    errand: Option<Errand>,
    mouse: bool,
    quit: bool,
}

impl Loop {
    async fn run(&mut self) -> anyhow::Result<()> {
        let mut input = Input::default();
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut core = signal(SignalKind::quit())?;
        let mut children = signal(SignalKind::child())?;
        let mut drawn = Instant::now();
        // Whatever the application wants from the start: its first interest.
        self.handle(Event::Ticked)?;
        while !self.quit {
            let due = pin!(tokio::time::sleep_until((drawn + FRAME).into()));
            tokio::select! {
                biased;
                _ = hangup.recv() => self.handle(Event::Terminated)?,
                _ = terminate.recv() => self.handle(Event::Terminated)?,
                // While another program has the terminal, its Ctrl-C and Ctrl-\ reach us as well.
                _ = interrupt.recv() => self.interrupted()?,
                _ = core.recv() => self.interrupted()?,
                _ = children.recv() => if let Some(errand) = &self.errand { errand.follow(); },
                ended = errand::end(&mut self.errand) => self.came_back(ended)?,
                event = typed(&mut self.keys) => match event {
                    Some(event) if self.errand.is_some() => {
                        if matches!(event?, Heard::Key(_)) {
                            self.resume()?;
                        }
                    }
                    Some(event) => {
                        if let Some(event) = input.event(event?, Timestamp::now()) {
                            self.handle(event)?;
                        }
                        // A key that changes nothing, such as one for a guest, leaves what it brings to be drawn at once.
                        if self.app.is_dirty() {
                            self.draw()?;
                            drawn = Instant::now();
                        }
                    }
                    // The terminal is gone: there is nobody to show anything to.
                    None => self.quit = true,
                },
                Some(event) = self.works.events.recv() => self.handle(event)?,
                Some(known) = self.recalled.recv() => self.handle(Event::Recalled(Box::new(known)))?,
                update = self.links.updates.recv() => {
                    if let Some(update) = update {
                        self.handle(Event::Read(Box::new(update)))?;
                    }
                    // What has come meanwhile goes into the same frame.
                    while let Ok(update) = self.links.updates.try_recv() {
                        self.handle(Event::Read(Box::new(update)))?;
                    }
                }
                Some(update) = self.links.measured.recv() => {
                    self.handle(Event::Measured(Box::new(update)))?;
                }
                () = due, if self.app.is_dirty() && self.errand.is_none() => {
                    self.draw()?;
                    drawn = Instant::now();
                }
                _ = seconds.tick() => {
                    self.handle(Event::Ticked)?;
                    let news = self.board.news();
                    self.acknowledged(news)?;
                }
                // The last of all: a guest may write without end.
                Some((session, event)) = self.consoles.events.recv() => {
                    self.handle(Event::ConsoleHeard(session, event))?;
                }
            }
        }
        Ok(())
    }

    fn interrupted(&mut self) -> anyhow::Result<()> {
        if self.errand.is_none() {
            self.handle(Event::Terminated)?;
        }
        Ok(())
    }

    /// Gives the terminal to a program.
    fn hand_over(&mut self, order: HandOver) -> anyhow::Result<()> {
        if self.errand.is_some() {
            return Ok(());
        }
        // Whoever listens would take keys away from the program.
        self.keys = None;
        let lent = self.guard.lend().context("the terminal cannot be given away")?;
        let errand = Errand::begin(order, lent);
        let begun = errand.stage == Stage::Runs;
        self.errand = Some(errand);
        if !begun {
            self.resume()?;
        }
        Ok(())
    }

    /// The program has ended.
    fn came_back(&mut self, ended: io::Result<ExitStatus>) -> anyhow::Result<()> {
        let Some(errand) = &mut self.errand else {
            return Ok(());
        };
        let stays = errand.ended(ended);
        self.guard.take_back(&errand.lent)?;
        if stays {
            // What it said about its failure would be gone with the next frame.
            errand.say_goodbye()?;
            self.keys = Some(EventStream::new());
            return Ok(());
        }
        self.resume()
    }

    /// Takes the screen again and tells how it ended.
    fn resume(&mut self) -> anyhow::Result<()> {
        let Some(errand) = self.errand.take() else {
            return Ok(());
        };
        self.keys = None;
        if errand.stage != Stage::Over {
            self.guard.take_back(&errand.lent)?;
        }
        self.guard.take_screen(self.mouse)?;
        self.keys = Some(EventStream::new());
        let (width, height) = crossterm::terminal::size()?;
        self.handle(Event::Resized(width, height))?;
        let (tone, text) = errand.told;
        self.handle(Event::Told(tone, text))?;
        self.draw()?;
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.app.is_dirty() && self.errand.is_none() {
            let app = &mut self.app;
            self.screen.draw(|buffer| app.draw(buffer))?;
        }
        Ok(())
    }

    fn handle(&mut self, event: Event) -> anyhow::Result<()> {
        if let Event::Resized(width, height) = event {
            self.screen.reset((width, height))?;
        }
        for effect in self.app.update(event, Timestamp::now()) {
            self.execute(effect)?;
        }
        Ok(())
    }

    fn execute(&mut self, effect: Effect) -> anyhow::Result<()> {
        match effect {
            Effect::Watch { feeds, paused } => self.links.watch(feeds, paused),
            Effect::Refresh(feeds) => self.links.refresh(feeds),
            Effect::WatchMonitors { feeds, paused } => self.links.watch_monitors(feeds, paused),
            Effect::RefreshMonitors(feeds) => self.links.refresh_monitors(feeds),
            Effect::Copy(text) => terminal::copy(&text)?,
            Effect::HandOver(order) => self.hand_over(order)?,
            Effect::CaptureMouse(on) => {
                self.mouse = on;
                terminal::capture_mouse(on)?;
            }
            Effect::Acknowledge(orders) => {
                let written = self.board.write(orders);
                self.acknowledged(written)?;
            }
            Effect::Dump(text) => self.write("screen", "txt", &text),
            Effect::Export(text) => self.write("plan", "sh", &text),
            Effect::Run {
                ticket,
                plan,
                options,
            } => self.works.run(ticket, plan, options),
            Effect::ContinueRun {
                ticket,
                number,
                options,
            } => self.works.go_on(ticket, number, options),
            Effect::StopRun(ticket) => self.works.stop(ticket),
            Effect::DropRun(number) => self.works.give_up(number),
            Effect::ReadJournal => self.works.read_journal(false),
            Effect::Console(session, order) => {
                if let Some(event) = self.consoles.order(session, order) {
                    self.handle(Event::ConsoleHeard(session, event))?;
                }
            }
            Effect::Quit => self.quit = true,
        }
        Ok(())
    }

    /// Hands on what the file of acknowledgements says, or why it says nothing.
    fn acknowledged(&mut self, read: Result<Option<Acknowledgements>, String>) -> anyhow::Result<()> {
        match read {
            Ok(Some(known)) => self.handle(Event::Acknowledged(known)),
            Ok(None) => Ok(()),
            Err(why) => self.handle(Event::Told(Tone::Warn, why)),
        }
    }

    /// Writes a file and tells where it is.
    fn write(&mut self, what: &str, kind: &str, text: &str) {
        let told = match self.file(what, kind, text) {
            Ok(path) => Event::Told(Tone::Good, format!("the {what} is in {}", path.display())),
            Err(error) => Event::Told(Tone::Bad, format!("the {what} was not written: {error:#}")),
        };
        self.app.update(told, Timestamp::now());
    }

    fn file(&self, what: &str, kind: &str, text: &str) -> anyhow::Result<PathBuf> {
        let directory = self
            .state
            .as_ref()
            .context("there is no directory for it (HOME is not set)")?;
        let path = directory.join(format!(
            "{what}-{}.{kind}",
            Timestamp::now().strftime("%Y%m%d-%H%M%S")
        ));
        write_private(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}
