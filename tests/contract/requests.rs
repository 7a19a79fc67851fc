//! Every request that the client can make exists in the schema, with these parameters.

use pvedeck::{
    clients::{pbs, pve::request},
    domain::{Console, GuestKind, Vmid},
    plan::calls,
};

use crate::{schema::Schema, support::reference::skipped};

/// What version 8 does not know; there the reader asks for groups instead, and moves containers without asking.
const NEW_IN_9: [&str; 2] = ["/cluster/ha/rules", "/nodes/pve1/lxc/104/migrate"];

#[test]
fn every_request_fits_the_schema() {
    let Some(schemas) = Schema::both() else {
        return skipped("requests against the schema");
    };
    let samples = request::catalogue();
    assert!(samples.len() > 35, "only {} samples", samples.len());
    let complaints: String = schemas
        .iter()
        .flat_map(|schema| {
            samples
                .iter()
                .filter(|sample| !(schema.name.starts_with("pve-8") && NEW_IN_9.contains(&&*sample.path)))
                .map(|sample| schema.complaints(sample.method, &sample.path, &sample.query))
        })
        .collect();
    assert!(complaints.is_empty(), "\n{complaints}");
}

#[test]
fn every_request_to_a_backup_server_fits_its_schema() {
    let Some(schema) = Schema::backup_server() else {
        return skipped("requests to a Backup Server against its schema");
    };
    let samples = pbs::request::catalogue();
    assert!(samples.len() > 15, "only {} samples", samples.len());
    let complaints: String = samples
        .iter()
        .map(|sample| schema.complaints(sample.method, &sample.path, &sample.query))
        .collect();
    assert!(complaints.is_empty(), "\n{complaints}");
    let nonsense = [("nonsense", "1".to_owned())];
    assert!(
        schema
            .complaints("GET", "/admin/datastore", &nonsense)
            .contains("unknown parameter")
    );
}

#[test]
fn every_call_to_a_backup_server_fits_its_schema() {
    let Some(schema) = Schema::backup_server() else {
        return skipped("calls to a Backup Server against its schema");
    };
    let calls = pvedeck::plan::server_calls::catalogue();
    assert!(calls.len() >= 10, "only {} calls", calls.len());
    let complaints: String = calls
        .iter()
        .map(|call| {
            let params = call.params.iter();
            let params: Vec<(&str, String)> =
                params.map(|(name, value)| (&**name, value.to_string())).collect();
            schema.complaints(call.method.as_str(), &call.path(), &params)
        })
        .collect();
    assert!(complaints.is_empty(), "\n{complaints}");
}

#[test]
fn every_call_of_a_plan_fits_the_schema() {
    let Some(schemas) = Schema::both() else {
        return skipped("calls against the schema");
    };
    let calls = calls::catalogue();
    assert!(calls.len() > 20, "only {} calls", calls.len());
    let complaints: String = schemas
        .iter()
        .flat_map(|schema| {
            calls.iter().map(|call| {
                let params: Vec<(&str, String)> = call
                    .shown()
                    .map(|(name, value)| (name, value.to_string()))
                    .collect();
                schema.complaints(call.method.as_str(), &call.path(), &params)
            })
        })
        .collect();
    assert!(complaints.is_empty(), "\n{complaints}");
}

#[test]
fn every_console_fits_the_schema() {
    let Some(schemas) = Schema::both() else {
        return skipped("consoles against the schema");
    };
    let guest = |kind, serial| Console::Guest {
        node: "pve1".into(),
        kind,
        vmid: Vmid(104),
        serial,
    };
    let consoles = [
        Console::Node("pve1".into()),
        guest(GuestKind::Lxc, None),
        guest(GuestKind::Qemu, None),
        guest(GuestKind::Qemu, Some(3)),
    ];
    let ticket = [
        ("port", "5900".to_owned()),
        ("vncticket", "PVEVNC:6B0135DE::x".to_owned()),
    ];
    for (schema, console) in schemas
        .iter()
        .flat_map(|schema| consoles.iter().map(move |one| (schema, one)))
    {
        let opening = console.opening();
        let complaints = schema.complaints(opening.method.as_str(), &opening.path(), &[])
            + &schema.complaints("GET", &console.socket_path(), &ticket);
        assert!(complaints.is_empty(), "{complaints}");
    }
}

#[test]
fn the_client_only_reads_and_signs_in() {
    for sample in request::catalogue() {
        let sign_in = (sample.method, &*sample.path) == ("POST", "/access/ticket");
        assert!(sample.method == "GET" || sign_in, "{sample:?}");
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    let Some(schemas) = Schema::both() else {
        return skipped("the check of requests");
    };
    let schema = &schemas[0];
    let one = |name, value: &str| [(name, value.to_owned())];
    for (method, path, query, complaint) in [
        ("GET", "/nodes/pve1/nonsense", vec![], "there is no `nonsense`"),
        ("PUT", "/version", vec![], "there is no PUT"),
        (
            "GET",
            "/version",
            one("foo", "1").into(),
            "unknown parameter `foo`",
        ),
        (
            "GET",
            "/nodes/pve1/tasks",
            one("source", "some").into(),
            "is none of",
        ),
        ("GET", "/nodes/pve1/tasks", one("limit", "-1").into(), "is not in"),
        ("GET", "/nodes/pve1/qemu/99/config", vec![], "is not in"),
        (
            "GET",
            "/nodes/pve1/qemu/100/config",
            one("current", "yes").into(),
            "is no boolean",
        ),
        (
            "POST",
            "/access/ticket",
            one("username", "root@pam").into(),
            "`password` is missing",
        ),
    ] {
        let complaints = schema.complaints(method, path, &query);
        assert!(complaints.contains(complaint), "{method} {path}: {complaints}");
    }
}
