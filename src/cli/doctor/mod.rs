//! `doctor`: everything between the keyboard and the cluster, step by step, each with cause and remedy.

mod backup_server;
mod monitoring;
mod report;

use std::{io::IsTerminal as _, path::Path, time::Duration};

use jiff::Timestamp;
use tokio::{net::TcpStream, time::timeout};

use self::report::{Outcome, Report};
use super::{
    args::{Format, Global},
    connect::{self, Asking, Link, address, signed_in},
    exit::{Code, Failure},
    log::create_private,
    output::print,
};
use crate::{
    clients::{
        http::{Lane, Options, Proof, Reader, SeenCertificate, probe_certificate},
        pve::{Client, Detection, Local},
    },
    domain::Endpoint,
    settings::{ClusterSettings, ColorDepth, Places, ServerKind, Settings, keymap::Keymap, theme},
};

/// A clock that is off by more than this makes sign-ins fail or will do so.
const SKEW_SECONDS: i64 = 60;
/// A certificate that ends within these days is worth a warning.
const CERTIFICATE_DAYS: i64 = 21;
/// The oldest version that all of this is made for.
const OLDEST_MAJOR: u32 = 8;

/// Runs all checks and prints them.
///
/// # Errors
/// A check failed: with the exit code of the first one.
pub(super) async fn run(global: &Global, places: &Places, format: Option<Format>) -> Result<(), Failure> {
    let mut report = Report::default();
    state_directory(&mut report, places);
    terminal(&mut report);
    match connect::settings(global, places) {
        Ok(settings) => {
            configuration(&mut report, places, &settings);
            clusters(&mut report, global, &settings).await;
            backup_servers(&mut report, global, &settings).await;
            monitoring::check(&mut report, &settings).await;
        }
        Err(failure) => report.failed("", "configuration", &failure),
    }
    match format {
        Some(format) => report.list().print(format)?,
        None => print(&report.text())?,
    }
    report.code().map_or(Ok(()), |code| Err(Failure::said(code)))
}

fn state_directory(report: &mut Report, places: &Places) {
    const NAME: &str = "state";
    let Some(directory) = &places.state else {
        report.add(
            "",
            NAME,
            Outcome::Warning,
            "there is no home directory: no log is kept",
            "Set HOME",
        );
        return;
    };
    let probe = directory.join(format!(".probe-{}", std::process::id()));
    let written = create_private(directory)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => report.ok("", NAME, format!("{} can be written to", directory.display())),
        Err(error) => report.add(
            "",
            NAME,
            Outcome::Warning,
            format!(
                "{} cannot be written to: {error}; no log is kept",
                directory.display()
            ),
            "Make it a directory of yours, or set XDG_STATE_HOME",
        ),
    }
}

fn terminal(report: &mut Report) {
    const NAME: &str = "terminal";
    let var = |name: &str| std::env::var(name).ok();
    if !std::io::stdout().is_terminal() {
        report.add("", NAME, Outcome::Skipped, "stdout is no terminal", "");
        return;
    }
    let depth = ColorDepth::detect(var);
    let colours = match depth {
        ColorDepth::None => "no colours",
        ColorDepth::Ansi16 => "16 colours",
        ColorDepth::Indexed => "256 colours",
        ColorDepth::True => "all colours",
    };
    let message = format!(
        "{}: {colours}, theme {}",
        var("TERM").unwrap_or_default(),
        theme::fitting(depth)
    );
    if var("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        report.add(
            "",
            NAME,
            Outcome::Warning,
            message,
            "Set TERM to what the terminal is, such as xterm-256color",
        );
    } else {
        report.ok("", NAME, message);
    }
}

fn configuration(report: &mut Report, places: &Places, settings: &Settings) {
    if settings.files.is_empty() {
        report.ok("", "configuration", "there is none; what is built in is used");
    }
    for file in &settings.files {
        report.ok("", "configuration", format!("{} has no mistakes", file.display()));
    }
    let mut warnings = Keymap::load(places).1;
    if let Some(Err(problems)) = settings.ui.theme.as_ref().map(|name| theme::load(places, name)) {
        warnings.extend(problems.0);
    }
    for problem in warnings {
        let remedy = "Correct it; until then what is built in is used";
        report.add("", "configuration", Outcome::Warning, problem.to_string(), remedy);
    }
}

