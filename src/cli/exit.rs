//! How a command ends: exit codes that scripts rely on, and the sentence on stderr.

use std::{fmt, io, process::ExitCode};

use crate::{
    settings::{Problem, Problems},
    ui::safe::clean,
};

/// The exit codes. Their numbers are part of the interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Code {
    /// It did not work.
    Failed = 1,
    /// Wrong usage, or a configuration with a mistake.
    Usage = 2,
    /// No Proxmox VE API answers there, or not the trusted one.
    Unreachable = 3,
    /// The sign-in or a privilege was refused.
    NotAllowed = 4,
    /// There is no such thing.
    NotFound = 5,
    /// Refused by read-only, or nobody has confirmed.
    Refused = 6,
    /// The answer did not come in time.
    TimedOut = 7,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// Why a command ended without success.
#[derive(Debug)]
pub struct Failure {
    /// What scripts see.
    pub code: Code,
    /// What people see; empty if all has been said.
    pub message: String,
}

impl Failure {
    /// A failure with a sentence: cause and next step.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }

    /// A failure of which everything has been said already.
    pub fn said(code: Code) -> Self {
        Self {
            code,
            message: String::new(),
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::new(Code::Usage, problems)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::new(Code::Usage, problem)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Code::Failed, format!("{error:#}"))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Code::Failed, error)
    }
}

/// Says something to the person, on stderr. Text of others in it is made harmless; the lines are ours.
pub fn talk(message: impl fmt::Display) {
    use io::Write as _;
    let message = message.to_string();
    let mut stderr = io::stderr().lock();
    for line in message.lines() {
        // Where nobody listens, nothing can be said about it either.
        let _ = writeln!(stderr, "{}", clean(line));
    }
}
