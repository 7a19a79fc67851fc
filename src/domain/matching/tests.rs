//! Ways of finding, clusters, hosts, and many of all.

use proptest::prelude::*;

use super::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

fn map(entries: &[(&str, &str)]) -> LabelMap {
    LabelMap::parse(entries.iter().copied()).unwrap()
}

fn guest(vmid: u32, name: &str) -> Subject {
    Subject {
        clusters: vec!["prod".into()],
        kind: Some(GuestKind::Qemu),
        vmid: Some(Vmid(vmid)),
        name: Some(name.into()),
        node: Some("pve1".into()),
        storage: None,
        addresses: vec!["192.0.2.10".into(), "2001:db8::10".into()],
    }
}

fn found(maps: &[LabelMap], subject: &Subject, series: &[Labels]) -> Found {
    let series: Vec<&Labels> = series.iter().collect();
    find(maps, "cluster", std::slice::from_ref(subject), &series).remove(0)
}

#[test]
fn by_vmid_name_address_or_a_map() {
    let series = [
        labels(&[("id", "qemu/100")]),
        labels(&[("id", "lxc/100")]),
        labels(&[("vmid", "100"), ("object", "qemu")]),
        labels(&[("instance", "WEB01.example.com:9100")]),
        labels(&[("instance", "192.0.2.10:9100")]),
        labels(&[("instance", "[2001:db8::10]:9100")]),
        labels(&[("instance", "web011:9100")]),
        labels(&[("guest", "web01")]),
    ];
    let guest = guest(100, "web01");
    for (entries, places) in [
        (&[("id", "{kind}/{vmid}")][..], &[0][..]),
        (&[("vmid", "{vmid}")], &[2]),
        (&[("object", "{kind}"), ("vmid", "{vmid}")], &[2]),
        (&[("instance", "{host}")], &[3, 4, 5]),
        (&[("guest", "{name}")], &[7]),
    ] {
        assert_eq!(
            found(&[map(entries)], &guest, &series),
            Found::Series(places.to_vec()),
            "{entries:?}"
        );
    }
}

#[test]
fn the_first_way_that_finds_any_is_taken_and_the_others_are_told() {
    let maps = [map(&[("vmid", "{vmid}")]), map(&[("instance", "{host}")])];
    let series = [labels(&[("instance", "web01:9100")])];
    assert_eq!(
        found(&maps, &guest(100, "web01"), &series),
        Found::Series(vec![0])
    );
    let mut nobody = guest(7, "db");
    nobody.addresses.clear();
    let nothing = found(&maps, &nobody, &series);
    assert_eq!(
        nothing.to_string(),
        "no series found, tried vmid=\"7\"; instance of db"
    );
    nobody.name = None;
    let nothing = found(&maps, &nobody, &series).to_string();
    assert!(nothing.ends_with("instance (too little is known)"), "{nothing}");
}

#[test]
fn another_cluster_is_never_taken() {
    let maps = [map(&[("id", "{kind}/{vmid}")])];
    let series = [
        labels(&[("id", "qemu/100"), ("cluster", "lab")]),
        labels(&[("id", "qemu/100"), ("cluster", "prod")]),
        labels(&[("id", "qemu/100")]),
    ];
    assert_eq!(found(&maps, &guest(100, "x"), &series), Found::Series(vec![1, 2]));
}

#[test]
fn domains_count_where_both_sides_have_one() {
    for (a, b, same) in [
        ("pve1", "pve1.example.com", true),
        ("pve1.example.com", "pve1", true),
        ("pve1.a.com", "pve1.b.com", false),
        ("pve1", "pve10", false),
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "192", false),
    ] {
        assert_eq!(same_host(a, b), same, "{a} {b}");
    }
}

#[test]
fn selectors_are_promql() {
    let guest = guest(100, "web.01");
    let selector = |entries: &[(&str, &str)]| map(entries).selector(&guest).unwrap();
    assert_eq!(selector(&[("id", "{kind}/{vmid}")]), "id=\"qemu/100\"");
    assert_eq!(
        selector(&[("instance", "{host}")]),
        "instance=~\"(?i:\\\\[?(web|192\\\\.0\\\\.2\\\\.10|2001:db8::10)\\\\]?)([.][^:]*)?(:[0-9]+)?\""
    );
    assert_eq!(
        map(&[("object", "nodes"), ("host", "{node}")]).selector_of_all(),
        "object=\"nodes\", host!=\"\""
    );
    let storage = map(&[("storage", "{storage}")]);
    assert_eq!(storage.selector(&guest), None, "a guest is no storage");
}

#[test]
fn what_is_no_map_is_said() {
    for (entries, said) in [
        (&[("a b", "{vmid}")][..], "name of a label"),
        (&[("a", "{vmdi}")], "allowed: {kind}, {vmid}"),
        (&[("a", "{vmid")], "without its"),
        (&[("a", "x{host}")], "stands alone"),
        (&[("a", "")], "empty"),
        (&[], "at least one"),
    ] {
        let error = LabelMap::parse(entries.iter().copied()).unwrap_err();
        assert!(error.contains(said), "{entries:?}: {error}");
    }
}

#[test]
fn thousands_meet_thousands() {
    let maps = [map(&[("cluster_node", "{node}"), ("vmid", "{vmid}")])];
    let subjects: Vec<Subject> = (0..5000).map(|vmid| guest(vmid, "x")).collect();
    let series: Vec<Labels> = (0..5000)
        .map(|vmid: u32| labels(&[("cluster_node", "pve1"), ("vmid", &vmid.to_string())]))
        .collect();
    let series: Vec<&Labels> = series.iter().collect();
    let found = find(&maps, "cluster", &subjects, &series);
    let right = |(place, found): (usize, &Found)| *found == Found::Series(vec![place]);
    assert!(found.iter().enumerate().all(right));
}

proptest! {
    #[test]
    fn the_index_finds_what_looking_at_all_finds(
        names in prop::collection::vec("(a|b|a\\.x|A\\.y|10\\.0\\.0\\.1)(:[0-9]{2})?", 0..12),
        name in "(a|b|a\\.x|10\\.0\\.0\\.1)",
    ) {
        let series: Vec<Labels> = names.iter().map(|name| labels(&[("instance", name)])).collect();
        let subject = Subject { name: Some(name.as_str().into()), ..Subject::default() };
        let map = map(&[("instance", "{host}")]);
        let wanted = map.wanted(&subject).unwrap();
        let all: Vec<usize> = (0..series.len())
            .filter(|&place| fits(&wanted, &subject, "cluster", &series[place]))
            .collect();
        match found(&[map], &subject, &series) {
            Found::Series(places) => prop_assert_eq!(places, all),
            Found::Nothing { .. } => prop_assert!(all.is_empty()),
        }
    }
}