async fn clusters(report: &mut Report, global: &Global, settings: &Settings) {
    let asking = Asking::on_terminal();
    let overrides = connect::overrides(global);
    let others = overrides.backup_server.is_some() || settings.backup_server_names().next().is_some();
    match settings.clusters(&overrides) {
        Err(problems) => report.failed("", "clusters", &problems.into()),
        Ok(clusters) if clusters.is_empty() && others => {}
        Ok(clusters) if clusters.is_empty() => match Local::detect(Path::new("/")) {
            Detection::Node(local) => {
                let name = local.node().to_owned();
                report.ok(&name, "node", "this is a Proxmox VE node, and we are root on it");
                match Client::local(local) {
                    Ok(client) => api(report, &name, &client).await,
                    Err(error) => report.error(&name, "node", &error),
                }
            }
            Detection::NotRoot => {
                let remedy = "Run it as root, or run: pvedeck login";
                report.add(
                    "",
                    "clusters",
                    Outcome::Failed(Code::Usage),
                    "this is a node, but we are not root",
                    remedy,
                );
            }
            Detection::NotANode => {
                let remedy = "Run: pvedeck login. To look around first: pvedeck demo";
                report.add(
                    "",
                    "clusters",
                    Outcome::Failed(Code::Usage),
                    "no cluster is configured",
                    remedy,
                );
            }
        },
        Ok(clusters) => {
            for cluster in clusters {
                one_cluster(report, cluster, &asking).await;
            }
        }
    }
}

async fn backup_servers(report: &mut Report, global: &Global, settings: &Settings) {
    let asking = Asking::on_terminal();
    match settings.backup_servers(&connect::overrides(global)) {
        // What is wrong with the flags was said of the clusters already.
        Err(problems) if report.code().is_none() => report.failed("", "backup servers", &problems.into()),
        Err(_) => {}
        Ok(servers) => {
            for server in servers {
                backup_server::check(report, server, &asking).await;
            }
        }
    }
}

async fn one_cluster(report: &mut Report, cluster: ClusterSettings, asking: &Asking) {
    let name = cluster.id.to_string();
    if !is_reachable(report, &name, &cluster).await {
        return;
    }
    match connect::link(cluster, asking) {
        Ok(Link { client, .. }) => api(report, &name, &client).await,
        Err(failure) => report.failed(&name, "sign-in", &failure),
    }
}

/// Whether any address of a server answers with a trusted certificate.
async fn is_reachable(report: &mut Report, name: &str, server: &ClusterSettings) -> bool {
    let mut reachable = false;
    for endpoint in &server.endpoints {
        reachable |= endpoint_answers(report, name, endpoint, server).await;
    }
    if !reachable {
        let message = "no address answers with a trusted certificate";
        report.add(name, "sign-in", Outcome::Skipped, message, "");
    }
    reachable
}

/// Name, connection, certificate and trust of one address.
async fn endpoint_answers(
    report: &mut Report,
    name: &str,
    endpoint: &Endpoint,
    cluster: &ClusterSettings,
) -> bool {
    let limit = cluster.connect_timeout;
    if !resolves(report, name, endpoint, limit).await
        || !connects(report, name, endpoint, limit, cluster.kind).await
    {
        return false;
    }
    let address = match address(endpoint) {
        Ok(address) => address,
        Err(failure) => {
            report.failed(name, "address", &failure);
            return false;
        }
    };
    match probe_certificate(&address, limit).await {
        Ok(seen) => certificate(report, name, endpoint, &seen, cluster.kind),
        Err(error) => {
            report.error(name, "tls", &error);
            return false;
        }
    }
    let options = Options {
        connect_timeout: limit,
        request_timeout: cluster.timeout,
        ..Options::new(vec![address], connect::trust(cluster))
    };
    let knocked = match Reader::new(options) {
        Ok(reader) => reader.get("/api2/json/version", Lane::Direct, &Proof::None).await,
        Err(error) => Err(error),
    };
    match knocked {
        Ok(answer) if answer.html => {
            let remedy = format!(
                "Check host and port: the {} API is at https://HOST:{}",
                cluster.kind.product(),
                cluster.kind.default_port()
            );
            report.add(
                name,
                "api",
                Outcome::Failed(Code::Unreachable),
                format!("{endpoint} is a web page"),
                remedy,
            );
            false
        }
        Ok(_) => {
            let by = if !cluster.fingerprints.is_empty() {
                "its fingerprint is the pinned one"
            } else if cluster.ca_file.is_some() {
                "signed by the CA of the configuration or of the system"
            } else {
                "signed by a CA of the system"
            };
            report.ok(name, "trust", format!("{endpoint}: {by}"));
            true
        }
        Err(error) => {
            report.error(name, "trust", &error);
            false
        }
    }
}

async fn resolves(report: &mut Report, name: &str, endpoint: &Endpoint, limit: Duration) -> bool {
    let remedy = "Check the name in the configuration, and /etc/resolv.conf";
    let problem = match timeout(
        limit,
        tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port)),
    )
    .await
    {
        Ok(Ok(found)) => {
            let mut found: Vec<String> = found.map(|address| address.ip().to_string()).collect();
            found.dedup();
            report.ok(name, "name", format!("{} is {}", endpoint.host, found.join(", ")));
            return true;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", limit.as_secs()),
    };
    let message = format!("{} cannot be resolved: {problem}", endpoint.host);
    report.add(name, "name", Outcome::Failed(Code::Unreachable), message, remedy);
    false
}

