//! The users of the estate and what they may do.

use super::seed::Passwords;
use crate::demo::{
    acl::Entry,
    auth::{Token, User},
};

/// The users with their tokens.
pub(super) fn users(passwords: &Passwords) -> Vec<User> {
    let token = |id: &str, secret: &str, privsep| Token {
        id: id.to_owned(),
        secret: secret.to_owned(),
        privsep,
        expire: 0,
        comment: String::new(),
    };
    let user = |id: &str, comment: &str, tokens| User {
        id: id.to_owned(),
        password: passwords.password.clone(),
        enabled: true,
        expire: 0,
        comment: comment.to_owned(),
        totp: None,
        tokens,
    };
    let mut second = user("totp@pve", "signs in with a second factor", Vec::new());
    second.totp = Some(passwords.totp.clone());
    let mut gone = user("gone@pve", "left the company", Vec::new());
    gone.enabled = false;
    let admin = &passwords.admin_token;
    let audit = &passwords.audit_token;
    vec![
        user(
            "root@pam",
            "",
            vec![token("demo", admin, false), token("nothing", admin, true)],
        ),
        user(
            "auditor@pve",
            "reads everything",
            vec![token("demo", audit, false)],
        ),
        user(
            "operator@pve",
            "runs the guests of Acme",
            vec![token("demo", audit, false)],
        ),
        user(
            "power@pve",
            "starts and stops guests, and nothing else",
            vec![token("demo", audit, false)],
        ),
        user(
            "pooladmin@pve",
            "runs the pool of Beta with all that is in it",
            vec![token("demo", audit, false)],
        ),
        user("nobody@pve", "may do nothing", vec![token("demo", audit, false)]),
        second,
        gone,
    ]
}

/// What they may do.
pub(super) fn entries() -> Vec<Entry> {
    let entry = |path: &str, who: &str, role: &str| Entry {
        path: path.to_owned(),
        who: who.to_owned(),
        role: role.to_owned(),
        propagate: true,
    };
    vec![
        entry("/", "auditor@pve", "PVEAuditor"),
        entry("/", "totp@pve", "PVEAuditor"),
        entry("/pool/acme", "operator@pve", "PVEVMAdmin"),
        entry("/vms/101", "operator@pve", "PVEVMUser"),
        entry("/vms", "power@pve", "PowerOperator"),
        entry("/nodes", "power@pve", "PVEAuditor"),
        entry("/pool/beta", "pooladmin@pve", "PVEPoolAdmin"),
        entry("/pool/beta", "pooladmin@pve", "PVEVMAdmin"),
        entry("/storage", "pooladmin@pve", "PVEDatastoreUser"),
        entry("/sdn/zones", "pooladmin@pve", "PVESDNUser"),
    ]
}
