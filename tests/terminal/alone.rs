//! `pvedeck console`: one console and nothing else, in the real binary.

use pvedeck::demo::{self, Datacentre};
use secrecy::ExposeSecret;
use tokio::runtime::Runtime;

use crate::support::terminal::{ENTER, Launch};

/// A small datacentre, and what has to live as long as it.
struct Place {
    datacentre: Datacentre,
    folder: tempfile::TempDir,
    _runtime: Runtime,
}

impl Place {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let options = demo::Options {
            time: demo::Time::Wall,
            lab: false,
            ..demo::Options::for_tests()
        };
        let datacentre = runtime.block_on(demo::start(options)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), datacentre.production().ca_pem()).unwrap();
        Self {
            datacentre,
            folder,
            _runtime: runtime,
        }
    }

    fn console(&self, target: &str) -> Launch {
        let prod = self.datacentre.production();
        Launch::pvedeck()
            .arg("console")
            .arg(target)
            .arg("--url")
            .arg(&prod.url())
            .arg("--ca-file")
            .arg(self.folder.path().join("ca.pem").to_str().unwrap())
            .env("PVEDECK_TOKEN", prod.admin_token().expose_secret())
            .size(100, 30)
    }
}

#[test]
fn it_begins_and_ends_with_the_console_and_is_recorded() {
    let place = Place::start();
    let file = place.folder.path().join("shell.cast");
    let mut terminal = place
        .console("pve1")
        .arg("--record")
        .arg(file.to_str().unwrap())
        .start();
    terminal.wait_for("pve1 login:");
    terminal.send("root\r");
    terminal.wait_for("Password:");
    terminal.send("demo\r");
    terminal.wait_for("pve1:~#");
    terminal.send("stty size\r");
    terminal.wait_for("26 98");
    // Keys of the deck are the guest's here.
    terminal.send("echo q:\r");
    terminal.wait_until("the answer", |text| text.matches("q:").count() >= 2);
    terminal.send("exit");
    terminal.send(ENTER);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
    let recorded = std::fs::read_to_string(&file).unwrap();
    assert!(
        recorded.starts_with('{') && recorded.contains("26 98"),
        "{recorded}"
    );
    // What is there already is not written over; the console works all the same.
    let mut again = place
        .console("pve1")
        .arg("--record")
        .arg(file.to_str().unwrap())
        .start();
    again.wait_for("the file cannot be written");
    again.send("\x1d");
    assert_eq!(again.wait_exit().exit_code(), 0);
    again.assert_restored();
}

#[test]
fn what_cannot_be_is_said_with_the_right_code() {
    let place = Place::start();
    for (target, more, code, said) in [
        ("pve1", "--read-only", 6, "is read-only"),
        ("nobody", "-v", 5, "there is no guest, node"),
        ("pve1/local", "-v", 2, "has no console"),
    ] {
        let mut terminal = place.console(target).arg(more).start();
        let status = terminal.wait_exit();
        assert_eq!(status.exit_code(), code, "{}", terminal.text());
        assert!(terminal.text().contains(said), "{}", terminal.text());
        terminal.assert_restored();
    }
}
