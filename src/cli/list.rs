//! `keys`, `themes` and `config`: what is built in and what the user's files make of it.

use serde_json::json;

use super::{
    args::{ConfigCommand, Format, Reference},
    exit::{Code, Failure, talk},
    output::{Column, List, Show, print},
};
use crate::{
    actions,
    settings::{self, Overrides, Places, Problems, Settings, keymap, keymap::Keymap, theme},
};

const KEYS: &[Column] = &[
    Column::new("keys", "KEYS", Show::Text),
    Column::new("scope", "SCOPE", Show::Text),
    Column::new("action", "ACTION", Show::Text),
    Column::new("help", "WHAT IT DOES", Show::Text),
];

/// `pvedeck keys`.
pub(super) fn keys(places: &Places, format: Format) -> Result<(), Failure> {
    let (keymap, warnings) = Keymap::load(places);
    warn(&warnings);
    let rows = actions::all()
        .map(|action| {
            let keys: Vec<String> = keymap.keys(action.id).iter().map(ToString::to_string).collect();
            // In a table a semicolon would look like one of the keys.
            let keys = if format == Format::Json {
                json!(keys)
            } else {
                json!(keys.join(" "))
            };
            vec![
                keys,
                json!(action.scope.as_str()),
                json!(action.name),
                json!(action.help),
            ]
        })
        .collect();
    Ok(List { columns: KEYS, rows }.print(format)?)
}

/// `pvedeck themes`.
pub(super) fn themes(places: &Places, name: Option<&str>) -> Result<(), Failure> {
    if let Some(name) = name {
        theme::load(places, name)?;
        talk(format!("theme {name}: no mistakes"));
        return Ok(());
    }
    let mut text = theme::names(places).join("\n");
    text.push('\n');
    Ok(print(&text)?)
}

/// `pvedeck config`.
pub(super) fn config(
    places: &Places,
    load: impl FnOnce() -> Result<Settings, Problems>,
    what: &ConfigCommand,
) -> Result<(), Failure> {
    match what {
        ConfigCommand::Path => path(places),
        ConfigCommand::Check => check(places, load),
        ConfigCommand::Print { file } => Ok(print(&reference(*file))?),
    }
}

/// The text of a commented reference.
fn reference(file: Reference) -> String {
    match file {
        Reference::Config => settings::REFERENCE.to_owned(),
        Reference::Keymap => keymap::reference(),
        Reference::Metrics => settings::SHIPPED_METRICS.to_owned(),
        Reference::Rules => rules(),
        Reference::Prometheus => include_str!("../../config/prometheus/prometheus.yml").to_owned(),
        Reference::Alertmanager => include_str!("../../config/prometheus/alertmanager.yml").to_owned(),
        Reference::Theme => theme::SHIPPED
            .first()
            .map(|(_, text)| (*text).to_owned())
            .unwrap_or_default(),
    }
}

/// The rules for Prometheus: each of these files is one on its own, together they are one as well.
const RULES: [&str; 7] = [
    include_str!("../../config/prometheus/rules/node.yml"),
    include_str!("../../config/prometheus/rules/proxmox.yml"),
    include_str!("../../config/prometheus/rules/prometheus.yml"),
    include_str!("../../config/prometheus/rules/backup.yml"),
    include_str!("../../config/prometheus/rules/drift.yml"),
    include_str!("../../config/prometheus/rules/health.yml"),
    include_str!("../../config/prometheus/rules/lifecycle.yml"),
];

/// All groups of rules as one file.
fn rules() -> String {
    let mut text = "groups:\n".to_owned();
    for line in RULES
        .iter()
        .flat_map(|file| file.lines())
        .filter(|line| *line != "groups:")
    {
        text.extend([line, "\n"]);
    }
    text
}

fn path(places: &Places) -> Result<(), Failure> {
    let mut lines = vec![("machine", places.system_config())];
    if let (Some(config), Some(user)) = (places.user_config(), &places.user) {
        lines.extend([
            ("user", config),
            ("keymap", user.join("keymap.toml")),
            ("themes", user.join("themes")),
        ]);
    }
    lines.extend(places.state.clone().map(|state| ("log", state)));
    let mut text = String::new();
    for (name, path) in lines {
        let there = if path.exists() { "" } else { "  (not there)" };
        text.extend([&format!("{name:<8} {}", path.display()), there, "\n"]);
    }
    Ok(print(&text)?)
}

fn check(places: &Places, load: impl FnOnce() -> Result<Settings, Problems>) -> Result<(), Failure> {
    let mut problems = Vec::new();
    match load() {
        Ok(settings) => {
            for file in &settings.files {
                talk(format!("{}: read", file.display()));
            }
            if let Err(more) = settings.clusters(&Overrides::default()) {
                problems.extend(more.0);
            }
            if let Err(more) = settings.monitors() {
                problems.extend(more.0);
            }
            if let Some(name) = &settings.ui.theme
                && let Err(more) = theme::load(places, name)
            {
                problems.extend(more.0);
            }
        }
        Err(more) => problems.extend(more.0),
    }
    problems.extend(Keymap::load(places).1);
    if problems.is_empty() {
        talk("no mistakes");
        Ok(())
    } else {
        Err(Failure::new(Code::Usage, Problems(problems)))
    }
}

/// Says what is wrong and does not stop.
pub(super) fn warn(problems: &[settings::Problem]) {
    for problem in problems {
        talk(format!("warning: {problem}"));
    }
}
