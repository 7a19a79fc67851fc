//! The commands with a screen: the console itself, and one frame of it as text.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    args::{Global, Picture, Size, Span},
    backup_servers::{self, ActingServer, ServerLink},
    connect::{self, Acting, Asking, Link},
    exit::{Code, Failure, talk},
    monitors, output, target,
};
use crate::{
    actions::Place,
    app::{Alone, Setup},
    clients::{pbs, pve::Client},
    domain::{ClusterId, DatastoreRef, GuestRef, NodeRef, ObjectRef, StorageRef, TaskRef},
    runtime::{console, links::Links, look, show},
    settings::{ColorDepth, Places, Settings, SignIn, keymap::Keymap},
    store::Store,
    ui::{Theme, export},
};

/// Opens the console on the configured clusters.
pub(super) async fn open(global: &Global, places: &Places) -> Result<(), Failure> {
    let settings = connect::settings(global, places)?;
    let asking = Asking::on_terminal();
    let clusters = connect::acting(&settings, global, &asking)?;
    let servers = backup_servers::acting(&settings, global, &asking)?;
    for link in clusters.iter().map(|one| &one.link).filter(|link| may_ask(link)) {
        // The screen is no place for the question; what the answer is good for, the console shows by itself.
        let _ = link.client.version().await;
    }
    for link in servers.iter().map(|one| &one.link) {
        if asks(Some(&link.settings.sign_in)) {
            let _ = link.client.version().await;
        }
    }
    asking.end();
    run(&settings, places, clusters, servers, true).await
}

/// Whether signing in may have to ask for a second factor.
fn may_ask(link: &Link) -> bool {
    asks(link.settings.as_ref().map(|settings| &settings.sign_in))
}

fn asks(sign_in: Option<&SignIn>) -> bool {
    matches!(
        sign_in,
        Some(SignIn::Password {
            totp_secret: None,
            ..
        })
    )
}

/// Opens the console on these clusters. `real` says whether their machines can be reached.
pub(super) async fn run(
    settings: &Settings,
    places: &Places,
    clusters: Vec<Acting>,
    servers: Vec<ActingServer>,
    real: bool,
) -> Result<(), Failure> {
    let mut links = Vec::new();
    let mut server_actors = BTreeMap::new();
    let servers: Vec<ServerLink> = servers
        .into_iter()
        .map(|one| {
            server_actors.extend(one.actor.map(|actor| (one.link.id.clone(), actor)));
            one.link
        })
        .collect();
    let mut actors = BTreeMap::new();
    for Acting { link, actor } in clusters {
        actors.extend(actor.map(|actor| (link.id.clone(), actor)));
        links.push(link);
    }
    let (watchers, problems) = monitors::links(settings);
    let mut setup = setup(settings, places, &links, &servers, Place::Deck);
    setup.writable = actors.keys().chain(server_actors.keys()).cloned().collect();
    setup.ssh = setup.ssh.filter(|_| real);
    setup.warnings.extend(problems);
    setup
        .store
        .set_monitors(watchers.iter().map(|(info, _)| info.clone()));
    let connect = move || {
        Links::start_with(readers(links), server_readers(servers))
            .monitoring(watchers.into_iter().map(|(info, client)| (info.id, client)))
            .acting(actors)
            .acting_on_servers(server_actors)
    };
    // The loop holds all there is to hold: too much for the stack of every caller.
    Box::pin(console::run(setup, places.state.clone(), connect))
        .await
        .map(|_| ())
        .map_err(|error| failure(&error))
}

/// Opens one console on its cluster; the program ends with it.
pub(super) async fn alone(
    settings: &Settings,
    places: &Places,
    acting: Acting,
    alone: Alone,
) -> Result<(), Failure> {
    let Acting { link, actor } = acting;
    let mut setup = setup(
        settings,
        places,
        std::slice::from_ref(&link),
        &[],
        Place::Console(alone.object.clone()),
    );
    let actors: BTreeMap<_, _> = actor.map(|actor| (link.id.clone(), actor)).into_iter().collect();
    setup.writable = actors.keys().cloned().collect();
    setup.alone = Some(alone);
    let ended = Box::pin(console::run(setup, places.state.clone(), move || {
        Links::start(readers(vec![link])).acting(actors)
    }));
    match ended.await.map_err(|error| failure(&error))? {
        None => Ok(()),
        Some((kind, why)) => Err(Failure::new(
            kind.map_or(Code::Failed, connect::code_of_feed),
            why,
        )),
    }
}

/// No terminal is a mistake of whoever called; everything else just failed.
fn failure(error: &anyhow::Error) -> Failure {
    let code = if error.is::<crate::runtime::terminal::NoTerminal>() {
        Code::Usage
    } else {
        Code::Failed
    };
    Failure::new(code, format!("{error:#}"))
}

fn readers(clusters: Vec<Link>) -> impl Iterator<Item = (ClusterId, Client)> {
    clusters.into_iter().map(|link| (link.id, link.client))
}

fn server_readers(servers: Vec<ServerLink>) -> impl Iterator<Item = (ClusterId, pbs::Client)> {
    servers.into_iter().map(|link| (link.id, link.client))
}

