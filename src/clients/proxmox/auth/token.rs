//! API tokens, written down or printed by a command.

use std::{process::Stdio, str::FromStr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::{io::AsyncReadExt, process::Command};

use super::Scheme;
use crate::clients::{Error, http::Proof};

/// `user@realm!name=secret`.
#[derive(Clone, Debug)]
pub struct ApiToken {
    id: String,
    secret: SecretString,
}

impl ApiToken {
    /// From its two halves, `user@realm!name` and the secret.
    ///
    /// # Errors
    /// [`Error::Setup`] if it cannot be one. The message does not show it.
    pub fn new(id: &str, secret: SecretString) -> Result<Self, Error> {
        let bad = |why: &str| Error::Setup {
            message: format!("the API token is not usable: {why}. It has the form user@realm!name=secret"),
        };
        let id = id.trim();
        let (user, name) = id
            .split_once('!')
            .ok_or_else(|| bad("there is no `!` between user and token name"))?;
        if !user.contains('@') {
            return Err(bad("its user has no realm"));
        }
        if name.is_empty() || secret.expose_secret().is_empty() {
            return Err(bad("a part is missing"));
        }
        if !format!("{id}{}", secret.expose_secret())
            .bytes()
            .all(|byte| byte.is_ascii_graphic())
        {
            return Err(bad(
                "it holds spaces, line breaks or other signs that no token has",
            ));
        }
        Ok(Self {
            id: id.to_owned(),
            secret,
        })
    }

    /// `user@realm!name`, which is no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn proof(&self, scheme: Scheme) -> Proof {
        Proof::Authorization(scheme.token(&self.id, self.secret.expose_secret()).into())
    }
}

impl FromStr for ApiToken {
    type Err = Error;

    /// Reads the whole token; the header's `PVEAPIToken=` or `PBSAPIToken=` may stand in front.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let text = text
            .strip_prefix("PVEAPIToken=")
            .or_else(|| text.strip_prefix("PBSAPIToken="))
            .unwrap_or(text);
        // A Backup Server writes a colon between the halves.
        let (id, secret) = text.split_once(['=', ':']).unwrap_or((text, ""));
        Self::new(id, secret.to_owned().into())
    }
}

/// A command whose first line of output is an API token: a password manager, a secret store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenCommand {
    /// Program and arguments; no shell is involved.
    pub argv: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// More than any token has.
const LONGEST_OUTPUT: u64 = 64 << 10;

impl TokenCommand {
    /// Runs it. Our own secrets are not in its environment; its error output is discarded, for it would be drawn
    /// over the screen.
    pub(super) async fn run(&self) -> Result<ApiToken, Error> {
        let program = self.argv.first().map_or("", String::as_str);
        let failed = |why: String| Error::SignIn {
            message: format!("the token command `{program}` {why}"),
            advice: "Run it by hand: its first line of output must be user@realm!name=secret".to_owned(),
        };
        if program.is_empty() {
            return Err(failed("is empty".to_owned()));
        }
        let mut command = Command::new(program);
        command
            .args(&self.argv[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PVEDECK_"))
        {
            command.env_remove(name);
        }
        let run = async {
            let mut child = command
                .spawn()
                .map_err(|e| failed(format!("cannot be started: {e}")))?;
            let mut output = Vec::new();
            if let Some(stdout) = child.stdout.take() {
                let read = stdout.take(LONGEST_OUTPUT).read_to_end(&mut output).await;
                read.map_err(|e| failed(format!("cannot be read from: {e}")))?;
            }
            let status = child.wait().await.map_err(|e| failed(format!("got lost: {e}")))?;
            Ok::<_, Error>((status, output))
        };
        let (status, output) = match tokio::time::timeout(self.timeout, run).await {
            Ok(outcome) => outcome?,
            Err(_) => return Err(failed(format!("took longer than {} s", self.timeout.as_secs()))),
        };
        if !status.success() {
            return Err(failed(format!("failed ({status})")));
        }
        let output = String::from_utf8_lossy(&output);
        let first = output.lines().next().unwrap_or_default();
        first
            .parse()
            .map_err(|_| failed("printed something that is no API token".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "root@pam!deck=8a8f9c1e-0000-4000-8000-0123456789ab";

    fn command(argv: &[&str]) -> TokenCommand {
        TokenCommand {
            argv: argv.iter().map(ToString::to_string).collect(),
            timeout: Duration::from_secs(20),
        }
    }

    #[test]
    fn tokens_are_read_and_never_shown() {
        for text in [
            TOKEN.to_owned(),
            format!("PVEAPIToken={TOKEN}\n"),
            format!("PBSAPIToken={}", TOKEN.replace('=', ":")),
        ] {
            let token: ApiToken = text.parse().unwrap();
            assert_eq!(token.id(), "root@pam!deck");
            for (scheme, expected) in [
                (Scheme::Ve, format!("PVEAPIToken={TOKEN}")),
                (
                    Scheme::BackupServer,
                    format!("PBSAPIToken={}", TOKEN.replace('=', ":")),
                ),
            ] {
                let Proof::Authorization(header) = token.proof(scheme) else {
                    panic!()
                };
                assert_eq!(header.expose_secret(), expected);
                assert!(!format!("{token:?} {:?}", token.proof(scheme)).contains("8a8f"));
            }
        }
        for bad in [
            "",
            "root@pam",
            "root!deck=hunter2",
            "root@pam!=hunter2",
            "root@pam!deck=",
            "root@pam!deck=hunter2\nx",
        ] {
            let error = bad.parse::<ApiToken>().unwrap_err();
            assert!(
                matches!(error, Error::Setup { .. }) && !error.to_string().contains("hunter2"),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn a_command_prints_a_token() {
        let token = command(&["printf", &format!("{TOKEN}\nsecond line\n")])
            .run()
            .await
            .unwrap();
        assert_eq!(token.id(), "root@pam!deck");
    }

    #[tokio::test]
    async fn a_command_that_fails_tells_why_and_shows_nothing() {
        for (argv, why) in [
            (vec!["/nonexistent/tool"], "cannot be started"),
            (vec!["false"], "failed"),
            (vec!["echo", "hunter2"], "no API token"),
            (vec![], "is empty"),
        ] {
            let error = command(&argv).run().await.unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
        }
        let slow = TokenCommand {
            timeout: Duration::from_millis(30),
            ..command(&["sleep", "60"])
        };
        assert!(slow.run().await.unwrap_err().to_string().contains("took longer"));
    }
}
