use proptest::prelude::*;
use ratatui::buffer::Buffer;
use rstest::rstest;

use super::*;
use crate::ui::{Canvas, Glyphs, Rect, Theme};

const NOW: i64 = 1_772_373_731; // 2026-03-01T14:02:11Z

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn trace(name: &str, tone: Tone, step: i64, values: impl IntoIterator<Item = (i64, f64)>) -> Trace {
    let samples = values
        .into_iter()
        .map(|(second, value)| Sample {
            at: at(second),
            value,
        })
        .collect();
    Trace::new(name, tone, samples, SignedDuration::from_secs(step * 3 / 2))
}

fn wave(step: i64, count: i64, middle: f64, swing: f64, length: f64) -> impl Iterator<Item = (i64, f64)> {
    (0..=count).map(move |index| {
        let second = NOW - (count - index) * step;
        (second, middle + swing * (index as f64 / length).sin())
    })
}

fn graph(traces: Vec<Trace>, seconds: i64, unit: Unit) -> Graph {
    Graph {
        traces,
        extent: Extent::last(SignedDuration::from_secs(seconds), at(NOW)),
        unit,
        limits: Vec::new(),
        moments: Vec::new(),
        cursor: None,
        zone: TimeZone::UTC,
        empty: "no data in this hour".to_owned(),
    }
}

fn buffer(graph: &Graph, glyphs: &Glyphs, (width, height): (u16, u16)) -> (Buffer, Option<Drawn>) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let theme = Theme::mono();
    let drawn = graph.draw(&mut Canvas::new(&mut buffer, area, &theme, glyphs));
    (buffer, drawn)
}