fn setup(
    settings: &Settings,
    places: &Places,
    clusters: &[Link],
    servers: &[ServerLink],
    place: Place,
) -> Setup {
    let var = |name: &str| std::env::var(name).ok();
    let (themes, mut warnings) = look::themes(places, &settings.ui, ColorDepth::detect(var));
    let (keymap, problems) = Keymap::load(places);
    warnings.extend(problems.iter().chain(&settings.warnings).map(ToString::to_string));
    let mut store = Store::new(clusters.iter().map(|link| link.id.clone()))
        .with_backup_servers(servers.iter().map(|link| link.id.clone()));
    store.set_limits(connect::finding_limits(&settings.limits));
    store.monitors.templates = settings.metrics();
    store.monitors.set_columns(settings.columns.clone());
    store.monitors.dashboards = settings.dashboards.clone();
    Setup {
        store,
        keymap,
        themes,
        glyphs: look::glyphs(&settings.ui, var),
        zone: settings.ui.time_zone.clone(),
        user: user(clusters),
        // Whoever opens a console with actors says so; a printed frame has none.
        writable: BTreeSet::new(),
        rules: connect::rules(settings),
        ssh: Some(settings.ssh.clone()),
        alone: None,
        depth: ColorDepth::detect(var),
        mouse: settings.ui.mouse,
        place,
        warnings,
        graph: (None, None),
    }
}

/// Who is signed in, if it is the same everywhere.
fn user(clusters: &[Link]) -> String {
    let mut users =
        clusters.iter().map(
            |link| match link.settings.as_ref().map(|settings| &settings.sign_in) {
                Some(SignIn::Token(token)) => token.id.clone(),
                Some(SignIn::Password { user, .. }) => user.clone(),
                Some(SignIn::TokenCommand(_)) => String::new(),
                None => "root@pam".to_owned(),
            },
        );
    let first = users.next().unwrap_or_default();
    if users.all(|user| user == first) {
        first
    } else {
        String::new()
    }
}

/// What to draw, and how.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// A place's name, or the kind of object whose detail is wanted.
    pub screen: &'a str,
    /// The object: VMID or name, node, `node/storage`, cluster, UPID.
    pub target: Option<&'a str>,
    /// The metric of a graph.
    pub metric: Option<&'a str>,
    /// How much of time a graph shows.
    pub range: Option<Span>,
    /// Columns and rows.
    pub size: Size,
    /// How long to wait for data.
    pub timeout: Duration,
    /// As what.
    pub picture: Picture,
}

/// Prints one frame.
pub(super) async fn show(global: &Global, places: &Places, wanted: &Wanted<'_>) -> Result<(), Failure> {
    let settings = connect::settings(global, places)?;
    let asking = Asking::on_terminal();
    let clusters = connect::links(&settings, global, &asking)?;
    let servers = backup_servers::links(&settings, global, &asking)?;
    let place = place(wanted, &clusters, &servers).await?;
    let (watchers, problems) = monitors::links(&settings);
    let mut setup = setup(&settings, places, &clusters, &servers, place);
    setup.warnings.extend(problems);
    setup
        .store
        .set_monitors(watchers.iter().map(|(info, _)| info.clone()));
    match wanted.picture {
        Picture::Text => setup.themes = vec![Theme::mono()],
        // A picture has all colours, whatever the terminal has that it is made from.
        Picture::Svg => setup.themes = look::themes(places, &settings.ui, ColorDepth::True).0,
        Picture::Ansi => {}
    }
    let measure = wanted.metric.map(|word| connect::shown(word, &settings));
    let span = wanted.range.map(|span| jiff::SignedDuration::from_secs(span.0));
    setup.graph = (measure.transpose()?, span);
    for warning in std::mem::take(&mut setup.warnings) {
        talk(warning);
    }
    let frame = show::frame(
        setup,
        wanted.size.into(),
        Links::start_with(readers(clusters), server_readers(servers))
            .monitoring(watchers.into_iter().map(|(info, client)| (info.id, client))),
        wanted.timeout,
    )
    .await;
    output::print(&match wanted.picture {
        Picture::Text => export::text(&frame.buffer),
        Picture::Ansi => export::ansi(&frame.buffer),
        Picture::Svg => export::svg(&frame.buffer),
    })?;
    for sentence in &frame.missing {
        talk(sentence);
    }
    match (frame.timed_out, frame.dead) {
        (true, _) => {
            let seconds = wanted.timeout.as_secs();
            Err(Failure::new(
                Code::TimedOut,
                format!("not everything was answered within {seconds} s; see --timeout"),
            ))
        }
        (false, Some(code)) => Err(Failure::said(connect::code_of_feed(code))),
        (false, None) => Ok(()),
    }
}

/// The kinds of object that have a page.
const KINDS: [&str; 5] = ["guest", "node", "storage", "cluster", "task"];

