//! What is checked of monitoring servers. What is wrong with one is a failure of monitoring, not of the clusters.

use super::{Outcome, Report};
use crate::{
    cli::{exit::Code, monitors},
    clients::monitor::MonitorError,
    settings::{MonitorSettings, Settings},
    sync::MonitorClient,
};

const NAME: &str = "monitoring";

pub(super) async fn check(report: &mut Report, settings: &Settings) {
    let (servers, problems) = settings.usable_monitors();
    for problem in problems {
        let remedy = "Correct it; until then this server is left out";
        report.add("", NAME, Outcome::Warning, problem.to_string(), remedy);
    }
    for server in &servers {
        let name = server.info().id.to_string();
        match monitors::client(server) {
            Ok(client) => answers(report, &name, server, &client).await,
            Err(error) => failed(report, &name, &error),
        }
    }
}

async fn answers(report: &mut Report, name: &str, server: &MonitorSettings, client: &MonitorClient) {
    match client {
        MonitorClient::Prometheus(client) => {
            let names = match client.metric_names().await {
                Ok(names) => names.data,
                Err(error) => return failed(report, name, &error),
            };
            // What only speaks its API may not say what it is.
            let version = client.build_info().await.ok().and_then(|info| info.version);
            let version = version.map_or_else(
                || "Prometheus".to_owned(),
                |version| format!("Prometheus {version}"),
            );
            report.ok(name, NAME, format!("{version} answers: {} metrics", names.len()));
            if let Ok(targets) = client.targets().await {
                let down = targets
                    .data
                    .iter()
                    .filter(|target| target.up == Some(false))
                    .count();
                if down > 0 {
                    let message = format!("{down} of {} targets are down", targets.data.len());
                    report.add(
                        name,
                        NAME,
                        Outcome::Warning,
                        message,
                        "Look at its page of targets",
                    );
                }
            }
        }
        MonitorClient::Alertmanager(client) => match client.status().await {
            Ok(status) => {
                let version = status.version.as_deref().unwrap_or_default();
                let may = if server.read_only {
                    "; silences are read-only"
                } else {
                    ""
                };
                report.ok(name, NAME, format!("Alertmanager {version} answers{may}"));
            }
            Err(error) => failed(report, name, &error),
        },
        MonitorClient::Exporter(client) => match client.scrape(jiff::Timestamp::now()).await {
            Ok(scrape) if scrape.skipped > 0 || scrape.cut => {
                let message = format!(
                    "it answers: {} values; {} lines cannot be understood",
                    scrape.points.len(),
                    scrape.skipped
                );
                let remedy = "Look at its page; it may be too long or not for Prometheus";
                report.add(name, NAME, Outcome::Warning, message, remedy);
            }
            Ok(scrape) => report.ok(name, NAME, format!("it answers: {} values", scrape.points.len())),
            Err(error) => failed(report, name, &error),
        },
    }
}

fn failed(report: &mut Report, name: &str, error: &MonitorError) {
    let code = match error {
        MonitorError::Timeout { .. } => Code::TimedOut,
        MonitorError::Refused { .. } => Code::NotAllowed,
        MonitorError::NotThere { .. } => Code::NotFound,
        MonitorError::Setup { .. } | MonitorError::Query { .. } => Code::Usage,
        MonitorError::Server { .. } => Code::Failed,
        MonitorError::Unreachable { .. }
        | MonitorError::Untrusted { .. }
        | MonitorError::Malformed { .. } => Code::Unreachable,
    };
    let text = error.to_string();
    // The last sentence is the advice, which has a line of its own here.
    let (cause, remedy) = text.rsplit_once(". ").unwrap_or((&text, ""));
    report.add(name, NAME, Outcome::Failed(code), cause, remedy);
}
