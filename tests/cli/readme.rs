//! What is written about the commands is true.

use clap::CommandFactory as _;
use pvedeck::{cli::args::Cli, settings::theme};

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_names_every_command_and_no_other() {
    let commands: Vec<String> = Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for command in &commands {
        assert!(
            README.contains(&format!("`pvedeck {command}")),
            "{command} is not in the README"
        );
    }
    for words in README.split("`pvedeck ").skip(1) {
        let word = words.split([' ', '`']).next().unwrap();
        let known = word.starts_with('-') || commands.iter().any(|command| command == word);
        assert!(known, "the README speaks of `pvedeck {word}`");
    }
}

#[test]
fn every_option_in_the_readme_exists() {
    let mut cli = Cli::command();
    cli.build();
    let mut options: Vec<String> = Vec::new();
    let actions = cli.find_subcommand("run").unwrap().get_subcommands();
    for command in std::iter::once(&cli).chain(cli.get_subcommands()).chain(actions) {
        options.extend(
            command
                .get_arguments()
                .filter_map(|argument| argument.get_long().map(str::to_owned)),
        );
    }
    // The lines of other programs have options of their own.
    let ours = README
        .lines()
        .filter(|line| !line.starts_with("cargo") && !line.starts_with("pveum"));
    let mut seen = 0;
    for line in ours {
        for words in line.split("--").skip(1) {
            let word: String = words
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                .collect();
            if word.starts_with(|c: char| c.is_ascii_lowercase()) {
                assert!(options.contains(&word), "the README speaks of --{word}: {line}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 10, "only {seen} options were found");
}

#[test]
fn the_configuration_names_every_theme() {
    let line = pvedeck::settings::REFERENCE
        .lines()
        .find(|line| line.starts_with("# Colours: auto"))
        .unwrap();
    for (name, _) in theme::SHIPPED {
        assert!(line.contains(name), "{name} is not in: {line}");
    }
}