async fn connects(
    report: &mut Report,
    name: &str,
    endpoint: &Endpoint,
    limit: Duration,
    kind: ServerKind,
) -> bool {
    let daemon = match kind {
        ServerKind::Cluster => "pveproxy",
        ServerKind::BackupServer => "proxmox-backup-proxy",
    };
    let remedy =
        format!("Check host, port and firewall, and that {daemon} runs there: systemctl status {daemon}");
    let problem = match timeout(limit, TcpStream::connect((endpoint.host.as_str(), endpoint.port))).await {
        Ok(Ok(_)) => {
            report.ok(name, "connection", format!("{endpoint} accepts connections"));
            return true;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", limit.as_secs()),
    };
    let message = format!("{endpoint} does not answer: {problem}");
    report.add(
        name,
        "connection",
        Outcome::Failed(Code::Unreachable),
        message,
        remedy,
    );
    false
}

fn certificate(
    report: &mut Report,
    name: &str,
    endpoint: &Endpoint,
    seen: &SeenCertificate,
    kind: ServerKind,
) {
    const NAME: &str = "certificate";
    let message = format!("{endpoint}: {}, fingerprint {}", seen.subject, seen.fingerprint);
    let days = seen
        .not_after
        .map(|end| (end.as_second() - Timestamp::now().as_second()) / 86_400);
    match days {
        Some(days) if days < CERTIFICATE_DAYS => {
            let ends = if days < 0 {
                format!("ended {} days ago", -days)
            } else {
                format!("ends in {days} days")
            };
            let remedy = match kind {
                ServerKind::Cluster => {
                    "Renew it on the node: pvecm updatecerts --force, or pvenode acme cert renew"
                }
                ServerKind::BackupServer => {
                    "Renew it on the server: proxmox-backup-manager cert update --force, or … acme cert order --force"
                }
            };
            report.add(name, NAME, Outcome::Warning, format!("{message}; {ends}"), remedy);
        }
        _ => report.ok(name, NAME, message),
    }
}

/// Sign-in, version, privileges and clock, once the connection is trusted.
async fn api(report: &mut Report, name: &str, client: &Client) {
    let version = match signed_in(client).await {
        Ok(version) => version,
        Err(error) => {
            report.error(name, "sign-in", &error);
            return;
        }
    };
    report.ok(name, "sign-in", "accepted");
    let Some(version) = version else {
        let remedy = "Nothing, if the lists are complete: an old server or a proxy may keep it to itself";
        report.add(
            name,
            "version",
            Outcome::Warning,
            "the server does not tell it",
            remedy,
        );
        return rights(report, name, client).await;
    };
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    let message = format!("Proxmox VE {version}");
    if major.is_some_and(|major| major < OLDEST_MAJOR) {
        let remedy = format!("Update to {OLDEST_MAJOR} or newer; some things may be missing here");
        report.add(name, "version", Outcome::Warning, message, remedy);
    } else {
        report.ok(name, "version", message);
    }
    rights(report, name, client).await;
}

/// What the sign-in may do, and whether the clocks agree.
async fn rights(report: &mut Report, name: &str, client: &Client) {
    privileges(report, name, client).await;
    if let Some(theirs) = client.server_clock() {
        clock(report, name, theirs.ahead());
    }
}

/// How many seconds the server's clock is ahead of ours.
fn clock(report: &mut Report, name: &str, ahead: i64) {
    let message = format!(
        "the server's clock is {} s {}",
        ahead.abs(),
        if ahead < 0 { "behind" } else { "ahead" }
    );
    if ahead.abs() > SKEW_SECONDS {
        let remedy = "Set both clocks by NTP (chrony); tickets are refused when they differ by minutes";
        report.add(name, "clock", Outcome::Warning, message, remedy);
    } else {
        report.ok(name, "clock", message);
    }
}

async fn privileges(report: &mut Report, name: &str, client: &Client) {
    const NAME: &str = "privileges";
    const WANTED: [&str; 4] = ["Sys.Audit", "VM.Audit", "Datastore.Audit", "Pool.Audit"];
    let permissions = match client.permissions().await {
        Ok(permissions) => permissions,
        Err(error) => return report.error(name, NAME, &error),
    };
    let remedy = "Give the role PVEAuditor on /: pveum acl modify / --roles PVEAuditor --users USER (or --tokens TOKEN; a \
                  privilege-separated token needs its own)";
    if permissions.is_empty() {
        report.add(
            name,
            NAME,
            Outcome::Failed(Code::NotAllowed),
            "the sign-in has none and sees next to nothing",
            remedy,
        );
        return;
    }
    let root = permissions.iter().find(|(path, _)| path.as_ref() == "/");
    let has = |wanted: &str| root.is_some_and(|(_, all)| all.iter().any(|one| one.as_ref() == wanted));
    let missing: Vec<&str> = WANTED.into_iter().filter(|wanted| !has(wanted)).collect();
    if missing.is_empty() {
        report.ok(name, NAME, "everything can be seen");
    } else {
        let message = format!("not on /: {}; only parts are seen", missing.join(", "));
        report.add(name, NAME, Outcome::Warning, message, remedy);
    }
}
