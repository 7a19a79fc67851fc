//! The file of acknowledgements, shared by all consoles of a user on this machine.
//!
//! What always holds here: each change reads what is there, under a lock, and replaces the file as a whole: what another
//! console wrote meanwhile stays. A file that cannot be understood is left alone.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, TransactionBehavior};

use super::{files::write_private, hands::worker};
use crate::domain::acknowledge::{Acknowledgements, Order};

/// The file, below the state directory.
const FILE: &str = "acknowledgements.json";
/// Far above what [`Acknowledgements`] keeps.
const LARGEST: u64 = 32 << 20;

/// How long another console may take to write.
const PATIENCE: Duration = Duration::from_secs(2);

/// The file and the state of it that was read last.
#[derive(Debug)]
pub struct Board {
    path: Option<PathBuf>,
    by: String,
    seen: Option<(u64, i64, i64)>,
}

impl Board {
    /// The file below a state directory; without one acknowledgements end with the console.
    pub fn new(state: Option<&Path>) -> Self {
        let worker = worker();
        Self {
            path: state.map(|state| state.join(FILE)),
            by: format!("{}@{}", worker.user, worker.host),
            seen: None,
        }
    }

    /// What the file says, if it is not what was read last.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn news(&mut self) -> Result<Option<Acknowledgements>, String> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        let state = fs::metadata(path).ok();
        let state = state.map(|file| (file.ino(), file.mtime(), file.mtime_nsec()));
        if state == self.seen {
            return Ok(None);
        }
        self.seen = state;
        read(path).map(Some)
    }

    /// Carries out orders; gives what is in the file then.
    ///
    /// # Errors
    /// Why it was not written.
    pub fn write(&mut self, orders: Vec<Order>) -> Result<Option<Acknowledgements>, String> {
        let Some(path) = &self.path else {
            return Err(
                "there is no directory to keep acknowledgements in (HOME is not set): \
                 this one ends with the console"
                    .to_owned(),
            );
        };
        let failed = |error: io::Error| format!("{} cannot be written: {error}", path.display());
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        // An empty data base beside it is the lock, which ends with the process whatever happens.
        let unlocked = |error: rusqlite::Error| format!("{} cannot be locked: {error}", path.display());
        let mut lock = Connection::open(path.with_extension("lock")).map_err(unlocked)?;
        lock.busy_timeout(PATIENCE).map_err(unlocked)?;
        let held = lock
            .transaction_with_behavior(TransactionBehavior::Exclusive)
            .map_err(unlocked)?;
        let mut known = read(path)?;
        let mut changed = false;
        for mut order in orders {
            if let Order::Take(_, one) = &mut order
                && one.by.is_empty()
            {
                one.by.clone_from(&self.by);
            }
            changed |= known.apply(order);
        }
        if changed {
            let text = serde_json::to_vec_pretty(&known).map_err(|error| error.to_string())?;
            write_private(path, &text).map_err(failed)?;
        }
        held.rollback().map_err(unlocked)?;
        Ok(Some(known))
    }
}

fn read(path: &Path) -> Result<Acknowledgements, String> {
    let failed = |why: &dyn std::fmt::Display| {
        format!(
            "{} cannot be understood ({why}): move it away to begin anew",
            path.display()
        )
    };
    match fs::metadata(path) {
        Ok(file) if file.len() > LARGEST => return Err(failed(&"it is too large")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Acknowledgements::default()),
        _ => {}
    }
    let text = fs::read(path).map_err(|error| failed(&error))?;
    serde_json::from_slice(&text).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{AlertKey, Severity, acknowledge::Acknowledgement};

    fn take(number: u64) -> Order {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let one = Acknowledgement {
            by: String::new(),
            at,
            comment: "known".to_owned(),
            severity: Severity::Warning,
            seen: at,
        };
        Order::Take(AlertKey(number), one)
    }

    #[test]
    fn two_consoles_lose_nothing_of_each_other_and_it_survives() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("below");
        std::thread::scope(|scope| {
            for half in 0..2 {
                let state = &state;
                scope.spawn(move || {
                    let mut board = Board::new(Some(state));
                    for number in 0..20 {
                        board.write(vec![take(number * 2 + half)]).unwrap();
                    }
                });
            }
        });
        let mut later = Board::new(Some(&state));
        let known = later.news().unwrap().unwrap();
        assert_eq!(known.len(), 40);
        let one = known.get(AlertKey(7), Severity::Warning).unwrap();
        assert!(one.by.contains('@'), "{}", one.by);
        assert_eq!(later.news().unwrap(), None, "nothing new");
        let mut other = Board::new(Some(&state));
        other.write(vec![Order::TakeBack(AlertKey(7))]).unwrap();
        assert_eq!(later.news().unwrap().unwrap().len(), 39);
    }

    #[test]
    fn a_file_that_is_broken_is_told_of_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "{\"a\": 1").unwrap();
        let mut board = Board::new(Some(folder.path()));
        assert!(board.news().unwrap_err().contains("move it away"));
        assert_eq!(board.news(), Ok(None), "it is told once");
        assert!(board.write(vec![take(1)]).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\": 1");
        let mut nowhere = Board::new(None);
        assert_eq!(nowhere.news(), Ok(None));
        assert!(nowhere.write(vec![take(1)]).is_err());
    }
}
