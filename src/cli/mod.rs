//! Command line: clap definitions and the commands that need no screen.
//!
//! What always holds here:
//! - stdout is data, stderr is talk; text of others reaches either only made harmless.
//! - Every failure is one sentence with the remedy and an exit code that scripts can rely on ([`exit::Code`]).

pub mod args;
mod attach;
pub mod backup_servers;
pub mod connect;
mod console;
mod demo;
mod doctor;
pub mod exit;
mod export;
mod get;
mod journal;
mod list;
pub mod log;
mod login;
mod monitors;
pub mod output;
pub mod run;
mod sizes;
mod target;

use std::{process::ExitCode, time::Duration};

use clap::CommandFactory as _;

use self::{
    args::{Cli, Command, ExportCommand, JournalCommand, Picture},
    connect::Asking,
    exit::{Code, Failure, talk},
};
use crate::settings::{Places, Settings};

/// Does what was asked for and says how it ended.
pub fn run(cli: &Cli, places: &Places) -> ExitCode {
    match dispatch(cli, places) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                talk(format!("pvedeck: {}", failure.message));
                tracing::error!(code = failure.code as u8, "{}", failure.message);
            }
            failure.code.into()
        }
    }
}

#[allow(clippy::too_many_lines, reason = "one line or two for each command")]
fn dispatch(cli: &Cli, places: &Places) -> Result<(), Failure> {
    match &cli.command {
        None => wait(console::open(&cli.global, places)),
        Some(Command::Get {
            resource,
            filter,
            metric,
            range,
            top,
            output,
        }) => {
            let settings = connect::settings(&cli.global, places)?;
            let links = connect::links(&settings, &cli.global, &Asking::on_terminal())?;
            let limits = connect::finding_limits(&settings.limits);
            if let (Some(count), args::Resource::Metrics) = (*top, *resource) {
                let shown = metric.as_deref().map(|word| connect::shown(word, &settings));
                let shown = shown.transpose()?;
                return wait(get::top::run(&links, &settings, filter, shown, count, *output));
            }
            if *resource == args::Resource::Metrics {
                return wait(get::metrics::run(
                    &links,
                    filter,
                    metric.as_deref(),
                    *range,
                    *output,
                ));
            }
            let servers = backup_servers::links(&settings, &cli.global, &Asking::on_terminal())?;
            wait(get::run(
                links,
                servers,
                *resource,
                filter,
                *output,
                limits,
                &settings.quotas,
            ))
        }
        Some(Command::Export {
            what: ExportCommand::Metrics { output },
        }) => {
            let settings = connect::settings(&cli.global, places)?;
            let links = connect::links(&settings, &cli.global, &Asking::on_terminal())?;
            let limits = connect::finding_limits(&settings.limits);
            wait(export::metrics(links, output.as_deref(), limits))
        }
        Some(Command::Login(login)) => {
            let overrides = connect::overrides(&cli.global);
            wait(login::run(login, &overrides, places, cli.global.config.clone()))
        }
        Some(Command::Demo(wanted)) => {
            let settings = connect::settings(&cli.global, places)?;
            wait(demo::run(wanted, &settings, places, cli.global.read_only))
        }
        Some(Command::Console {
            target,
            record,
            serial,
        }) => wait(attach::run(
            &cli.global,
            places,
            attach::Wanted {
                target,
                record: record.clone(),
                serial: *serial,
            },
        )),
        Some(Command::Doctor { output }) => wait(doctor::run(&cli.global, places, *output)),
        Some(Command::Show {
            screen,
            target,
            metric,
            range,
            size,
            timeout,
            ansi,
            svg,
        }) => {
            let picture = match (ansi, svg) {
                (_, true) => Picture::Svg,
                (true, false) => Picture::Ansi,
                (false, false) => Picture::Text,
            };
            let wanted = console::Wanted {
                screen,
                target: target.as_deref(),
                metric: metric.as_deref(),
                range: *range,
                size: *size,
                timeout: Duration::from_secs(*timeout),
                picture,
            };
            wait(console::show(&cli.global, places, &wanted))
        }
        Some(Command::Run(wanted)) => {
            let settings = connect::settings(&cli.global, places)?;
            // A name that means nothing needs no server.
            run::deed(&wanted.action)?;
            let acting = connect::acting(&settings, &cli.global, &Asking::on_terminal())?;
            let servers = backup_servers::acting(&settings, &cli.global, &Asking::on_terminal())?;
            wait(run::run(
                wanted,
                acting,
                servers,
                places,
                &connect::rules(&settings),
            ))
        }
        Some(Command::Journal {
            what: Some(JournalCommand::Continue { run }),
        }) => {
            let settings = connect::settings(&cli.global, places)?;
            let acting = connect::acting(&settings, &cli.global, &Asking::on_terminal())?;
            let servers = backup_servers::acting(&settings, &cli.global, &Asking::on_terminal())?;
            wait(journal::go_on(*run, acting, servers, places))
        }
        Some(Command::Journal { what }) => journal::read(what.as_ref(), places),
        Some(Command::Keys { output }) => list::keys(places, *output),
        Some(Command::Themes { name }) => list::themes(places, name.as_deref()),
        Some(Command::Config { what }) => list::config(
            places,
            || Settings::load(places, cli.global.config.as_deref()),
            what,
        ),
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "pvedeck", &mut text);
            Ok(output::print(&String::from_utf8_lossy(&text))?)
        }
        Some(Command::Man { command }) => man(command.as_deref()),
    }
}

/// Runs a command that speaks to servers.
fn wait<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(command)
}

/// The manual page of the program or of one command.
fn man(name: Option<&str>) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    if let Some(name) = name {
        let found = command
            .find_subcommand(name)
            .or_else(|| command.find_subcommand("run")?.find_subcommand(name));
        let Some(sub) = found else {
            let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let message = format!("there is no command `{name}`; there are {}", known.join(", "));
            return Err(Failure::new(Code::Usage, message));
        };
        command = sub.clone();
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    Ok(output::print(&String::from_utf8_lossy(&text))?)
}
