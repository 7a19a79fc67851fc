//! How long the way from an answer to cells takes, at 100, 1,000 and 10,000 guests: `cargo bench`.
//!
//! What must hold on any machine is counted in `tests/flows/bounds.rs`; this is for comparing before and after.

#![allow(missing_docs, reason = "criterion's macros write items without documentation")]

#[path = "../support/mod.rs"]
mod support;

use std::{cmp::Ordering, collections::BTreeSet, hint::black_box};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pvedeck::{
    app::{App, Event, Setup},
    clients::pve::request,
    domain::{
        Guest, GuestRef, Inventory, ObjectRef,
        filter::Filter,
        metric::{Sample, Unit},
    },
    screens::Place,
    settings::{ColorDepth, KeyChord, keymap::Keymap},
    store::{Feed, Payload, Store, Update},
    ui::{
        Canvas, Cell, Glyphs, Rect, Theme, Tone,
        graph::{Extent, Graph, Trace},
        table::{
            Column, Rows, TableState, Width, by_name, by_number,
            draw::{Look, table},
        },
    },
};
use ratatui::buffer::Buffer;
use support::estate;

const SIZES: [u32; 3] = [100, 1_000, 10_000];

const COLUMNS: &[Column] = &[
    Column::number("vmid", 6, 0),
    Column::text("name", Width::Grow(10, 1), 0),
    Column::text("node", Width::Fixed(8), 1),
    Column::number("cpu", 5, 2),
];

struct Guests(Vec<Guest>);

impl Rows for Guests {
    fn columns(&self) -> &[Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        ObjectRef::Guest(GuestRef {
            cluster: "prod".into(),
            vmid: self.0[row].vmid,
        })
    }

