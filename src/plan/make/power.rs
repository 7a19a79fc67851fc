//! Start, shut down, reboot, stop, reset, suspend, resume.

use super::{
    super::{Arguments, Deed, Refusal, Risk, Weight, calls},
    Draft,
    guest::On,
};
use crate::domain::Call;

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    let timeout = |call: Call| match on.task.argument("timeout") {
        "" => call,
        seconds => call.with("timeout", seconds),
    };
    let power = |verb: &str| calls::power(on.at(), verb);
    let back = |deed: Deed| Some((deed, Arguments::new()));
    // What HA manages is started, stopped and moved by HA: the task then has another name.
    let (call, proof, back) = match on.task.deed {
        Deed::GuestStart => (
            power("start"),
            on.task_of("start", &["hastart"]),
            back(Deed::GuestShutdown),
        ),
        Deed::GuestShutdown => {
            let call = timeout(power("shutdown"));
            let call = if on.task.flag("force") {
                call.with("forceStop", "1")
            } else {
                call
            };
            // A shutdown of a managed guest is a stop with patience.
            let proof = on.task_of("shutdown", &["hastop", "hashutdown"]);
            (call, proof, back(Deed::GuestStart))
        }
        Deed::GuestReboot => (timeout(power("reboot")), on.task_of("reboot", &[]), None),
        Deed::GuestStop => (
            power("stop"),
            on.task_of("stop", &["hastop"]),
            back(Deed::GuestStart),
        ),
        Deed::GuestReset => (power("reset"), on.task_of("reset", &[]), None),
        Deed::GuestSuspend => (
            power("suspend"),
            on.task_of("suspend", &["qmpause"]),
            back(Deed::GuestResume),
        ),
        Deed::GuestResume => (
            power("resume"),
            on.task_of("resume", &[]),
            back(Deed::GuestSuspend),
        ),
        other => {
            return Err(Refusal::NotPossible(format!(
                "{} is nothing that switches a guest",
                other.name()
            )));
        }
    };
    let mut risks = Vec::new();
    if matches!(on.task.deed, Deed::GuestStop | Deed::GuestReset) {
        risks.push(Risk::new(
            Weight::Danger,
            format!(
                "{} is not asked: what it has not written to disk is lost",
                on.title
            ),
        ));
    }
    Ok(Draft {
        steps: vec![on.task.step(&on.title, call, proof)],
        risks,
        back,
        ..Draft::default()
    })
}