/// The place that was asked for.
async fn place(wanted: &Wanted<'_>, clusters: &[Link], servers: &[ServerLink]) -> Result<Place, Failure> {
    if let ("metrics", Some(target)) = (wanted.screen, wanted.target) {
        return Ok(Place::MetricsOf(target::measured(target, clusters).await?.object));
    }
    let Some(target) = wanted.target else {
        let named = Place::NAMED.iter().find(|(name, _)| *name == wanted.screen);
        return named.map(|(_, place)| place.clone()).ok_or_else(|| {
            if KINDS.contains(&wanted.screen) {
                let message = format!(
                    "which {0}? Write `pvedeck show {0} TARGET`; `pvedeck get` lists what there is",
                    wanted.screen
                );
                return Failure::new(Code::Usage, message);
            }
            let names: Vec<&str> = Place::NAMED.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "there is no screen `{}`; there are {}, and with a target: guest, node, storage, cluster, task, \
                 metrics, pbs, datastore",
                wanted.screen,
                names.join(", ")
            );
            Failure::new(Code::Usage, message)
        });
    };
    if let Some(object) = of_server(wanted.screen, target, servers)? {
        return Ok(Place::Object(object));
    }
    find(wanted.screen, target, clusters)
        .await
        .map(|object| match object {
            ObjectRef::Task(_) => Place::Log(object),
            _ => Place::Object(object),
        })
}

/// A Backup Server, or a datastore of one: `main`, `main:customers/acme`, with `SERVER/` in front where several have
/// it. `None` for other kinds.
fn of_server(kind: &str, target: &str, servers: &[ServerLink]) -> Result<Option<ObjectRef>, Failure> {
    let (server, rest) = match target.split_once('/') {
        Some((server, rest)) if servers.iter().any(|link| link.id.as_str() == server) => (Some(server), rest),
        _ => (None, target),
    };
    let id = |named: Option<&str>| -> Result<ClusterId, Failure> {
        let mut found = servers
            .iter()
            .filter(|link| named.is_none_or(|name| link.id.as_str() == name));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one.id.clone()),
            (None, _) => Err(Failure::new(
                Code::NotFound,
                format!("there is no Backup Server for `{target}`"),
            )),
            (Some(_), Some(_)) => {
                let message =
                    format!("`{target}` is ambiguous; say SERVER/{target}, or choose with --cluster");
                Err(Failure::new(Code::Usage, message))
            }
        }
    };
    Ok(match kind {
        "pbs" => Some(ObjectRef::BackupServer(id(Some(target))?)),
        "datastore" => {
            let (store, namespace) = rest.split_once(':').unwrap_or((rest, ""));
            Some(ObjectRef::Datastore(DatastoreRef {
                cluster: id(server)?,
                store: store.into(),
                namespace: namespace.into(),
            }))
        }
        _ => None,
    })
}

/// The object that a kind and a name mean. One that several clusters have must be chosen with `--cluster`.
async fn find(kind: &str, target: &str, clusters: &[Link]) -> Result<ObjectRef, Failure> {
    let mut found = Vec::new();
    for link in clusters {
        let cluster = link.id.clone();
        if kind == "cluster" {
            found.extend((*cluster.as_str() == *target).then_some(ObjectRef::Cluster(cluster)));
            continue;
        }
        if kind == "task" {
            if let Ok(upid) = target.parse() {
                found.push(ObjectRef::Task(TaskRef { cluster, upid }));
            }
            continue;
        }
        let inventory = link
            .client
            .resources()
            .await
            .map_err(|error| connect::failure(&error))?;
        match kind {
            "guest" => found.extend(
                inventory
                    .guests
                    .iter()
                    .filter(|guest| guest.vmid.to_string() == target || guest.label() == target)
                    .map(|guest| {
                        ObjectRef::Guest(GuestRef {
                            cluster: cluster.clone(),
                            vmid: guest.vmid,
                        })
                    }),
            ),
            "node" => found.extend(
                inventory
                    .nodes
                    .iter()
                    .filter(|node| node.name.as_str() == target)
                    .map(|node| {
                        ObjectRef::Node(NodeRef {
                            cluster: cluster.clone(),
                            node: node.name.clone(),
                        })
                    }),
            ),
            "storage" => found.extend(
                inventory
                    .storages
                    .iter()
                    .filter(|storage| format!("{}/{}", storage.node, storage.name) == target)
                    .map(|storage| {
                        ObjectRef::Storage(StorageRef {
                            cluster: cluster.clone(),
                            node: storage.node.clone(),
                            storage: storage.name.clone(),
                        })
                    }),
            ),
            _ => {
                let message = format!(
                    "`{kind}` has no targets; guest, node, storage (NODE/STORAGE), cluster and task have"
                );
                return Err(Failure::new(Code::Usage, message));
            }
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::new(
            Code::NotFound,
            format!("there is no {kind} `{target}`; `pvedeck get` lists what there is"),
        )),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|object| format!("{object} on {}", object.cluster()))
                .collect();
            let message = format!(
                "`{target}` is ambiguous: {}; use the VMID, or choose with --cluster",
                names.join(", ")
            );
            Err(Failure::new(Code::Usage, message))
        }
    }
}
