//! SSH keys: what is planned, what the scripts do to a real file, and how their end is known.

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Command, sync::Mutex};

use jiff::Timestamp;

use super::{arguments, estate, guest, plan as plan_of, read, target};
use crate::{
    domain::{
        ClusterId, GuestKind, GuestStatus, Task, TaskRef, TaskState, Vmid,
        config::{GuestConfig, PendingChange},
    },
    plan::{
        Deed, Plan, Proof, Refusal, Step,
        journal::{End, Journal, Worker},
        runner::{News, Options, Outcome, Runner, Sent, World},
    },
    store::{Feed, Payload, Store},
};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@desk";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/ bob@desk";

fn encoded(text: &str) -> String {
    let mut into = String::new();
    crate::domain::call::percent_encode(text, &mut into);
    into
}

/// 100 runs, has cloud-init with these keys, and an agent that tells of root and alice.
fn with_keys(keys: &str) -> Store {
    let mut store = estate(|_| {});
    let sshkeys = encoded(keys);
    let mut entries = vec![
        ("agent", "1,fstrim_cloned_disks=1"),
        ("ide2", "local:vm-100-cloudinit,media=cdrom"),
    ];
    if !keys.is_empty() {
        entries.push(("sshkeys", &sshkeys));
    }
    config(&mut store, 100, &entries);
    let accounts = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\n\
                    odd:x:1001:1001::/home/$(reboot):/bin/sh\n";
    read(
        &mut store,
        Feed::GuestFile(Vmid(100), "/etc/passwd".into()),
        Payload::GuestFile(accounts.into()),
    );
    store
}

fn config(store: &mut Store, vmid: u32, entries: &[(&str, &str)]) {
    let config = GuestConfig {
        entries: entries
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect(),
        digest: Some("d1".into()),
    };
    read(store, Feed::GuestConfig(Vmid(vmid)), Payload::GuestConfig(config));
}

fn planned(deed: Deed, given: &[(&str, &str)], store: &Store) -> Result<Plan, Refusal> {
    plan_of(deed, &[target(100)], &arguments(given), store)
}

fn param<'a>(step: &'a Step, name: &str) -> Vec<&'a str> {
    let found = step.call.params.iter().filter(|(known, _)| &**known == name);
    found.map(|(_, value)| &**value).collect()
}

fn texts(plan: &Plan) -> String {
    let texts: Vec<&str> = plan.risks.iter().map(|risk| risk.text.as_str()).collect();
    texts.join("\n")
}

#[test]
fn a_key_goes_into_the_configuration_and_into_the_running_system() {
    let given = [("key", KEY), ("user", "alice")];
    let plan = planned(Deed::GuestKeyAdd, &given, &with_keys(OTHER)).unwrap();
    assert_eq!(plan.title, "Add SSH key 100 web-100");
    let [cloud, inside] = &plan.steps[..] else {
        panic!("{plan:#?}")
    };
    assert_eq!(cloud.call.path(), "/nodes/pve1/qemu/100/config");
    let both = encoded(&format!("{OTHER}\n{KEY}"));
    assert_eq!(
        (param(cloud, "sshkeys"), param(cloud, "digest")),
        (vec![both.as_str()], vec!["d1"])
    );
    assert!(matches!(&cloud.proof, Proof::Holds { values, .. } if values[0].1.as_deref() == Some(&both)));
    assert_eq!(inside.call.path(), "/nodes/pve1/qemu/100/agent/exec");
    assert_eq!(
        &param(inside, "command")[..5],
        ["su", "-s", "/bin/sh", "alice", "-c"]
    );
    assert!(
        inside.title.ends_with("/home/alice/.ssh/authorized_keys"),
        "{}",
        inside.title
    );
    // Without a user it is cloud-init's, or root.
    let plan = planned(Deed::GuestKeyAdd, &given[..1], &with_keys("")).unwrap();
    assert_eq!(param(&plan.steps[1], "command")[3], "root");
    assert_eq!(param(&plan.steps[0], "sshkeys"), [encoded(KEY)]);
}

#[test]
fn what_is_there_already_is_not_done_again() {
    let plan = planned(
        Deed::GuestKeyAdd,
        &[("key", KEY)],
        &with_keys(&format!("{OTHER}\n{KEY}")),
    )
    .unwrap();
    assert_eq!(plan.steps.len(), 1, "only the running system is asked: {plan:#?}");
    assert!(texts(&plan).contains("have it already"));
    // What waits for the next start counts.
    let mut store = with_keys(OTHER);
    let change = PendingChange {
        key: "sshkeys".into(),
        current: None,
        pending: Some(encoded(KEY).into()),
    };
    read(
        &mut store,
        Feed::GuestPending(Vmid(100)),
        Payload::GuestPending(vec![change]),
    );
    assert_eq!(
        planned(Deed::GuestKeyAdd, &[("key", KEY)], &store)
            .unwrap()
            .steps
            .len(),
        1
    );
    // Nothing at all to do is no refusal.
    let mut store = with_keys(KEY);
    store.apply(crate::store::Update {
        key: Feed::GuestFile(Vmid(100), "/etc/passwd".into()).of(&super::cluster()),
        at: Timestamp::UNIX_EPOCH,
        outcome: Ok(Payload::GuestFile("".into())),
    });
    let plan = planned(Deed::GuestKeyAdd, &[("key", KEY)], &store).unwrap();
    assert!(
        plan.steps.is_empty() && texts(&plan).contains("has no user root with a home"),
        "{plan:#?}"
    );
}

