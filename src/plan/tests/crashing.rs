//! A process that dies at every write into the journal and at every call: whoever goes on brings about the planned
//! world, and nothing twice.

use std::collections::HashSet;

use super::{
    arguments, configure, estate, nodes, plan as plan_of,
    running::{Desk, Fake, State, all_done, plan as three_starts, planned_world},
    target,
};
use crate::plan::{Deed, Plan, runner::Options};

/// Kills the run at its first point, then at its second, and so on; gives how many points there were.
async fn dies_everywhere(plan: &Plan, past: impl Fn() -> State, at_once: usize) -> usize {
    let options = Options {
        at_once,
        go_on: false,
        wait: true,
    };
    let mut deaths = 0;
    loop {
        let desk = Desk::new(plan, options);
        let first = Fake::new(past(), Some(deaths));
        if desk.run(&first).await.is_some() {
            return deaths;
        }
        // It dies a second time on its way, and then comes through.
        let second = Fake::new(first.into_state(), Some(deaths / 2));
        let mut outcomes = desk.run(&second).await;
        let third = Fake::new(second.into_state(), None);
        if outcomes.is_none() {
            outcomes = desk.run(&third).await;
        }
        assert!(all_done(&outcomes.unwrap()), "{} died at {deaths}", plan.title);
        let done = third.state().done.clone();
        keeps_order(plan, &done);
        let (mut done, mut planned) = (done, planned_world(plan));
        if at_once > 1 {
            done.sort();
            planned.sort();
        }
        assert_eq!(done, planned, "{} died at {deaths}", plan.title);
        assert_eq!(desk.word(), "done");
        deaths += 1;
    }
}

/// Nothing was done before what it needs.
fn keeps_order(plan: &Plan, done: &[String]) {
    let mut over: HashSet<String> = HashSet::new();
    for call in done {
        let step = plan
            .steps
            .iter()
            .find(|step| step.call.to_string() == *call)
            .unwrap();
        for need in &step.needs {
            let before = plan.steps[*need].call.to_string();
            assert!(over.contains(&before), "{call} came before {before}");
        }
        over.insert(call.clone());
    }
}

#[tokio::test]
async fn three_steps_that_need_nothing() {
    let (plan, _) = three_starts();
    for at_once in [1, 3] {
        let points = dies_everywhere(&plan, || three_starts().1, at_once).await;
        assert!(points >= 12, "only {points} points were tried");
    }
}

#[tokio::test]
async fn steps_that_wait_for_others() {
    // Clones of one source are made one after the other: their tasks look alike but for their order.
    let mut store = estate(|_| {});
    configure(&mut store, 101, &[]);
    let clones = plan_of(
        Deed::GuestClone,
        &[target(101)],
        &arguments(&[("count", "3")]),
        &store,
    )
    .unwrap();
    assert!(clones.steps.iter().skip(1).all(|step| !step.needs.is_empty()));
    let delete = plan_of(
        Deed::GuestDelete,
        &[target(100), target(102)],
        &arguments(&[("stop", "1")]),
        &store,
    )
    .unwrap();
    assert_eq!(delete.steps[3].needs, [2]);
    for plan in [clones, delete] {
        for at_once in [1, 2] {
            let points = dies_everywhere(&plan, State::default, at_once).await;
            assert!(points >= 12, "only {points} points were tried");
        }
    }
}

#[tokio::test]
async fn an_evacuation_with_a_diamond_of_needs() {
    let mut plan = nodes::evacuated(&nodes::estate(|_| {}));
    assert_eq!(plan.steps.len(), 4);
    // Both in the middle wait for the first, the last for both.
    plan.steps[1].needs = vec![0];
    plan.steps[2].needs = vec![0];
    plan.steps[3].needs = vec![1, 2];
    for at_once in [1, 2, 4] {
        let points = dies_everywhere(&plan, State::default, at_once).await;
        assert!(points >= 16, "only {points} points were tried");
    }
}
