//! The log file. It never goes to the terminal, which belongs to the screen and to stdout's reader.

use std::{fs, io, path::Path};

use tracing_appender::{
    non_blocking::WorkerGuard,
    rolling::{Builder, Rotation},
};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// How many days of logs are kept.
const DAYS: usize = 7;

/// Starts logging into the state directory. Whoever holds the guard makes sure that the last lines are written.
/// Without a place to write there is no log, and `pvedeck doctor` says so.
pub fn start(state: Option<&Path>, verbose: u8) -> Option<WorkerGuard> {
    let directory = state?;
    create_private(directory).ok()?;
    let file = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("pvedeck")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(directory)
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let level = match verbose {
        0 => "warn,pvedeck=info",
        1 => "info,pvedeck=debug",
        _ => "debug,pvedeck=trace",
    };
    let filter = EnvFilter::try_from_env("PVEDECK_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let lines = fmt::layer().with_writer(writer).with_ansi(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .ok()?;
    Some(guard)
}

/// Creates a directory that is the user's alone.
///
/// # Errors
/// If it cannot be created.
pub fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
