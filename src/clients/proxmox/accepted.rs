//! What became of a call that writes.

use serde::Deserialize;

use super::{answer, auth::Session};
use crate::{
    clients::{
        Error,
        http::{Answer, Lost, Writer},
    },
    domain::{Call, Upid},
};

/// What the server did with a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// It began a task. That says nothing of how the task will end.
    Task(Upid),
    /// It began a command inside a guest, with this process number.
    Command(u64),
    /// It is done.
    Done,
}

/// Why a call was not accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotAccepted {
    /// The server refused it, or it never got there: nothing was done.
    Refused(Error),
    /// No answer came, or none that says what was done: timeout, connection cut, 596.
    Unknown(Error),
}

/// Sends a call, once.
pub(in crate::clients) async fn send(
    session: &Session,
    writer: &Writer,
    call: &Call,
) -> Result<Accepted, NotAccepted> {
    if let Some(name) = call.lost_secret() {
        let message = format!("`{name}` of {call} is not known any more");
        return Err(NotAccepted::Refused(Error::Setup { message }));
    }
    let ready = session
        .ready(&writer.reader())
        .await
        .map_err(NotAccepted::Refused)?;
    match writer.send(call, &ready.proof, ready.csrf.as_ref()).await {
        Ok(answer) => accepted(answer, &call.path()),
        Err(Lost::Unsent(error)) => Err(NotAccepted::Refused(error)),
        Err(Lost::Perhaps(error)) => Err(NotAccepted::Unknown(error)),
    }
}

/// `data` of an answer to a write: a UPID, or something that only says that it is done.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    data: serde_json::Value,
}

fn accepted(answer: Answer, path: &str) -> Result<Accepted, NotAccepted> {
    // 595: no connection to the node came about. What comes after the connection may have been heard there; the same
    // is true of a gateway in between.
    let lost = matches!(answer.status, 596..=599 | 502..=504 | 200);
    let address = answer.address.clone();
    let body = answer::body(answer).map_err(|error| {
        if lost {
            NotAccepted::Unknown(error)
        } else {
            NotAccepted::Refused(error)
        }
    })?;
    let envelope: Envelope = serde_json::from_slice(&body).map_err(|_| {
        NotAccepted::Unknown(Error::Malformed {
            message: format!("{address} answered {path} in a way that cannot be understood"),
        })
    })?;
    match envelope.data.as_str() {
        Some(text) if text.starts_with("UPID:") => text.parse().map(Accepted::Task).map_err(|error| {
            NotAccepted::Unknown(Error::Malformed {
                message: format!("{address} answered {path} with {error}"),
            })
        }),
        _ => match envelope.data.get("pid").and_then(serde_json::Value::as_u64) {
            Some(pid) => Ok(Accepted::Command(pid)),
            None => Ok(Accepted::Done),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::http::Address;

    fn judged(status: u16, body: &str) -> Result<Accepted, NotAccepted> {
        let answer = Answer {
            status,
            reason: "reason".to_owned(),
            body: body.as_bytes().to_vec(),
            html: false,
            location: None,
            address: Address::parse("pve1", 8006).unwrap(),
        };
        accepted(answer, "/nodes/pve1/qemu/104/status/start")
    }

    #[test]
    fn a_task_is_told_from_an_answer_without_one() {
        let upid = "UPID:pve1:000002CE:000041E6:6B0135DE:qmstart:104:root@pam:";
        let Ok(Accepted::Task(task)) = judged(200, &format!(r#"{{"data":"{upid}"}}"#)) else {
            panic!("no task")
        };
        assert_eq!(task.as_str(), upid);
        assert_eq!(
            judged(200, r#"{"data":{"pid":4711}}"#),
            Ok(Accepted::Command(4711))
        );
        for done in [r#"{"data":null}"#, r#"{"data":"text"}"#, r#"{"success":1}"#] {
            assert_eq!(judged(200, done), Ok(Accepted::Done), "{done}");
        }
    }

    #[test]
    fn what_may_have_been_done_is_never_called_refused() {
        for (status, body) in [
            (596, ""),
            (597, ""),
            (599, ""),
            (502, "<html>"),
            (504, ""),
            (200, "<html>"),
            (200, r#"{"data":"UPID:pve1:000"#),
            (200, r#"{"data":"UPID:nonsense"}"#),
        ] {
            assert!(
                matches!(judged(status, body), Err(NotAccepted::Unknown(_))),
                "{status} {body}"
            );
        }
        for status in [400, 401, 403, 404, 500, 501, 595] {
            assert!(
                matches!(judged(status, ""), Err(NotAccepted::Refused(_))),
                "{status}"
            );
        }
    }
}
