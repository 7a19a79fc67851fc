//! A run that was interrupted and goes on in the console after its guests have moved.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pvedeck::{
    app::Event,
    clients::{
        http::{Address, Options as Http, Trust},
        pve::{Actor, Credential, Settings},
    },
    domain::{Call, ClusterId, GuestRef, Method, ObjectRef},
    plan::{
        Danger, Plan, Proof, Step,
        journal::{Journal, Worker},
        runner::{Options, Outcome},
        runs::Told,
    },
    runtime::{
        hands::worker,
        works::{FILE, Works},
    },
};
use secrecy::ExposeSecret as _;

use crate::support::caller::{Estate, node_of, vmid_of};

fn actor(estate: &Estate) -> Actor {
    let prod = estate.demo.production();
    let address = Address::parse(&prod.url(), 8006).unwrap();
    let trust = Trust::pinned(vec![prod.fingerprint().parse().unwrap()]);
    Actor::new(Settings {
        options: Http::new(vec![address], trust),
        credential: Credential::Token(prod.admin_token().expose_secret().parse().unwrap()),
    })
    .unwrap()
}

/// Tags for a guest, planned when it was on another node.
fn plan(vmid: &str, node: &str) -> Plan {
    let config = ["nodes", node, "qemu", vmid, "config"];
    let step = Step {
        cluster: "prod".into(),
        subject: ObjectRef::Guest(GuestRef {
            cluster: "prod".into(),
            vmid: vmid.parse().unwrap(),
        }),
        title: format!("{vmid} web"),
        call: Call::new(Method::Put, &config).with("tags", "moved"),
        proof: Proof::Holds {
            read: config.iter().map(|part| (*part).into()).collect(),
            values: vec![("tags".into(), Some("moved".into()))],
        },
        needs: Vec::new(),
    };
    Plan {
        deed: "guest.tags".into(),
        title: format!("Change tags {vmid} web"),
        danger: Danger::None,
        word: String::new(),
        steps: vec![step],
        risks: Vec::new(),
        way_back: None,
    }
}

#[tokio::test]
async fn the_console_follows_guests_that_moved_meanwhile() {
    let estate = Estate::new().await;
    let guest = estate.guest("qemu", "stopped", |_| true).await;
    let vmid = vmid_of(&guest);
    let elsewhere = if node_of(&guest) == "pve1" { "pve2" } else { "pve1" };
    let state = tempfile::tempdir().unwrap();
    let journal = Journal::open(&state.path().join(FILE)).unwrap();
    let dead = Worker {
        process: "gone".to_owned(),
        ..worker()
    };
    let run = journal
        .begin(&plan(vmid, elsewhere), &dead, Timestamp::now())
        .unwrap();
    let mut works = Works::new(Some(state.path()));
    let actors = BTreeMap::from([(ClusterId::from("prod"), actor(&estate))]);
    works.act_through(actors, BTreeMap::new());
    works.go_on(7, run.id, Options::default());
    let (mut said, mut led) = (Vec::new(), None);
    let outcomes = loop {
        match works.events.recv().await.unwrap() {
            Event::Told(_, text) => said.push(text),
            Event::RunTold(7, Told::Relocated(plan)) => led = Some(plan.steps[0].call.path()),
            Event::RunTold(7, Told::Ended(outcomes)) => break outcomes,
            Event::RunTold(7, Told::Broken(why)) => panic!("{why}"),
            _ => {}
        }
    };
    assert_eq!(outcomes, [Outcome::Done("OK".to_owned())]);
    assert_eq!(said, [format!("{vmid} web is on {} now", node_of(&guest))]);
    assert_eq!(led, Some(format!("{guest}/config")));
    assert_eq!(
        estate.admin.get(&format!("{guest}/config")).await["tags"],
        "moved"
    );
}
