//! The journal keeps what it is told, and only that.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn worker(process: &str) -> Worker {
    Worker {
        user: "alice".into(),
        host: "desk".into(),
        process: process.into(),
    }
}

fn plan() -> Plan {
    Plan {
        deed: "guest.start".into(),
        title: "Start 104 web-01".into(),
        danger: crate::actions::deed::Danger::None,
        word: "web-01".into(),
        steps: Vec::new(),
        risks: Vec::new(),
        way_back: None,
    }
}

#[test]
fn entries_can_only_be_added_and_nobody_else_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/journal.sqlite");
    let journal = Journal::open(&path).unwrap();
    let run = journal
        .begin(&plan(), &worker("1"), Timestamp::UNIX_EPOCH)
        .unwrap()
        .id;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let other = Connection::open(&path).unwrap();
    for tampering in ["UPDATE entry SET fact = 'x'", "DELETE FROM entry"] {
        let error = other.execute(tampering, []).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
    assert_eq!(Journal::open(&path).unwrap().run(run).unwrap().plan, plan());
}

#[test]
fn a_run_has_one_worker_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let run = journal.begin(&plan(), &worker("1"), now).unwrap().id;
    let claimed = journal.claim(run, &worker("2"), now, |_| true);
    assert!(
        matches!(claimed, Err(JournalError::Claimed { .. })),
        "{claimed:?}"
    );
    assert!(journal.interrupted(|_| true).unwrap().is_empty());
    assert_eq!(journal.interrupted(|_| false).unwrap().len(), 1);
    let taken = journal
        .claim(run, &worker("2"), now, |worker| worker.process == "2")
        .unwrap();
    assert_eq!(taken.worker(), Some(&worker("2")));
    let third = journal.claim(run, &worker("3"), now, |worker| worker.process == "2");
    assert!(matches!(third, Err(JournalError::Claimed { .. })), "{third:?}");
    journal
        .write(run, None, now, &Fact::Closed { why: None })
        .unwrap();
    let closed = journal.claim(run, &worker("3"), now, |_| false);
    assert!(matches!(closed, Err(JournalError::Closed(_))), "{closed:?}");
    assert!(matches!(journal.run(77), Err(JournalError::NoRun(77))));
}
