//! Firewalls of guests: deed and rules against calls and risks.

use super::{arguments, estate, plan as plan_of, read, target};
use crate::{
    domain::{
        Vmid,
        cluster::{Firewall, FirewallGroup, FirewallRule},
        config::GuestConfig,
    },
    plan::{Deed, Plan, Proof, Refusal, Weight, calls},
    store::{Feed, Payload, Store},
};

fn rule(pos: u32, kind: &str, action: &str, demands: &[(&str, &str)]) -> FirewallRule {
    FirewallRule {
        pos: Some(pos),
        kind: kind.into(),
        action: action.into(),
        enabled: true,
        demands: demands
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        comment: None,
        digest: Some("d1".into()),
    }
}

fn ssh(pos: u32) -> FirewallRule {
    rule(pos, "in", "ACCEPT", &[("proto", "tcp"), ("dport", "22")])
}

/// 100 with these rules; everything is switched on and filtered.
fn with(rules: Vec<FirewallRule>, change: impl Fn(&mut Firewall)) -> Store {
    let mut store = estate(|_| {});
    let mut firewall = Firewall {
        enabled: Some(true),
        rules,
        ..Firewall::default()
    };
    let whole = Firewall {
        enabled: Some(true),
        ..Firewall::default()
    };
    read(&mut store, Feed::ClusterFirewall, Payload::Firewall(whole));
    change(&mut firewall);
    read(
        &mut store,
        Feed::GuestFirewall(Vmid(100)),
        Payload::Firewall(firewall),
    );
    let group = FirewallGroup {
        name: "web".into(),
        comment: None,
        rules: Some(vec![rule(
            0,
            "in",
            "ACCEPT",
            &[("proto", "tcp"), ("dport", "80,443")],
        )]),
    };
    read(
        &mut store,
        Feed::FirewallGroups,
        Payload::FirewallGroups(vec![group]),
    );
    nics(&mut store, "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1");
    store
}

fn nics(store: &mut Store, net0: &str) {
    let config = GuestConfig {
        entries: vec![("net0".into(), net0.into())],
        digest: None,
    };
    read(store, Feed::GuestConfig(Vmid(100)), Payload::GuestConfig(config));
}

fn planned(deed: Deed, given: &[(&str, &str)], store: &Store) -> Result<Plan, Refusal> {
    plan_of(deed, &[target(100)], &arguments(given), store)
}

