//! Firewalls: rules, security groups, sets of addresses, aliases and options.

use serde_json::json;

use crate::support::caller::Estate;

#[tokio::test]
async fn a_security_group_is_made_filled_attached_and_removed() {
    let estate = Estate::new().await;
    let groups = "/cluster/firewall/groups";
    estate
        .admin
        .call("POST", groups, &[("group", "web"), ("comment", "c")])
        .await
        .data();
    let again = estate.admin.call("POST", groups, &[("group", "web")]).await;
    assert_eq!(again.error("group"), "Security group 'web' already exists");
    let web = format!("{groups}/web");
    let form = [("type", "in"), ("action", "ACCEPT"), ("dport", "80")];
    let bare = estate.admin.call("POST", &web, &form).await;
    assert_eq!(
        bare.error("proto"),
        "missing property - 'dport' requires this property"
    );
    let form = [
        ("type", "in"),
        ("action", "ACCEPT"),
        ("proto", "tcp"),
        ("dport", "80,443"),
        ("enable", "1"),
    ];
    estate.admin.call("POST", &web, &form).await.data();
    let rules = estate.admin.get(&web).await;
    assert_eq!(
        (&rules[0]["pos"], &rules[0]["dport"], &rules[0]["enable"]),
        (&json!(0), &json!("80,443"), &json!(1))
    );
    let full = estate.admin.refused("DELETE", &web, &[]).await;
    assert_eq!(full, (500, "Security group 'web' is not empty".to_owned()));
    let vm = estate.guest("qemu", "stopped", |_| true).await;
    let own = format!("{vm}/firewall/rules");
    estate
        .admin
        .call(
            "POST",
            &own,
            &[("type", "group"), ("action", "web"), ("enable", "1")],
        )
        .await
        .data();
    assert_eq!(estate.admin.get(&own).await[0]["action"], "web");
    estate.admin.call("DELETE", &format!("{web}/0"), &[]).await.data();
    estate.admin.call("DELETE", &web, &[]).await.data();
    let gone = estate.admin.refused("GET", &web, &[]).await;
    assert_eq!(gone, (500, "no such security group 'web'".to_owned()));
}

#[tokio::test]
async fn rules_move_change_and_go_by_position_and_digest() {
    let estate = Estate::new().await;
    let rules = "/cluster/firewall/rules";
    let wrong = estate
        .admin
        .call("POST", rules, &[("type", "in"), ("action", "MAYBE")])
        .await;
    assert_eq!(wrong.error("action"), "unknown action 'MAYBE'");
    estate
        .admin
        .call(
            "POST",
            rules,
            &[("type", "in"), ("action", "ACCEPT"), ("macro", "HTTPS")],
        )
        .await
        .data();
    let rows = estate.admin.get(rules).await;
    assert_eq!(
        (&rows[0]["macro"], &rows[0]["enable"]),
        (&json!("HTTPS"), &json!(0))
    );
    let stale = [
        ("comment", "z2"),
        ("digest", "0000000000000000000000000000000000000000"),
    ];
    let refused = estate.admin.refused("PUT", &format!("{rules}/0"), &stale).await;
    assert_eq!(
        refused,
        (
            500,
            "detected modified configuration - file changed by other user? Try again.".to_owned()
        )
    );
    let missing = estate
        .admin
        .refused("PUT", &format!("{rules}/7"), &[("comment", "zz")])
        .await;
    assert_eq!(missing, (500, "no rule at position 7".to_owned()));
    let digest = rows[0]["digest"].as_str().unwrap();
    let form = [("comment", "zz"), ("enable", "1"), ("digest", digest)];
    estate
        .admin
        .call("PUT", &format!("{rules}/0"), &form)
        .await
        .data();
    estate
        .admin
        .call("PUT", &format!("{rules}/0"), &[("moveto", "2")])
        .await
        .data();
    assert_eq!(estate.admin.get(&format!("{rules}/1")).await["comment"], "zz");
    estate
        .admin
        .call("DELETE", &format!("{rules}/1"), &[])
        .await
        .data();
    assert_eq!(estate.admin.get(rules).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn sets_and_aliases_are_known_to_rules() {
    let estate = Estate::new().await;
    let vm = estate.guest("qemu", "stopped", |_| true).await;
    let rules = format!("{vm}/firewall/rules");
    let form = [
        ("type", "in"),
        ("action", "ACCEPT"),
        ("macro", "SSH"),
        ("source", "+dc/blk2"),
    ];
    let unknown = estate.admin.call("POST", &rules, &form).await;
    assert_eq!(unknown.error("source"), "no such ipset 'blk2'");
    estate
        .admin
        .call("POST", "/cluster/firewall/ipset", &[("name", "blk2")])
        .await
        .data();
    estate.admin.call("POST", &rules, &form).await.data();
    let set = "/cluster/firewall/ipset/blk2";
    estate
        .admin
        .call("POST", set, &[("cidr", "192.0.2.0/24"), ("nomatch", "1")])
        .await
        .data();
    let again = estate.admin.call("POST", set, &[("cidr", "192.0.2.0/24")]).await;
    assert_eq!(again.error("cidr"), "address '192.0.2.0/24' already exists");
    assert_eq!(estate.admin.get(set).await[0]["nomatch"], 1);
    let full = estate.admin.refused("DELETE", set, &[]).await;
    assert_eq!(full, (500, "IPSet 'blk2' is not empty".to_owned()));
    estate
        .admin
        .call("DELETE", &format!("{set}/192.0.2.0%2F24"), &[])
        .await
        .data();
    estate.admin.call("DELETE", set, &[]).await.data();
    let aliases = "/cluster/firewall/aliases";
    let bad = estate
        .admin
        .call("POST", aliases, &[("name", "lan2"), ("cidr", "nope")])
        .await;
    assert_eq!(
        bad.error("cidr"),
        "invalid format - value does not look like a valid IP address or CIDR network\n"
    );
    estate
        .admin
        .call("POST", aliases, &[("name", "lan"), ("cidr", "10.0.0.0/24")])
        .await
        .data();
    let again = estate
        .admin
        .call("POST", aliases, &[("name", "lan"), ("cidr", "10.0.0.0/24")])
        .await;
    assert_eq!(again.error("name"), "alias 'lan' already exists");
    assert_eq!(estate.admin.get(aliases).await[0]["ipversion"], 4);
    assert_eq!(
        estate.admin.get("/cluster/firewall/refs").await,
        json!([{"type": "alias", "name": "lan", "ref": "lan", "scope": "dc"}])
    );
    let options = format!("{vm}/firewall/options");
    estate
        .admin
        .call("PUT", &options, &[("enable", "1"), ("policy_in", "DROP")])
        .await
        .data();
    let now = estate.admin.get(&options).await;
    assert_eq!((&now["enable"], &now["policy_in"]), (&json!(1), &json!("DROP")));
    estate
        .admin
        .call("PUT", &options, &[("delete", "policy_in")])
        .await
        .data();
    assert!(estate.admin.get(&options).await.get("policy_in").is_none());
}
