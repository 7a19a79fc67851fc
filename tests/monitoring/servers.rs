//! Real servers on loopback: started on free ports in directories of their own, and ended by their process.

use std::{
    fmt::Write as _,
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::programs;

/// Far above what any of it takes, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it ends with this value.
pub(crate) struct Server {
    child: Child,
    program: std::path::PathBuf,
    args: Vec<String>,
    pub(crate) port: u16,
    log: std::path::PathBuf,
}

impl Server {
    fn start(program: &Path, args: &[String], port: u16, log: &Path) -> Self {
        Self {
            child: spawn(program, args, log),
            program: program.to_owned(),
            args: args.to_owned(),
            port,
            log: log.to_owned(),
        }
    }

    /// Starts it again, at the same port and on what it wrote.
    pub(crate) fn start_again(&mut self) {
        self.end();
        self.child = spawn(&self.program, &self.args, &self.log);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it, and waits until it is gone.
    pub(crate) fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: &Path, args: &[String], log: &Path) -> Child {
    let output = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .unwrap();
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            println!(
                "{}:\n{}",
                self.log.display(),
                fs::read_to_string(&self.log).unwrap()
            );
        }
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Asks again until there is something, or it takes too long.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            ticks.tick().await;
            if let Some(found) = ask().await {
                return found;
            }
        }
    });
    found.await.unwrap_or_else(|_| panic!("in vain: {what}"))
}

/// `node_exporter` with few collectors.
pub(crate) fn node_exporter(folder: &TempDir) -> Option<Server> {
    let program = programs::find("prometheus-node-exporter")?;
    let port = free_port();
    let textfiles = folder.path().join("textfiles");
    fs::create_dir_all(&textfiles).unwrap();
    let args = [
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--collector.disable-defaults".to_owned(),
        "--collector.cpu".to_owned(),
        "--collector.loadavg".to_owned(),
        "--collector.meminfo".to_owned(),
        "--collector.textfile".to_owned(),
        format!("--collector.textfile.directory={}", textfiles.display()),
    ];
    Some(Server::start(
        &program,
        &args,
        port,
        &folder.path().join("node.log"),
    ))
}

pub(crate) fn alertmanager(folder: &TempDir) -> Option<Server> {
    let program = programs::find("prometheus-alertmanager")?;
    let port = free_port();
    let config = folder.path().join("alertmanager.yml");
    fs::write(
        &config,
        "route: {receiver: shown, group_wait: 1s}\nreceivers: [{name: shown}]\n",
    )
    .unwrap();
    let args = [
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", folder.path().join("silences").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
    ];
    Some(Server::start(
        &program,
        &args,
        port,
        &folder.path().join("alertmanager.log"),
    ))
}

/// A Prometheus that scrapes these jobs each second, tells that Alertmanager, and knows these rules.
pub(crate) fn prometheus(
    folder: &TempDir,
    jobs: &[(&str, u16)],
    alertmanager: Option<u16>,
    rules: &str,
    more: &[String],
) -> Option<Server> {
    let program = programs::find("prometheus")?;
    let port = free_port();
    let mut config =
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n".to_owned();
    if let Some(port) = alertmanager {
        let _ = writeln!(
            config,
            "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]}}"
        );
    }
    config.push_str("scrape_configs:\n");
    for (job, port) in jobs {
        let _ = writeln!(
            config,
            "  - {{job_name: {job}, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}"
        );
    }
    let file = folder.path().join("prometheus.yml");
    fs::write(&file, config).unwrap();
    fs::write(folder.path().join("rules.yml"), rules).unwrap();
    let mut args = vec![
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", folder.path().join("data").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    args.extend_from_slice(more);
    Some(Server::start(
        &program,
        &args,
        port,
        &folder.path().join("prometheus.log"),
    ))
}
