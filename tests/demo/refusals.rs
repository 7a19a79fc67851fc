//! What the demo refuses, in the words that real servers were heard to use.

use serde_json::{Value, json};

use crate::support::caller::{Caller, Estate};

#[tokio::test]
#[allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "one table of recorded refusals"
)]
async fn refusals_are_worded_as_recorded() {
    let estate = Estate::new().await;
    let (datacentre, admin) = (&estate.demo, &estate.admin);
    let prod = datacentre.production();
    let auditor = Caller::new(prod, Some(&prod.auditor_token()));
    let nobody = Caller::new(prod, Some(&prod.token_of("nobody@pve")));
    let stranger = Caller::new(prod, None);
    let resources = admin.get("/cluster/resources").await;
    let guest = resources
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["vmid"] == 100)
        .unwrap();
    let node = guest["node"].as_str().unwrap();
    let vm = format!("/nodes/{node}/qemu/100");
    let cases: &[(&Caller, &str, String, &[(&str, &str)], u16, &str)] = &[
        (&stranger, "GET", "/version".into(), &[], 401, "No ticket"),
        (&stranger, "GET", "/nosuch".into(), &[], 401, "No ticket"),
        (
            admin,
            "GET",
            "/nosuch".into(),
            &[],
            501,
            "Method 'GET /nosuch' not implemented",
        ),
        (
            admin,
            "POST",
            "/version".into(),
            &[],
            501,
            "Method 'POST /version' not implemented",
        ),
        (
            admin,
            "GET",
            "/version".into(),
            &[("foo", "1")],
            400,
            "Parameter verification failed.",
        ),
        (
            admin,
            "GET",
            format!("/nodes/{node}/qemu/9999/config"),
            &[],
            500,
            &format!("Configuration file 'nodes/{node}/qemu-server/9999.conf' does not exist"),
        ),
        (
            admin,
            "GET",
            "/cluster/ha/groups".into(),
            &[],
            500,
            "cannot index groups: ha groups have been migrated to rules",
        ),
        (
            admin,
            "GET",
            "/nodes/nosuch/qemu".into(),
            &[],
            500,
            "hostname lookup 'nosuch' failed - failed to get address info for: nosuch: Temporary failure in name resolution",
        ),
        (
            admin,
            "PUT",
            format!("{vm}/config"),
            &[("digest", "x"), ("description", "d")],
            500,
            "checksum mismatch (file change by other user?)",
        ),
        (
            admin,
            "PUT",
            format!("{vm}/config"),
            &[("args", "-x")],
            500,
            "only root can set 'args' config",
        ),
        (
            admin,
            "POST",
            format!("{vm}/status/start"),
            &[("skiplock", "1")],
            400,
            "Parameter verification failed.",
        ),
        (
            admin,
            "POST",
            format!("/nodes/{node}/qemu"),
            &[("vmid", "100")],
            500,
            &format!("unable to create VM 100 - VM 100 already exists on node '{node}'"),
        ),
        (
            &auditor,
            "POST",
            format!("{vm}/status/start"),
            &[],
            403,
            "Permission check failed (/vms/100, VM.PowerMgmt)",
        ),
        (
            &auditor,
            "DELETE",
            vm.clone(),
            &[],
            403,
            "Permission check failed (/vms/100, VM.Allocate)",
        ),
        (
            &auditor,
            "POST",
            format!("{vm}/clone"),
            &[("newid", "702")],
            403,
            "Permission check failed (/vms/100, VM.Clone)",
        ),
        (
            &auditor,
            "POST",
            format!("/nodes/{node}/qemu"),
            &[("vmid", "700")],
            403,
            "Permission check failed",
        ),
        (
            &auditor,
            "GET",
            "/nodes/pve1/syslog".into(),
            &[],
            403,
            "Permission check failed (/nodes/pve1, Sys.Syslog)",
        ),
        (
            &auditor,
            "POST",
            "/pools".into(),
            &[("poolid", "zz")],
            403,
            "Permission check failed (/pool/zz, Pool.Allocate)",
        ),
        (
            &nobody,
            "GET",
            "/cluster/status".into(),
            &[],
            403,
            "Permission check failed (/, Sys.Audit)",
        ),
        (
            &nobody,
            "GET",
            format!("{vm}/config"),
            &[],
            403,
            "Permission check failed (/vms/100, VM.Audit)",
        ),
    ];
    for (caller, verb, path, form, status, reason) in cases {
        let answer = caller.call(verb, path, form).await;
        assert_eq!(
            (answer.status, answer.reason.as_str()),
            (*status, *reason),
            "{verb} {path}"
        );
        if answer.status == 401 {
            assert_eq!(answer.body, Value::Null);
        }
    }
    for path in [
        "/cluster/tasks",
        "/cluster/log",
        "/storage",
        "/pools",
        "/nodes/pve1/qemu",
    ] {
        assert_eq!(nobody.get(path).await, json!([]), "{path}");
    }
    assert_eq!(nobody.get("/access/permissions").await, json!({}));
    assert_eq!(nobody.get("/nodes").await.as_array().unwrap().len(), 3);
    let powerless = Caller::new(prod, Some(&prod.powerless_token()));
    assert_eq!(powerless.get("/access/permissions").await, json!({}));
}
