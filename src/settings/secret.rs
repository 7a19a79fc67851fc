//! Files that hold secrets. What others can read is not a secret: such a file is refused, with the command that
//! mends it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use secrecy::SecretString;

use super::problem::Problem;

/// Far above any token, password or configuration file.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a text file and says whether others can read it too. The mode is that of the file that was opened,
/// whatever happens to the path meanwhile.
pub(super) fn read_text(path: &Path) -> io::Result<(String, bool)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut text = String::new();
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    Ok((text, readable_by_others(&metadata)))
}

#[cfg(unix)]
fn readable_by_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_: &std::fs::Metadata) -> bool {
    false
}

/// The sentence about a file that others can read.
pub(super) fn exposed(path: &Path) -> String {
    format!(
        "holds a secret and others can read it; run: chmod 600 {}",
        shell_word(path)
    )
}

/// A path as a shell takes it.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The first line of a secret file, without blanks around it.
///
/// # Errors
/// The file cannot be read, is empty, or others can read it.
pub fn read_secret(path: &Path) -> Result<SecretString, Problem> {
    let (text, exposed_to_others) =
        read_text(path).map_err(|error| Problem::whole(path.display(), cannot_read(&error)))?;
    if exposed_to_others {
        return Err(Problem::whole(path.display(), exposed(path)));
    }
    match text.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => Ok(SecretString::from(line)),
        None => Err(Problem::whole(path.display(), "the secret file is empty")),
    }
}

/// Why a file cannot be read, in plain words.
pub(super) fn cannot_read(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "cannot be read: permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory, not a file".to_owned(),
        io::ErrorKind::InvalidData => "is not a text file (UTF-8)".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_secret_is_its_first_line_and_stays_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it's a token");
        fs::write(&path, "\n  hidden \nsecond\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = read_secret(&path).unwrap_err().to_string();
        assert!(
            refused.contains("chmod 600 '") && refused.contains(r"it'\''s a token'"),
            "{refused}"
        );
        assert!(!refused.contains("hidden"));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let secret = read_secret(&path).unwrap();
        assert_eq!(secret.expose_secret(), "hidden");
        assert!(!format!("{secret:?}").contains("hidden"));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let said = |path: &Path| read_secret(path).unwrap_err().message;
        assert_eq!(said(&dir.path().join("none")), "there is no such file");
        assert_eq!(said(dir.path()), "is a directory, not a file");
        let empty = dir.path().join("empty");
        fs::write(&empty, " \n").unwrap();
        fs::set_permissions(&empty, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(said(&empty), "the secret file is empty");
    }
}
