//! What can be typed behind `pvedeck run`: each deed of the table is a command with its arguments as options.
//!
//! What always holds here: names, help and arguments come from the table alone.

#![allow(
    clippy::doc_markdown,
    reason = "help is shown on a terminal, where markup is noise"
)]

use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches,
    builder::{PossibleValuesParser, ValueParser},
};

use crate::{
    actions::deed::{Argument, DEEDS, Danger, Deed, Kind, Object, Row},
    cli::args::PlanFormat,
};

/// What `run` is told.
#[derive(Debug)]
pub struct Run {
    /// The name of the action as it was typed; perhaps there is none of that name.
    pub action: String,
    /// To what it is done.
    pub target: Vec<String>,
    /// The arguments of the action.
    pub given: Vec<(String, String)>,
    /// How it is run.
    pub options: Options,
}

/// How a plan is run.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Options {
    /// Print the plan and do nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// It is confirmed already
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Follow each task to its end; this is the default
    #[arg(long, global = true, conflicts_with = "no_wait")]
    pub wait: bool,
    /// Return when the tasks have begun; how they end is in `pvedeck get tasks`
    #[arg(long, global = true)]
    pub no_wait: bool,
    /// How many at a time; 1, unless the configuration says otherwise
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=20))]
    pub at_once: Option<u8>,
    /// Do the rest although one failed
    #[arg(long, global = true)]
    pub go_on: bool,
    /// How to print
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub output: PlanFormat,
}

/// The id of the targets: no argument of a deed has it.
const TARGETS: &str = "targets";
/// The id of `--arg`.
const GIVEN: &str = "given";

impl Args for Run {
    fn augment_args(command: Command) -> Command {
        let commands = DEEDS.iter().map(command_of);
        Options::augment_args(command)
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommand_value_name("ACTION")
            .subcommand_help_heading("Actions")
            .disable_help_subcommand(true)
            // What is no action is told with all that are: see `cli::run`.
            .allow_external_subcommands(true)
            .subcommands(commands)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Run {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let options = Options::from_arg_matches(matches)?;
        let (action, inner) = matches
            .subcommand()
            .ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))?;
        let Some(deed) = Deed::from_name(action) else {
            return Ok(Self {
                action: action.to_owned(),
                target: Vec::new(),
                given: Vec::new(),
                options,
            });
        };
        let texts = |id: &str| -> Vec<String> {
            inner
                .get_many::<String>(id)
                .map(|values| values.cloned().collect())
                .unwrap_or_default()
        };
        let mut given: Vec<(String, String)> = inner
            .get_many::<(String, String)>(GIVEN)
            .map(|values| values.cloned().collect())
            .unwrap_or_default();
        for argument in deed.row().arguments {
            given.extend(
                texts(argument.name)
                    .pop()
                    .map(|value| (argument.name.to_owned(), value)),
            );
        }
        Ok(Self {
            action: action.to_owned(),
            target: texts(TARGETS),
            given,
            options,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn command_of(row: &'static Row) -> Command {
    let what = match row.object {
        Object::Guest => "Guests by VMID or name; CLUSTER/104 says of which cluster",
        Object::Node => "Nodes by name; CLUSTER/pve1 says of which cluster",
        Object::Task => "A task by its UPID",
        Object::Datastore => "Datastores by name; SERVER/main says of which Backup Server",
        Object::ServerBackup => {
            "Backups as `get server-backups -o json` names them: main:vm/104/2026-11-20T07:35:59Z, main:NAMESPACE:…"
        }
    };
    let targets = Arg::new(TARGETS)
        .value_name("TARGET")
        .help(what)
        .action(ArgAction::Append)
        .num_args(1..)
        .required(true);
    let given = Arg::new(GIVEN)
        .short('a')
        .long("arg")
        .value_name("NAME=VALUE")
        .help("An argument of the action, for scripts that build their lines")
        .action(ArgAction::Append)
        .value_parser(ValueParser::new(pair));
    Command::new(row.action.name)
        .about(row.action.help)
        .after_help(after_help(row))
        .arg(targets)
        .args(row.arguments.iter().map(option_of))
        .arg(given)
}

/// What it takes to be done.
fn after_help(row: &Row) -> String {
    let asks = match row.danger {
        Danger::None => "It runs without a question.",
        Danger::Confirm => "It asks y/N; --yes answers.",
        Danger::TypeName => "It wants the name typed; --yes answers.",
    };
    match row.privilege {
        Some(privilege) => format!("{asks} It needs the privilege {privilege}."),
        None => asks.to_owned(),
    }
}

fn option_of(argument: &'static Argument) -> Arg {
    let help = if argument.required {
        format!("{} (required)", argument.help)
    } else {
        argument.help.to_owned()
    };
    let option = Arg::new(argument.name)
        .long(argument.name)
        .value_name(value_name(argument.kind))
        .help(help)
        .help_heading("Arguments of the action");
    match argument.kind {
        // A flag needs no value, and a target behind it is none.
        Kind::Flag => option
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("1")
            .value_parser(ValueParser::new(flag)),
        Kind::Choice(words) => option.value_parser(PossibleValuesParser::new(words)),
        _ => option.allow_hyphen_values(true),
    }
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "0|1",
        Kind::Number(..) => "N",
        Kind::Node => "NODE",
        Kind::Storage => "STORAGE",
        Kind::Snapshot => "SNAPSHOT",
        Kind::NewSnapshot | Kind::Name => "NAME",
        Kind::NewVmid => "VMID",
        Kind::Disk => "DISK",
        Kind::Size => "SIZE",
        Kind::Tags => "TAG,TAG",
        Kind::Pool => "POOL",
        Kind::Service => "SERVICE",
        Kind::SecurityGroup => "GROUP",
        Kind::Text | Kind::Lines => "TEXT",
        Kind::Choice(_) => "WORD",
    }
}

fn flag(text: &str) -> Result<String, &'static str> {
    match text {
        "1" | "yes" | "true" | "on" => Ok("1".to_owned()),
        "0" | "no" | "false" | "off" => Ok("0".to_owned()),
        _ => Err("it is 1 or 0"),
    }
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or("an argument is written as NAME=VALUE")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Command as Which};

