//! The `pvedeck` binary.

use std::process::ExitCode;

use clap::Parser as _;
use pvedeck::{
    cli::{self, args::Cli},
    settings::Places,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let places = Places::discover();
    let _log = cli::log::start(places.state.as_deref(), cli.global.verbose);
    cli::run(&cli, &places)
}