fn line(deed: Deed, given: &[(&str, &str)], store: &Store) -> String {
    match planned(deed, given, store) {
        Ok(plan) if plan.steps.is_empty() => plan.risks[0].text.clone(),
        Ok(plan) => plan.steps[0]
            .call
            .to_string()
            .replace("/nodes/pve1/qemu/100/firewall", ""),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn each_deed_against_what_is_there() {
    let empty = with(Vec::new(), |_| {});
    let mut off = ssh(0);
    off.enabled = false;
    let odd = rule(
        1,
        "in",
        "ACCEPT",
        &[("proto", "tcp"), ("dport", "22"), ("source", "192.0.2.1")],
    );
    let filled = with(vec![rule(0, "group", "web", &[]), odd, ssh(2)], |_| {});
    let asleep = with(vec![off], |_| {});
    let open = Deed::FirewallOpen;
    let group = [("group", "web")];
    for (deed, given, store, expected) in [
        (
            open,
            &[("port", "22")][..],
            &empty,
            "POST /rules enable=1 type=in action=ACCEPT proto=tcp dport=22",
        ),
        (
            open,
            &[
                ("port", "53"),
                ("proto", "udp"),
                ("source", "+mgmt"),
                ("comment", "names"),
            ],
            &empty,
            "POST /rules enable=1 type=in action=ACCEPT proto=udp source=+mgmt dport=53 comment=names",
        ),
        (
            open,
            &[("port", "22")],
            &filled,
            "100 web-100 has this rule already: in ACCEPT tcp dport 22",
        ),
        (
            open,
            &[("port", "22")],
            &asleep,
            "PUT /rules/0 digest=d1 enable=1",
        ),
        (
            Deed::FirewallClose,
            &[("port", "22")],
            &filled,
            "DELETE /rules/2 digest=d1",
        ),
        (
            Deed::FirewallClose,
            &[("port", "22"), ("source", "192.0.2.1")],
            &filled,
            "DELETE /rules/1 digest=d1",
        ),
        (
            Deed::FirewallClose,
            &[("port", "80")],
            &filled,
            "100 web-100 has no such rule: in ACCEPT tcp dport 80",
        ),
        (
            Deed::FirewallGroupAttach,
            &group,
            &empty,
            "POST /rules enable=1 type=group action=web",
        ),
        (
            Deed::FirewallGroupAttach,
            &group,
            &filled,
            "100 web-100 has this rule already: group web",
        ),
        (
            Deed::FirewallGroupAttach,
            &[("group", "web"), ("iface", "net0")],
            &filled,
            "POST /rules enable=1 type=group action=web iface=net0",
        ),
        (
            Deed::FirewallGroupAttach,
            &[("group", "wbe")],
            &empty,
            "there is no security group `wbe`; there are: web",
        ),
        (
            Deed::FirewallGroupDetach,
            &group,
            &filled,
            "DELETE /rules/0 digest=d1",
        ),
        (
            Deed::FirewallEnable,
            &[],
            &empty,
            "the firewall of 100 web-100 is on already",
        ),
        (Deed::FirewallDisable, &[], &empty, "PUT /options enable=0"),
    ] {
        assert_eq!(line(deed, given, store), expected, "{deed:?} {given:?}");
    }
    let unread = estate(|_| {});
    assert!(line(open, &[("port", "22")], &unread).contains("could not be read"));
}

#[test]
fn ports_and_sources_are_checked_before_anything() {
    let store = with(Vec::new(), |_| {});
    for port in ["22", "80,443", "8000:8010", "1,2:3,65535"] {
        assert!(
            planned(Deed::FirewallOpen, &[("port", port)], &store).is_ok(),
            "{port}"
        );
    }
    for port in ["0", "ssh", "22,", "10:5", "65536", "-1", "+22", "22 23", "1:2:3"] {
        let refused = planned(Deed::FirewallOpen, &[("port", port)], &store).unwrap_err();
        assert!(matches!(refused, Refusal::Argument(_)), "{port}: {refused}");
    }
    let spaced = [("port", "22"), ("source", "a b")];
    assert!(matches!(
        planned(Deed::FirewallOpen, &spaced, &store),
        Err(Refusal::Argument(_))
    ));
}

#[test]
fn a_rule_without_effect_is_told() {
    let texts = |store: &Store| {
        let plan = planned(Deed::FirewallOpen, &[("port", "22")], store).unwrap();
        plan.risks
            .iter()
            .map(|risk| risk.text.clone())
            .collect::<Vec<_>>()
    };
    assert!(texts(&with(Vec::new(), |_| {})).is_empty());
    let off = with(Vec::new(), |firewall| firewall.enabled = Some(false));
    assert!(texts(&off)[0].contains("the firewall of 100 web-100 is off"));
    let open = with(Vec::new(), |firewall| firewall.policy_in = Some("ACCEPT".into()));
    assert!(texts(&open)[0].contains("lets everything in anyway"));
    let mut store = with(Vec::new(), |_| {});
    nics(&mut store, "virtio=BC:24:11:00:00:01,bridge=vmbr0");
    let nobody = Firewall {
        enabled: Some(false),
        ..Firewall::default()
    };
    read(&mut store, Feed::ClusterFirewall, Payload::Firewall(nobody));
    let both = texts(&store);
    assert!(both[0].contains("firewall of the datacenter is off"), "{both:?}");
    assert!(
        both[1].contains("nothing filters net0 of 100 web-100"),
        "{both:?}"
    );
}

#[test]
fn who_switches_it_on_is_told_what_gets_lost() {
    let off = |rules: Vec<FirewallRule>, policy: Option<&str>| {
        let store = with(rules, |firewall| {
            firewall.enabled = Some(false);
            firewall.policy_in = policy.map(Into::into);
        });
        planned(Deed::FirewallEnable, &[], &store).unwrap()
    };
    let bare = off(Vec::new(), None);
    assert_eq!(bare.risks[0].weight, Weight::Danger);
    assert!(
        bare.risks[0]
            .text
            .contains("none of its 0 rules lets in is lost (DROP)"),
        "{bare:#?}"
    );
    assert_eq!(off(vec![ssh(0)], Some("REJECT")).risks[0].weight, Weight::Warning);
    assert!(off(Vec::new(), Some("ACCEPT")).risks.is_empty());
    assert!(
        matches!(&bare.steps[0].proof, Proof::Holds { values, .. } if values[0].1.as_deref() == Some("1"))
    );
}

#[test]
fn of_equal_rules_one_goes_at_a_time() {
    let store = with(vec![ssh(0), ssh(1)], |_| {});
    let plan = planned(Deed::FirewallClose, &[("port", "22")], &store).unwrap();
    assert!(plan.risks[0].text.contains("has the rule 2 times"));
    assert_eq!(
        plan.steps[0].proof,
        Proof::Nothing,
        "that one is there afterwards tells nothing"
    );
    let one = planned(
        Deed::FirewallClose,
        &[("port", "22")],
        &with(vec![ssh(0)], |_| {}),
    )
    .unwrap();
    let Proof::Listed { read, row, present } = &one.steps[0].proof else {
        panic!("{one:#?}")
    };
    assert_eq!(
        (read.join("/").as_str(), *present),
        ("nodes/pve1/qemu/100/firewall/rules", false)
    );
    assert!(row.contains(&("dport".into(), "22".into())), "{row:?}");
}

#[test]
fn each_takes_the_other_back_and_is_in_the_catalogue() {
    let known: Vec<String> = calls::catalogue().iter().map(crate::domain::Call::path).collect();
    let empty = with(Vec::new(), |_| {});
    for (deed, given, back) in [
        (
            Deed::FirewallOpen,
            &[("port", "22"), ("comment", "x")][..],
            "guest.firewall.close",
        ),
        (
            Deed::FirewallGroupAttach,
            &[("group", "web")],
            "guest.firewall.group.detach",
        ),
        (Deed::FirewallDisable, &[], "guest.firewall.enable"),
    ] {
        let plan = planned(deed, given, &empty).unwrap();
        let way_back = plan.way_back.unwrap();
        assert_eq!(&*way_back.deed, back);
        assert!(!way_back.arguments.contains_key("comment"));
        let path = plan.steps[0].call.path().replace("100", "104");
        assert!(known.contains(&path), "{path}");
    }
    let nothing = planned(Deed::FirewallEnable, &[], &empty).unwrap();
    assert_eq!(nothing.way_back, None);
}
