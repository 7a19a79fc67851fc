//! A secret goes to the server and nowhere else: not to the screen, the plan as text, the log, the journal.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use pvedeck::{
    clients::{
        http::{Address, Options as Http, Trust},
        pve::{Actor, Credential, Settings},
    },
    domain::{Call, ClusterId, GuestRef, Method, ObjectRef, Vmid},
    plan::{
        Danger, Plan, Proof, Step,
        journal::{Fact, Journal},
        print,
        runner::{Options, Outcome, Runner},
    },
    runtime::hands::{Hands, worker},
};

use crate::support::{
    recording::Answer,
    scripted::{Reply, Scripted},
};

const SECRET: &str = "correct horse 4711";
const SENT: &str = "correct%20horse%204711";

/// What is written to the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn plan() -> Plan {
    let config = ["nodes", "pve1", "qemu", "104", "config"];
    let step = Step {
        cluster: "prod".into(),
        subject: ObjectRef::Guest(GuestRef {
            cluster: "prod".into(),
            vmid: Vmid(104),
        }),
        title: "104 web-01".to_owned(),
        call: Call::new(Method::Put, &config)
            .with("ciuser", "admin")
            .with("cipassword", SECRET),
        proof: Proof::Holds {
            read: config.iter().map(|part| (*part).into()).collect(),
            values: vec![("ciuser".into(), Some("admin".into()))],
        },
        needs: Vec::new(),
    };
    Plan {
        deed: "guest.options".into(),
        title: "Change options 104 web-01".to_owned(),
        danger: Danger::Confirm,
        word: "web-01".to_owned(),
        steps: vec![step],
        risks: Vec::new(),
        way_back: None,
    }
}

fn hands(server: &Scripted) -> Hands<impl Fn(usize, &pvedeck::plan::runner::News) + Sync> {
    let address = Address::parse(&server.url(), 8006).unwrap();
    let trust = Trust::pinned(vec![server.fingerprint().parse().unwrap()]);
    let token = "root@pam!test=00000000-0000-4000-8000-000000000000";
    let actor = Actor::new(Settings {
        options: Http::new(vec![address], trust),
        credential: Credential::Token(token.parse().unwrap()),
    });
    let actors = BTreeMap::from([(ClusterId::from("prod"), actor.unwrap())]);
    Hands::new(actors, |_, _| {})
}

/// Whether the secret is in these bytes, however it may be written.
fn holds_secret(bytes: &[u8]) -> bool {
    [SECRET, SENT, "correct+horse"].iter().any(|secret| {
        let secret = secret.as_bytes();
        bytes.windows(secret.len()).any(|window| window == secret)
    })
}

/// Every file below a directory.
fn files(directory: &std::path::Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries.map(|path| fs::read(path).unwrap()).collect()
}

#[tokio::test]
async fn a_secret_reaches_the_server_and_nothing_else() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log is being written");
    let server = Scripted::start(|_, _| Reply::Answer(Answer::json(r#"{"data":null}"#))).await;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
    let run = journal.begin(&plan(), &worker(), Timestamp::now()).unwrap();
    let hands = hands(&server);
    let outcomes = Runner::new(&journal, &hands, Options::default())
        .run(&run)
        .await
        .unwrap();
    assert_eq!(outcomes, [Outcome::Done("OK".to_owned())]);
    assert_eq!(server.asked()[0].body, format!("ciuser=admin&cipassword={SENT}"));

    let told = [
        print::text(&plan()),
        print::json(&plan()).to_string(),
        print::pvesh(&plan()),
        print::curl(&plan()),
        print::script(&plan()),
        format!("{:?}", plan()),
        format!("{:?}", journal.entries().unwrap()),
    ];
    for text in &told {
        assert!(!holds_secret(text.as_bytes()), "{text}");
        assert!(text.contains("cipassword"), "{text}");
    }
    let kept = files(folder.path());
    assert!(
        kept.iter()
            .any(|bytes| bytes.windows(6).any(|part| part == b"ciuser"))
    );
    assert!(!kept.iter().any(|bytes| holds_secret(bytes)));
    let log = log.0.lock().unwrap();
    assert!(!log.is_empty() && !holds_secret(&log));
}

#[tokio::test]
async fn a_continued_run_says_that_its_secret_is_gone() {
    let server = Scripted::start(|_, _| Reply::Answer(Answer::json(r#"{"data":null}"#))).await;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
    let begun = journal.begin(&plan(), &worker(), Timestamp::now()).unwrap();
    // A process that died: the next one has only the journal.
    let run = journal
        .claim(begun.id, &worker(), Timestamp::now(), |_| false)
        .unwrap();
    let hands = hands(&server);
    let outcomes = Runner::new(&journal, &hands, Options::default())
        .run(&run)
        .await
        .unwrap();
    let [Outcome::Failed(why)] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    assert!(why.contains("`cipassword` is a secret"), "{why}");
    assert_eq!(server.asked().len(), 0);
    let run = journal.run(run.id).unwrap();
    let intended = run
        .entries
        .iter()
        .any(|entry| matches!(entry.fact, Fact::Intended { .. }));
    assert!(!intended && run.is_closed());
}
