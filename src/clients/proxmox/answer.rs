//! What an answer means: a body to decode, or which error.
//!
//! Proxmox VE words its errors in the reason phrase and mostly again as `message`; 400 adds `errors` by parameter.
//! A Backup Server gives a plain reason phrase and words its errors in the body, which is text, whatever its type says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::envelope::Broken;
use crate::clients::{Error, http::Answer};

/// The body of a good answer.
pub(in crate::clients) fn body(answer: Answer) -> Result<Vec<u8>, Error> {
    if answer.status == 200 && !answer.html && !begins_like_html(&answer.body) {
        return Ok(answer.body);
    }
    Err(error(&answer))
}

fn error(answer: &Answer) -> Error {
    let address = &answer.address;
    let status = answer.status;
    if answer.html || begins_like_html(&answer.body) {
        // A gateway in front words its troubles as a page; those pass.
        return match status {
            502..=504 => Error::Server {
                status,
                message: answer.reason.clone(),
            },
            _ => Error::Malformed {
                message: format!("{address} answers with a web page, not with the API"),
            },
        };
    }
    if let Some(location) = &answer.location {
        return Error::Malformed {
            message: format!("{address} sends us elsewhere, to {location}"),
        };
    }
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let message = worded(answer, &told);
    match status {
        400 if is_missing_permission(&message) => Error::NotAllowed { message },
        400 if is_unknown(&message) => Error::NotAvailable { message },
        400 => parameter(&message, &told),
        401 => refused(message),
        403 => Error::NotAllowed { message },
        404 | 501 => Error::NotAvailable { message },
        595..=599 => Error::NodeAway { status, message },
        500 if is_absence(&message) => Error::NotAvailable { message },
        402..=594 => Error::Server { status, message },
        _ => Error::Malformed {
            message: format!("{address} answers with the status {status} ({message})"),
        },
    }
}

/// The server's words for what went wrong.
pub(in crate::clients) fn message(answer: &Answer) -> String {
    worded(answer, &serde_json::from_slice(&answer.body).unwrap_or_default())
}

fn worded(answer: &Answer, told: &Value) -> String {
    let told = told
        .get("message")
        .and_then(Value::as_str)
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let plain = match std::str::from_utf8(&answer.body) {
        Ok(text) if told.is_none() && serde_json::from_str::<Value>(text).is_err() => Some(text.trim()),
        _ => None,
    };
    let told = told.or(plain.filter(|text| !text.is_empty()));
    // It becomes part of a sentence of ours, which ends by itself.
    match told.unwrap_or(&answer.reason).trim().trim_end_matches(['.', '!']) {
        "" => "no reason given".to_owned(),
        message => message.to_owned(),
    }
}

/// 401 to a request that carried a proof.
pub(in crate::clients) fn refused(message: String) -> Error {
    Error::SignIn {
        message,
        advice: "Check user, realm and secret; they may have expired or been disabled".to_owned(),
    }
}

fn parameter(message: &str, told: &Value) -> Error {
    let mut parameters = BTreeMap::new();
    for (name, what) in told
        .get("errors")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let what = what
            .as_str()
            .map_or_else(|| what.to_string(), |text| text.trim().to_owned());
        parameters.insert(name.clone(), what);
    }
    if parameters.get("upid").is_some_and(|what| what == "no such task") {
        return Error::NotAvailable {
            message: "no such task".to_owned(),
        };
    }
    let message = message.trim_end_matches('.').to_owned();
    Error::Parameter { message, parameters }
}

/// A Backup Server says some refusals with 400.
fn is_missing_permission(message: &str) -> bool {
    message.starts_with("missing permissions '") || message == "permission check failed"
}

/// Whether a Backup Server's 400 says that the thing asked for is not there, or cannot be used now.
fn is_unknown(message: &str) -> bool {
    [
        "no such datastore '",
        "no such ",
        "ENOENT: ",
        "unable to open chunk store '",
    ]
    .iter()
    .any(|sign| message.starts_with(sign))
        || message.contains(" maintenance mode:")
}