    fn parsed(line: &str) -> Result<Run, clap::Error> {
        match Cli::try_parse_from(line.split(' '))?.command {
            Some(Which::Run(run)) => Ok(run),
            other => panic!("{other:?}"),
        }
    }

    fn given(run: &Run) -> Vec<(&str, &str)> {
        run.given
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    #[test]
    fn the_whole_command_line_is_sound() {
        use clap::CommandFactory as _;
        // It complains of names and letters that mean two things.
        Cli::command().debug_assert();
    }

    #[test]
    fn options_and_arg_say_the_same() {
        let run = parsed("pvedeck run guest.migrate 104 105 --target pve2 --with-local-disks").unwrap();
        assert_eq!(given(&run), [("target", "pve2"), ("with-local-disks", "1")]);
        assert_eq!(run.target, ["104", "105"]);
        let run =
            parsed("pvedeck run guest.migrate --with-local-disks 104 -a target=pve2 --dry-run").unwrap();
        assert_eq!(given(&run), [("target", "pve2"), ("with-local-disks", "1")]);
        assert_eq!((run.target[..].len(), run.options.dry_run), (1, true));
        let run = parsed("pvedeck run --yes guest.migrate 104 --target pve2 --with-local-disks=no").unwrap();
        assert_eq!(given(&run), [("target", "pve2"), ("with-local-disks", "0")]);
        assert!(run.options.yes && !run.options.no_wait);
        let run = parsed("pvedeck run guest.disk.resize 104 --disk scsi0 --size +10G --wait").unwrap();
        assert_eq!(given(&run), [("disk", "scsi0"), ("size", "+10G")]);
        let run = parsed("pvedeck run guest.notes 104 --notes -dash").unwrap();
        assert_eq!(given(&run), [("notes", "-dash")]);
    }

    #[test]
    fn what_makes_no_sense_is_no_command() {
        for line in [
            "pvedeck run",
            "pvedeck run guest.start",
            "pvedeck run guest.start 104 --target pve2",
            "pvedeck run guest.start 104 --wait --no-wait",
            "pvedeck run guest.start 104 -a target",
            "pvedeck run guest.migrate 104 --with-local-disks=perhaps",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        assert_eq!(
            parsed("pvedeck run guest.explode 104").unwrap().action,
            "guest.explode"
        );
    }

    #[test]
    fn every_argument_of_the_table_is_an_option_with_help() {
        use clap::CommandFactory as _;
        let cli = Cli::command();
        let run = cli.find_subcommand("run").unwrap();
        for row in DEEDS {
            let command = run.find_subcommand(row.action.name).unwrap();
            for argument in row.arguments {
                let option = command
                    .get_arguments()
                    .find(|option| option.get_long() == Some(argument.name))
                    .unwrap();
                assert!(option.get_help().unwrap().to_string().contains(argument.help));
            }
        }
    }
}
