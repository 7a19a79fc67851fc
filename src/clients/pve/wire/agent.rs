//! What the guest agent of a machine tells: files and commands.

use serde::Deserialize;

use super::{
    Broken, Envelope,
    lenient::{Flag, Int, Text},
    said,
};
use crate::domain::guest::{CommandEnd, CommandStatus};

#[derive(Deserialize, Default)]
#[serde(default)]
struct File<'a> {
    #[serde(borrow)]
    content: Text<'a>,
    truncated: Flag,
}

/// `…/agent/file-read`: half a file is none.
pub(in super::super) fn file(envelope: &Envelope<'_>) -> Result<Box<str>, Broken> {
    let file: File<'_> = envelope.object()?;
    if file.truncated.yes() {
        return Err(Broken("the file is too long to be read as a whole".to_owned()));
    }
    Ok(said(file.content).unwrap_or_default())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    exited: Flag,
    exitcode: Int,
    #[serde(borrow, rename = "out-data")]
    out: Text<'a>,
    #[serde(borrow, rename = "err-data")]
    err: Text<'a>,
}

/// `…/agent/exec-status`.
pub(in super::super) fn status(envelope: &Envelope<'_>) -> Result<CommandStatus, Broken> {
    let status: Status<'_> = envelope.object()?;
    let end = status.exited.yes().then(|| CommandEnd {
        code: status.exitcode.0,
        out: said(status.out).unwrap_or_default(),
        err: said(status.err).unwrap_or_default(),
    });
    Ok(CommandStatus { end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::proxmox::envelope::envelope;

    #[test]
    fn a_command_runs_until_it_exited() {
        let read = |body: &str| status(&envelope(body).unwrap()).unwrap().end;
        assert_eq!(read(r#"{"data":{"exited":0}}"#), None);
        let end = read(r#"{"data":{"exited":1,"exitcode":0,"out-data":"added\n"}}"#).unwrap();
        assert_eq!((end.code, &*end.out), (Some(0), "added\n"));
        assert_eq!(read(r#"{"data":{"exited":1,"signal":9}}"#).unwrap().code, None);
    }

    #[test]
    fn half_a_file_is_none() {
        let read = |body: &str| file(&envelope(body).unwrap());
        assert_eq!(
            &*read(r#"{"data":{"content":"a\n","bytes-read":2}}"#).unwrap(),
            "a\n"
        );
        assert!(read(r#"{"data":{"content":"a","truncated":1}}"#).is_err());
    }
}