/// Whether a 500 says that the thing asked for is not there.
fn is_absence(message: &str) -> bool {
    const SIGNS: [&str; 9] = [
        "does not exist",
        "hostname lookup",
        "No QEMU guest agent configured",
        "QEMU guest agent is not running",
        "have been migrated to rules",
        "no such",
        "not running",
        "is not installed",
        "The command guest-network-get-interfaces",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}

fn begins_like_html(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// The error for an answer that cannot be decoded.
pub(in crate::clients) fn malformed(
    address: &impl std::fmt::Display,
    path: &str,
    body: &[u8],
    why: &Broken,
) -> Error {
    let last = body.iter().rfind(|byte| !byte.is_ascii_whitespace());
    let message = if matches!(last, None | Some(b'}' | b']')) {
        format!("{address} answered {path} in a way that cannot be understood ({why})")
    } else {
        format!("the answer of {address} to {path} broke off ({why})")
    };
    Error::Malformed { message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::http::Address;

    fn answer(status: u16, reason: &str, body: &str) -> Answer {
        Answer {
            status,
            reason: reason.to_owned(),
            body: body.as_bytes().to_vec(),
            html: false,
            location: None,
            address: Address::parse("pve1", 8006).unwrap(),
        }
    }

    #[test]
    fn the_reason_phrase_alone_tells() {
        let error = body(answer(403, "Permission check failed (/, Sys.Audit)", "")).unwrap_err();
        assert_eq!(
            error,
            Error::NotAllowed {
                message: "Permission check failed (/, Sys.Audit)".into()
            }
        );
        let error = body(answer(595, "No route to host", "")).unwrap_err();
        assert_eq!(
            error,
            Error::NodeAway {
                status: 595,
                message: "No route to host".into()
            }
        );
    }

    #[test]
    fn parameters_are_named() {
        let told = r#"{"data":null,"errors":{"foo":"not in schema\n"},"message":"Parameter verification failed.\n"}"#;
        let Error::Parameter { message, parameters } = body(answer(400, "x", told)).unwrap_err() else {
            panic!()
        };
        assert_eq!(
            (message.as_str(), parameters["foo"].as_str()),
            ("Parameter verification failed", "not in schema")
        );
    }

    #[test]
    fn a_backup_server_says_it_in_the_body() {
        let said = |status, text: &str| body(answer(status, "Bad Request", text)).unwrap_err();
        for (status, text) in [
            (403, "permission check failed"),
            (
                400,
                "missing permissions 'Datastore.Verify' on '/datastore/backup1'",
            ),
            (400, "permission check failed"),
        ] {
            let error = said(status, text);
            assert_eq!(error, Error::NotAllowed { message: text.into() });
        }
        for text in [
            "no such datastore 'nosuch'",
            "ENOENT: No such file or directory",
            "datastore 'backup2' is in offline maintenance mode: disk swap",
        ] {
            assert_eq!(said(400, text), Error::NotAvailable { message: text.into() });
        }
        let text = "parameter verification failed - 'id': value must be at least 3 characters long";
        assert!(matches!(said(400, text), Error::Parameter { message, .. } if message == text));
        let error = said(401, "authentication failed - invalid token name");
        assert!(error.to_string().contains("invalid token name"), "{error}");
    }

    #[test]
    fn pages_are_told_from_answers() {
        for (status, page) in [(200, "<!DOCTYPE html><p>hi"), (404, "\n<html>"), (200, "  <?xml")] {
            let error = body(answer(status, "OK", page)).unwrap_err();
            assert!(
                matches!(&error, Error::Malformed { message } if message.contains("web page")),
                "{error:?}"
            );
            assert!(error.to_string().contains("8006"), "{error}");
        }
        assert!(matches!(
            body(answer(502, "Bad Gateway", "<html>")),
            Err(Error::Server { status: 502, .. })
        ));
    }
}