fn text(graph: &Graph, glyphs: &Glyphs, size: (u16, u16)) -> String {
    let (buffer, _) = buffer(graph, glyphs, size);
    let lines = buffer.content.chunks(size.0.max(1).into()).map(|row| {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

/// CPU of an hour with a hole, and memory beside it, as RRD gives them: a value a minute.
fn hour() -> Graph {
    let cpu = wave(60, 60, 0.45, 0.4, 6.0).filter(|(second, _)| !(NOW - 2000..NOW - 1500).contains(second));
    let mut graph = graph(
        vec![
            trace("cpu", Tone::Graph1, 60, cpu),
            trace("iowait", Tone::Graph2, 60, wave(60, 60, 0.05, 0.04, 3.0)),
        ],
        3600,
        Unit::Ratio,
    );
    graph.limits.push(Limit {
        value: 0.9,
        tone: Tone::Warn,
    });
    graph
}

const BLOCKS: Glyphs = Glyphs {
    dots: Dots::Block,
    ..Glyphs::UNICODE
};

#[rstest]
#[case("hour_200", &Glyphs::UNICODE, (196, 40))]
#[case("hour_100", &Glyphs::UNICODE, (100, 20))]
#[case("hour_58", &Glyphs::UNICODE, (58, 9))]
#[case("hour_40", &Glyphs::UNICODE, (40, 4))]
#[case("hour_blocks_80", &BLOCKS, (80, 16))]
#[case("hour_ascii_80", &Glyphs::ASCII, (80, 16))]
fn an_hour(#[case] name: &str, #[case] glyphs: &Glyphs, #[case] size: (u16, u16)) {
    insta::assert_snapshot!(name, text(&hour(), glyphs, size));
}

#[test]
fn a_year_of_bytes_with_a_cursor() {
    let day = 86_400;
    let mut graph = graph(
        vec![trace("used", Tone::Graph1, day, wave(day, 365, 3e11, 2e11, 90.0))],
        365 * day,
        Unit::Bytes,
    );
    graph.cursor = Some(at(NOW - 100 * day + 4000));
    graph.moments.push((at(NOW - 30 * day), Tone::Bad));
    insta::assert_snapshot!("year_80", text(&graph, &Glyphs::UNICODE, (80, 16)));
}

#[test]
fn nothing_in_sight_is_said_in_words() {
    let graph = graph(
        vec![trace("cpu", Tone::Graph1, 60, [(NOW - 9000, 0.5)])],
        3600,
        Unit::Ratio,
    );
    insta::assert_snapshot!("empty_60", text(&graph, &Glyphs::UNICODE, (60, 10)));
}

#[test]
fn figures_leave_gaps_out() {
    let values = [
        (NOW - 9000, 7.0),
        (NOW - 30, 1.0),
        (NOW - 20, f64::NAN),
        (NOW - 10, 4.0),
        (NOW, f64::INFINITY),
    ];
    let graph = graph(vec![trace("x", Tone::Graph1, 60, values)], 3600, Unit::Number);
    let figures = graph.traces[0].figures(graph.extent).unwrap();
    assert_eq!(
        figures,
        Figures {
            min: 1.0,
            avg: 2.5,
            max: 4.0,
            last: 4.0
        }
    );
}

#[test]
fn of_the_same_moment_the_last_value_stays() {
    let trace = trace(
        "x",
        Tone::Graph1,
        60,
        [(20, 5.0), (10, 1.0), (20, 6.0), (10, 2.0)],
    );
    let values: Vec<f64> = trace.samples().iter().map(|sample| sample.value).collect();
    assert_eq!(values, [2.0, 6.0]);
}

#[test]
fn the_cursor_tells_the_nearest_value_and_none_in_a_gap() {
    let trace = trace("x", Tone::Graph1, 10, [(100, 1.0), (110, 2.0), (150, 3.0)]);
    let value = |second| trace.at(at(second)).map(|sample| sample.value);
    assert_eq!(value(104), Some(1.0));
    assert_eq!(value(106), Some(2.0));
    assert_eq!(value(130), None);
    assert_eq!(value(150), Some(3.0));
}

/// The cells of the plot that hold a part of a line.
fn ink(buffer: &Buffer, area: Rect) -> Vec<(u16, u16)> {
    area.positions()
        .filter(|position| {
            let sign = buffer[*position].symbol().chars().next().unwrap_or(' ');
            ('\u{2801}'..='\u{28ff}').contains(&sign)
        })
        .map(|position| (position.x, position.y))
        .collect()
}

#[test]
fn a_gap_stays_empty_and_one_peak_among_thousands_is_seen() {
    let values = (0..17_000).map(|index| {
        let value = if index == 12_345 { 1.0 } else { 0.02 };
        (NOW - (17_000 - index) * 60, value)
    });
    let hole = NOW - 9_000 * 60..NOW - 7_000 * 60;
    let values = values.filter(|(second, _)| !hole.contains(second));
    let graph = graph(
        vec![trace("cpu", Tone::Graph1, 60, values)],
        17_000 * 60,
        Unit::Ratio,
    );
    let (buffer, drawn) = buffer(&graph, &Glyphs::UNICODE, (120, 30));
    let plot = drawn.unwrap().plot;
    let ink = ink(&buffer, buffer.area);
    assert!(ink.iter().all(|&(x, y)| plot.contains((x, y).into())));
    let peak = plot.x + (f64::from(plot.width) * 12_345.0 / 17_000.0) as u16;
    let top: Vec<u16> = ink
        .iter()
        .filter(|(_, y)| *y <= plot.y + 1)
        .map(|(x, _)| *x)
        .collect();
    assert!(
        !top.is_empty() && top.iter().all(|x| x.abs_diff(peak) <= 1),
        "{top:?} {peak}"
    );
    let missing = plot.x + plot.width * 9 / 17;
    assert!(ink.iter().all(|(x, _)| *x != missing), "the gap is drawn over");
}

#[test]
fn the_mouse_finds_the_moment_below_it() {
    let graph = hour();
    let (_, drawn) = buffer(&graph, &Glyphs::UNICODE, (100, 20));
    let drawn = drawn.unwrap();
    let plot = drawn.plot;
    assert_eq!(drawn.moment(plot.x, plot.y), Some(graph.extent.from));
    assert_eq!(drawn.moment(plot.right() - 1, plot.y), Some(graph.extent.to));
    assert_eq!(drawn.moment(plot.x - 1, plot.y), None);
}

fn odd() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::num::f64::ANY,
        -1.0..2.0_f64,
        0.0..1e13_f64,
        Just(f64::NAN),
        Just(f64::MAX),
        Just(0.0),
    ]
}

proptest! {
    #[test]
    fn whatever_it_is_given_it_draws_in_its_plot_and_does_not_panic(
        samples in prop::collection::vec((-2000_i64..8000, odd()), 0..80),
        more in prop::collection::vec((-2000_i64..8000, odd()), 0..20),
        width in 0_u16..130,
        height in 0_u16..40,
        span in -5_i64..9000,
        unit in prop::sample::select(Unit::NAMED.map(|(_, unit)| unit).to_vec()),
        limit in odd(),
        cursor in -2000_i64..9000,
        kind in prop::sample::select(vec![Dots::Braille, Dots::Block, Dots::Ascii]),
    ) {
        let values = |samples: Vec<(i64, f64)>| samples.into_iter().map(|(second, value)| (NOW - second, value));
        let mut graph = graph(
            vec![
                trace("a", Tone::Graph1, 60, values(samples)),
                trace("b\u{202e}\n\u{1b}[31m", Tone::Graph2, 600, values(more)),
            ],
            span,
            unit,
        );
        graph.limits.push(Limit { value: limit, tone: Tone::Warn });
        graph.cursor = Some(at(NOW - cursor));
        let glyphs = Glyphs { dots: kind, ..Glyphs::UNICODE };
        let (buffer, drawn) = buffer(&graph, &glyphs, (width, height));
        if let Some(drawn) = drawn {
            prop_assert_eq!(drawn.plot.intersection(buffer.area), drawn.plot);
        }
        let plot = drawn.map(|drawn| drawn.plot).unwrap_or_default();
        for (x, y) in ink(&buffer, buffer.area) {
            prop_assert!(plot.contains((x, y).into()), "a dot at {},{} outside of {:?}", x, y, plot);
        }
    }

    #[test]
    fn a_value_in_sight_is_always_seen(
        value in -1e12..1e12_f64,
        second in 0_i64..3600,
        width in 20_u16..200,
        height in 3_u16..60,
    ) {
        let graph = graph(vec![trace("a", Tone::Graph1, 60, [(NOW - second, value)])], 3600, Unit::Number);
        let (buffer, drawn) = buffer(&graph, &Glyphs::UNICODE, (width, height));
        if let Some(drawn) = drawn {
            prop_assert_eq!(ink(&buffer, drawn.plot).len(), 1);
        }
    }
}