#[test]
fn a_key_is_taken_back_by_what_it_is_called_and_the_others_stay() {
    let keys = format!("from=\"192.0.2.1\" {KEY}\n# a word\n{OTHER}");
    let plan = planned(
        Deed::GuestKeyRevoke,
        &[("key", "bob@desk")],
        &with_keys(&format!("{KEY}\n{OTHER}")),
    )
    .unwrap();
    assert_eq!(param(&plan.steps[0], "sshkeys"), [encoded(KEY)]);
    assert!(texts(&plan).contains("who has only this key"));
    let plan = planned(Deed::GuestKeyRevoke, &[("key", KEY)], &with_keys(&keys)).unwrap();
    assert_eq!(
        param(&plan.steps[0], "sshkeys"),
        [encoded(&format!("# a word\n{OTHER}"))]
    );
    let last = planned(Deed::GuestKeyRevoke, &[("key", KEY)], &with_keys(KEY)).unwrap();
    assert_eq!(param(&last.steps[0], "delete"), ["sshkeys"]);
    assert!(texts(&last).contains("no cloud-init key of 100 web-100 remains"));
    let unknown = planned(Deed::GuestKeyRevoke, &[("key", "carol")], &with_keys(KEY)).unwrap_err();
    assert!(matches!(unknown, Refusal::NotFound(_)), "{unknown}");
}

#[test]
fn what_cannot_be_reached_is_named_with_its_reason() {
    let only = |store: &Store, given: &[(&str, &str)]| {
        let plan = planned(Deed::GuestKeyAdd, given, store).unwrap();
        assert_eq!(plan.steps.len(), 1, "{plan:#?}");
        texts(&plan)
    };
    let key = [("key", KEY)];
    let mut store = with_keys("");
    config(&mut store, 100, &[("agent", "enabled=1")]);
    assert!(only(&store, &key).contains("the cloud-init keys of 100 web-100: it has no cloud-init drive"));
    config(
        &mut store,
        100,
        &[("agent", "0"), ("ide2", "local:vm-100-cloudinit,media=cdrom")],
    );
    assert!(only(&store, &key).contains("its guest agent is not switched on"));
    config(
        &mut store,
        100,
        &[
            ("agent", "1"),
            ("ciuser", "admin"),
            ("ide2", "local:vm-100-cloudinit"),
        ],
    );
    assert!(
        only(&store, &[("key", KEY), ("user", "alice")]).contains("they are those of admin, not of alice")
    );
    for user in ["nobody", "odd"] {
        let why = only(&with_keys(""), &[("key", KEY), ("user", user)]);
        assert!(
            why.contains(&format!("it has no user {user} with a home")),
            "{why}"
        );
    }
    let refused = |vmid| {
        plan_of(
            Deed::GuestKeyAdd,
            &[target(vmid)],
            &arguments(&key),
            &with_keys(""),
        )
        .unwrap_err()
    };
    assert!(refused(102).to_string().contains("on pve1 `pct exec 102` does"));
    let nothing = refused(101).to_string();
    assert!(
        nothing.contains("could not be read; the running system of 101 web-101: it is not running"),
        "{nothing}"
    );
    let broken = planned(Deed::GuestKeyAdd, &[("key", "ssh-ed25519 AAAA")], &with_keys("")).unwrap_err();
    assert!(matches!(broken, Refusal::Argument(_)), "{broken}");
    assert_eq!(guest(1, GuestKind::Qemu, GuestStatus::Running).vmid.0, 1);
}