    fn matches(&self, row: usize, _: &Filter) -> bool {
        self.0[row]
            .name
            .as_deref()
            .is_some_and(|name| name.contains("web"))
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (&self.0[a], &self.0[b]);
        match column {
            0 => a.vmid.cmp(&b.vmid),
            1 => by_name(
                a.name.as_deref().unwrap_or_default(),
                b.name.as_deref().unwrap_or_default(),
            ),
            2 => by_name(a.node.as_str(), b.node.as_str()),
            _ => by_number(a.cpu, b.cpu),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let guest = &self.0[row];
        Cell::text(match column {
            0 => guest.vmid.to_string(),
            1 => guest.name.as_deref().unwrap_or_default().to_owned(),
            2 => guest.node.to_string(),
            _ => guest
                .cpu
                .map(|cpu| format!("{:.0}%", cpu * 100.0))
                .unwrap_or_default(),
        })
    }
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for size in SIZES {
        let answer = estate::resources_json(size);
        group.throughput(Throughput::Bytes(answer.len() as u64));
        group.bench_with_input(BenchmarkId::new("resources", size), &answer, |bencher, answer| {
            let request = request::resources();
            bencher.iter(|| request.decode(black_box(answer.as_bytes())).is_ok());
        });
    }
    group.finish();
}

fn apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply");
    for size in SIZES {
        group.throughput(Throughput::Elements(size.into()));
        // Every other read brings other loads, as a living estate does.
        let (calm, busy) = (estate::inventory(size), busier(size));
        group.bench_function(BenchmarkId::new("resources", size), |bencher| {
            let mut store = Store::new(["prod".into()]);
            let mut tick = 0;
            bencher.iter_batched(
                || {
                    tick += 1;
                    let inventory = if tick % 2 == 0 { calm.clone() } else { busy.clone() };
                    Update {
                        key: Feed::Resources.of(&"prod".into()),
                        at: Timestamp::from_second(tick * 10).unwrap_or_default(),
                        outcome: Ok(Payload::Resources(inventory)),
                    }
                },
                |update| store.apply(update).visible(),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn busier(size: u32) -> Inventory {
    let mut inventory = estate::inventory(size);
    for guest in &mut inventory.guests {
        guest.cpu = guest.cpu.map(|cpu| cpu / 2.0 + 0.1);
    }
    inventory
}

fn view(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("view");
    for size in SIZES {
        let rows = Guests(estate::inventory(size).guests);
        group.throughput(Throughput::Elements(size.into()));
        for (name, column, filter) in [("by name", 1, ""), ("by cpu", 3, ""), ("filtered", 1, "web")] {
            group.bench_with_input(BenchmarkId::new(name, size), &rows, |bencher, rows| {
                let mut state = TableState::sorted_by(column, false);
                state.set_filter(filter);
                let mut revision = 0;
                bencher.iter(|| {
                    revision += 1;
                    state.refresh(rows, revision);
                    black_box(state.order().len())
                });
            });
        }
    }
    group.finish();
}

fn draw(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("draw");
    let theme = Theme::mono();
    let area = Rect::new(0, 0, 200, 60);
    for size in SIZES {
        let rows = Guests(estate::inventory(size).guests);
        group.bench_with_input(BenchmarkId::new("table 200x60", size), &rows, |bencher, rows| {
            let mut state = TableState::sorted_by(1, false);
            state.refresh(rows, 1);
            let mut buffer = Buffer::empty(area);
            let look = Look {
                focused: true,
                stale: false,
                empty: "nothing",
            };
            bencher.iter(|| {
                let mut canvas = Canvas::new(&mut buffer, area, &theme, &Glyphs::UNICODE);
                table(&mut canvas, &mut state, rows, look);
            });
        });
    }
    group.finish();
}

/// The whole way of a key in the list of guests: what it does, and the frame that shows it.
fn key(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key");
    for size in SIZES {
        let keys = [
            ("down and up", ["j", "k"]),
            ("last and first", ["end", "home"]),
            ("other way round", ["O", "O"]),
        ];
        for (name, pair) in keys {
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                let mut console = Console::on(size);
                bencher.iter(|| {
                    for key in pair {
                        console.press(key);
                    }
                });
            });
        }
        group.bench_function(BenchmarkId::new("filter by a letter", size), |bencher| {
            let mut console = Console::on(size);
            console.press("/");
            bencher.iter(|| {
                console.press("w");
                console.press("backspace");
            });
        });
        group.bench_function(
            BenchmarkId::new("two keys in the palette, a deed", size),
            |bencher| {
                let mut console = Console::on(size);
                for key in [":", "s", "h", "u", "t", "space", "w", "e"] {
                    console.press(key);
                }
                bencher.iter(|| {
                    console.press("b");
                    console.press("backspace");
                });
            },
        );
        group.bench_function(BenchmarkId::new("palette and a letter", size), |bencher| {
            let mut console = Console::on(size);
            bencher.iter(|| {
                for key in [":", "w", "esc"] {
                    console.press(key);
                }
            });
        });
    }
    group.finish();
}

/// A console with the list of guests full screen.
struct Console {
    app: App,
    buffer: Buffer,
}

impl Console {
    fn on(guests: u32) -> Self {
        let area = Rect::new(0, 0, 200, 60);
        let mut store = Store::new(["prod".into()]);
        store.apply(Update {
            key: Feed::Resources.of(&"prod".into()),
            at: Timestamp::UNIX_EPOCH,
            outcome: Ok(Payload::Resources(estate::inventory(guests))),
        });
        let setup = Setup {
            ssh: None,
            alone: None,
            store,
            keymap: Keymap::default(),
            themes: vec![Theme::mono()],
            glyphs: Glyphs::UNICODE,
            zone: TimeZone::UTC,
            user: String::new(),
            writable: BTreeSet::from(["prod".into()]),
            rules: pvedeck::plan::Rules::default(),
            depth: ColorDepth::True,
            mouse: false,
            graph: (None, None),
            place: Place::Guests,
            warnings: Vec::new(),
        };
        let mut console = Self {
            app: App::new(setup, Timestamp::UNIX_EPOCH, (area.width, area.height)),
            buffer: Buffer::empty(area),
        };
        console.press("o");
        console
    }

    fn press(&mut self, key: &str) {
        let Ok(chord) = key.parse::<KeyChord>() else {
            return;
        };
        self.app.update(Event::KeyPressed(chord), Timestamp::UNIX_EPOCH);
        self.buffer.reset();
        self.app.draw(&mut self.buffer);
        black_box(&self.buffer);
    }
}

/// A graph of several lines, ten thousand points together: under two milliseconds.
fn graph(c: &mut Criterion) {
    const POINTS: usize = 10_000;
    let hour = SignedDuration::from_hours(1);
    let trace = |number: usize, count: usize| {
        let sample = |step: usize| Sample {
            at: Timestamp::from_millisecond((step * 3_600_000 / count) as i64).unwrap_or_default(),
            value: ((step * (number + 7)) % 1_000) as f64 / 1_000.0,
        };
        Trace::new(
            format!("line {number}"),
            Tone::Graph1,
            (0..count).map(sample).collect(),
            SignedDuration::from_mins(1),
        )
    };
    let mut group = c.benchmark_group("graph of 10,000 points");
    for lines in [1, 4] {
        let graph = Graph {
            traces: (0..lines).map(|number| trace(number, POINTS / lines)).collect(),
            extent: Extent::last(hour, Timestamp::from_second(3_600).unwrap_or_default()),
            unit: Unit::Ratio,
            limits: Vec::new(),
            moments: Vec::new(),
            cursor: None,
            zone: TimeZone::UTC,
            empty: String::new(),
        };
        let area = Rect::new(0, 0, 200, 60);
        let mut buffer = Buffer::empty(area);
        let (theme, glyphs) = (Theme::mono(), Glyphs::UNICODE);
        group.bench_function(format!("{lines} lines"), |b| {
            b.iter(|| graph.draw(&mut Canvas::new(&mut buffer, area, &theme, &glyphs)));
        });
    }
    group.finish();
}

criterion_group!(benches, decode, apply, view, draw, key, graph);
criterion_main!(benches);
