//! Recordings of consoles: asciicast v2, what was written and how big the terminal was.
//!
//! What always holds here: what is typed is not recorded, for it may be a secret; nobody else may read the file; a
//! recording that breaks off is a good one as far as it goes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Instant,
};

use jiff::Timestamp;
use serde_json::json;

/// A recording under way.
#[derive(Debug)]
pub struct Recording {
    file: File,
    path: PathBuf,
    started: Instant,
    /// The beginning of a character whose rest has not come yet.
    partial: Vec<u8>,
}

impl Recording {
    /// Begins a recording in a new file of a directory.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(directory: &Path, title: &str, size: (u16, u16)) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let now = Timestamp::now();
        let stamp = now.strftime("%Y%m%d-%H%M%S");
        let name: String = title
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(60)
            .collect();
        // Two recordings may begin within a second.
        for number in 0..100 {
            let more = if number == 0 {
                String::new()
            } else {
                format!("-{number}")
            };
            let path = directory.join(format!("{name}-{stamp}{more}.cast"));
            match Self::create(&path, title, size) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                begun => return begun,
            }
        }
        Err(io::Error::other("there are too many of this second already"))
    }

    /// Begins a recording in this file, which must not exist yet.
    ///
    /// # Errors
    /// If it exists or cannot be written.
    pub fn create(path: &Path, title: &str, (columns, rows): (u16, u16)) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut recording = Self {
            file,
            path: path.to_owned(),
            started: Instant::now(),
            partial: Vec::new(),
        };
        let head = json!({
            "version": 2,
            "width": columns,
            "height": rows,
            "timestamp": Timestamp::now().as_second(),
            "title": title,
            "env": {"TERM": "xterm-256color"},
        });
        recording.line(&head.to_string())?;
        Ok(recording)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The guest wrote.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn wrote(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut all = std::mem::take(&mut self.partial);
        all.extend_from_slice(bytes);
        self.partial = all.split_off(whole(&all));
        if all.is_empty() {
            return Ok(());
        }
        self.event("o", &String::from_utf8_lossy(&all))
    }

    /// The terminal has another size.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn resized(&mut self, columns: u16, rows: u16) -> io::Result<()> {
        self.event("r", &format!("{columns}x{rows}"))
    }

    fn event(&mut self, kind: &str, data: &str) -> io::Result<()> {
        let seconds = (self.started.elapsed().as_secs_f64() * 1e6).round() / 1e6;
        let line = json!([seconds, kind, data]).to_string();
        self.line(&line)
    }

    /// One write a line: what is on disk is whole lines.
    fn line(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}

/// How many of the bytes are whole characters: the last may have been cut off on its way.
fn whole(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    for at in (tail..bytes.len()).rev() {
        let needs = match bytes[at] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            // In the middle of a character: its beginning lies before.
            0x80..=0xbf => continue,
            _ => return bytes.len(),
        };
        return if at + needs > bytes.len() { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::Value;

    use super::*;

    #[test]
    fn a_recording_reads_back_and_is_nobody_elses() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("recordings");
        let mut recording = Recording::begin(&below, "104 web/01", (120, 40)).unwrap();
        // A character that comes in two pieces is one; what is none at all becomes a sign for it.
        recording.wrote(b"a\xe6\x97").unwrap();
        recording.wrote(b"\xa5\xff\r\n").unwrap();
        recording.resized(80, 24).unwrap();
        let path = recording.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(
            path.to_string_lossy().contains("104-web-01-"),
            "{}",
            path.display()
        );
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            (&lines[0]["version"], &lines[0]["width"], &lines[0]["height"]),
            (&json!(2), &json!(120), &json!(40))
        );
        assert!(lines[0]["timestamp"].is_i64());
        let events: Vec<(&str, &str)> = lines[1..]
            .iter()
            .map(|event| (event[1].as_str().unwrap(), event[2].as_str().unwrap()))
            .collect();
        assert_eq!(events, [("o", "a"), ("o", "日\u{fffd}\r\n"), ("r", "80x24")]);
        let times: Vec<f64> = lines[1..]
            .iter()
            .map(|event| event[0].as_f64().unwrap())
            .collect();
        assert!(times.is_sorted() && times[0] >= 0.0, "{times:?}");
        // The next one of the same second has a name of its own.
        let other = Recording::begin(&below, "104 web/01", (120, 40)).unwrap();
        assert_ne!(other.path(), path);
        assert!(
            Recording::create(&path, "x", (1, 1)).is_err(),
            "nothing is overwritten"
        );
    }

    #[test]
    fn only_the_last_character_waits() {
        for (bytes, count) in [
            (&b"abc"[..], 3),
            (b"ab\xc3", 2),
            (b"ab\xc3\xbc", 4),
            (b"\xf0\x9f\x98", 0),
            (b"\xf0\x9f\x98\x80", 4),
            (b"\x80\x80\x80\x80", 4),
            (b"", 0),
        ] {
            assert_eq!(whole(bytes), count, "{bytes:?}");
        }
    }
}