/// Runs the script of a plan on a real home, and gives what it said.
fn run(deed: Deed, home: &Path) -> String {
    let mut store = with_keys(OTHER);
    let accounts = format!("root:x:0:0:root:{}:/bin/sh\n", home.display());
    let file = Feed::GuestFile(Vmid(100), "/etc/passwd".into());
    read(&mut store, file, Payload::GuestFile(accounts.into()));
    let plan = planned(deed, &[("key", KEY)], &store).unwrap();
    let command = param(plan.steps.last().unwrap(), "command");
    let output = Command::new(command[2]).args(&command[4..]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .to_owned()
}

#[test]
fn the_scripts_add_and_remove_one_key_and_harm_no_other() {
    let home = tempfile::Builder::new().prefix("home").tempdir().unwrap();
    let file = home.path().join(".ssh/authorized_keys");
    let text = || std::fs::read_to_string(&file).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(run(Deed::GuestKeyAdd, home.path()), "added");
    assert_eq!((mode(file.parent().unwrap()), mode(&file)), (0o700, 0o600));
    assert_eq!(run(Deed::GuestKeyAdd, home.path()), "was there already");
    assert_eq!(text().matches(KEY).count(), 1);
    // A file without a line feed at its end, with a mode of its own, and the key behind options as well.
    std::fs::write(&file, format!("# {KEY}\nno-pty {KEY}\n{OTHER}")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(run(Deed::GuestKeyAdd, home.path()), "was there already");
    assert_eq!(run(Deed::GuestKeyRevoke, home.path()), "removed");
    assert_eq!(text().trim(), OTHER);
    assert_eq!(mode(&file), 0o640);
    assert_eq!(run(Deed::GuestKeyRevoke, home.path()), "was not there");
    std::fs::write(&file, format!("# {KEY}\n{OTHER}")).unwrap();
    assert_eq!(
        run(Deed::GuestKeyAdd, home.path()),
        "added",
        "a comment lets nobody in"
    );
    let lines: Vec<String> = text()
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    assert_eq!(lines, [format!("# {KEY}").as_str(), OTHER, KEY]);
    let names: Vec<_> = std::fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is left behind: {names:?}");
}

#[derive(Default)]
struct State {
    /// How often the command was done.
    done: usize,
    sent: usize,
    /// Whether calls get lost before, or their answers after they were done.
    lost_before: bool,
    lost_after: bool,
    /// Whether the agent has forgotten what it ran.
    forgetful: bool,
    seconds: i64,
}

struct Machine(Mutex<State>);

impl World for Machine {
    async fn send(&self, _step: &Step) -> Sent {
        let mut state = self.0.lock().unwrap();
        state.sent += 1;
        if std::mem::take(&mut state.lost_before) {
            return Sent::Unclear("no answer".to_owned());
        }
        state.done += 1;
        if std::mem::take(&mut state.lost_after) {
            return Sent::Unclear("no answer".to_owned());
        }
        Sent::Runs(4711)
    }

    async fn task(&self, _task: &TaskRef) -> Result<TaskState, String> {
        Err("there are no tasks".to_owned())
    }

    async fn tasks(&self, _step: &Step) -> Result<(Vec<Task>, bool), String> {
        Err("there are no tasks".to_owned())
    }

    async fn command(&self, _step: &Step, pid: u64) -> Result<Option<End>, String> {
        let state = self.0.lock().unwrap();
        if state.forgetful || pid != 4711 {
            return Err("PID 4711 does not exist".to_owned());
        }
        // It takes a while.
        Ok((state.seconds > 2).then(|| End::Done { exit: "added".into() }))
    }

    async fn holds(&self, _step: &Step) -> Result<bool, String> {
        Ok(self.0.lock().unwrap().done > 0)
    }

    fn user(&self, _cluster: &ClusterId) -> Option<String> {
        None
    }

    fn is_stopped(&self) -> bool {
        false
    }

    async fn pause(&self) {
        self.0.lock().unwrap().seconds += 1;
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_second(self.0.lock().unwrap().seconds).unwrap()
    }

    fn tell(&self, _step: usize, _news: &News) {}
}

#[tokio::test]
async fn a_command_is_attended_to_its_end_and_where_that_is_lost_the_file_tells() {
    let state = State::default;
    for (state, outcome, sent) in [
        (state(), Outcome::Done("added".into()), 1),
        (
            State {
                lost_after: true,
                ..state()
            },
            Outcome::Done("OK".into()),
            1,
        ),
        (
            State {
                forgetful: true,
                ..state()
            },
            Outcome::Done("OK".into()),
            1,
        ),
        (
            State {
                lost_before: true,
                ..state()
            },
            Outcome::NotDone("no answer".into()),
            1,
        ),
    ] {
        let lost = state.lost_before;
        let mut plan = planned(Deed::GuestKeyAdd, &[("key", KEY)], &with_keys(KEY)).unwrap();
        plan.risks.clear();
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
        let by = Worker {
            user: "alice".into(),
            host: "desk".into(),
            process: "1".into(),
        };
        let number = journal.begin(&plan, &by, Timestamp::UNIX_EPOCH).unwrap().id;
        let world = Machine(Mutex::new(state));
        let runner = Runner::new(&journal, &world, Options::default());
        let outcomes = runner.run(&journal.run(number).unwrap()).await.unwrap();
        assert_eq!((&outcomes[0], world.0.lock().unwrap().sent), (&outcome, sent));
        if lost {
            let again = runner.run(&journal.run(number).unwrap()).await.unwrap();
            assert_eq!(again, [Outcome::Done("added".into())]);
        }
        assert_eq!(world.0.lock().unwrap().done, 1, "{outcome:?}");
    }
}
