//! The calls that deeds consist of, built without I/O.
//!
//! What always holds here: [`catalogue`] holds a sample of each, so that the contract test sees them all.

use crate::domain::{Call, GuestKind, Method, NodeName, Upid, Vmid};

/// Where a guest's path begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At<'a> {
    /// The node that it is on.
    pub node: &'a NodeName,
    /// Machine or container.
    pub kind: GuestKind,
    /// Its number.
    pub vmid: Vmid,
}

impl At<'_> {
    fn call(self, method: Method, rest: &[&str]) -> Call {
        let vmid = self.vmid.to_string();
        let mut segments = vec!["nodes", self.node.as_str(), self.kind.as_str(), &vmid];
        segments.extend(rest);
        Call::new(method, &segments)
    }
}

/// `…/status/{verb}`: start, shutdown, reboot, stop, reset (machines only), suspend, resume.
pub fn power(at: At<'_>, verb: &str) -> Call {
    at.call(Method::Post, &["status", verb])
}

/// `POST …/snapshot`.
pub fn snapshot_create(at: At<'_>, name: &str) -> Call {
    at.call(Method::Post, &["snapshot"]).with("snapname", name)
}

/// `POST …/snapshot/{name}/rollback`.
pub fn snapshot_rollback(at: At<'_>, name: &str) -> Call {
    at.call(Method::Post, &["snapshot", name, "rollback"])
}

/// `DELETE …/snapshot/{name}`.
pub fn snapshot_delete(at: At<'_>, name: &str) -> Call {
    at.call(Method::Delete, &["snapshot", name])
}

/// `POST …/migrate`: running, a machine moves as it runs and a container restarts on the other side.
pub fn migrate(at: At<'_>, target: &str, running: bool) -> Call {
    let call = at.call(Method::Post, &["migrate"]).with("target", target);
    match (running, at.kind) {
        (false, _) => call,
        (true, GuestKind::Qemu) => call.with("online", "1"),
        (true, GuestKind::Lxc) => call.with("restart", "1"),
    }
}

/// `POST …/clone`: into a VMID that nobody has.
pub fn clone(at: At<'_>, new: Vmid) -> Call {
    at.call(Method::Post, &["clone"]).with("newid", &new.to_string())
}

/// `POST …/template`.
pub fn template(at: At<'_>) -> Call {
    at.call(Method::Post, &["template"])
}

/// `PUT …/resize`: to a size, or with `+` by that much.
pub fn resize(at: At<'_>, disk: &str, size: &str) -> Call {
    at.call(Method::Put, &["resize"])
        .with("disk", disk)
        .with("size", size)
}

/// `POST …/move_disk` of a machine, `POST …/move_volume` of a container.
pub fn move_disk(at: At<'_>, disk: &str, storage: &str) -> Call {
    let (verb, name) = match at.kind {
        GuestKind::Qemu => ("move_disk", "disk"),
        GuestKind::Lxc => ("move_volume", "volume"),
    };
    at.call(Method::Post, &[verb])
        .with(name, disk)
        .with("storage", storage)
}

/// `PUT …/config`: it is done when it is answered. (`POST …/config`, for machines alone, does the same in a task; it
/// is for changes that allocate disks, which take longer than an answer may.)
pub fn config(at: At<'_>) -> Call {
    at.call(Method::Put, &["config"])
}

/// `DELETE …`: the guest and its disks.
pub fn delete(at: At<'_>) -> Call {
    at.call(Method::Delete, &[])
}

/// `PUT …/config` with the keys that cloud-init gives a machine; without a value they are removed. The value is
/// percent-encoded: so the server wants it, whatever encodes it on the way there.
pub fn ssh_keys(at: At<'_>, value: Option<&str>, digest: Option<&str>) -> Call {
    let call = at.call(Method::Put, &["config"]);
    let call = match value {
        Some(value) => call.with("sshkeys", value),
        None => call.with("delete", "sshkeys"),
    };
    match digest {
        Some(digest) => call.with("digest", digest),
        None => call,
    }
}

/// `POST …/agent/exec`: a command inside a machine.
pub fn agent_exec(at: At<'_>, command: &[&str]) -> Call {
    let call = at.call(Method::Post, &["agent", "exec"]);
    command.iter().fold(call, |call, word| call.with("command", word))
}

/// `…/firewall/…` of a guest: `rules`, `rules/{pos}`, `options`.
pub fn firewall(at: At<'_>, method: Method, rest: &[&str]) -> Call {
    at.call(method, &[&["firewall"], rest].concat())
}

/// `POST /nodes/{node}/status`: shutdown, reboot.
pub fn node_power(node: &NodeName, command: &str) -> Call {
    Call::new(Method::Post, &["nodes", node.as_str(), "status"]).with("command", command)
}

/// `POST /nodes/{node}/wakeonlan`: another node sends the packet.
pub fn node_wake(node: &NodeName) -> Call {
    Call::new(Method::Post, &["nodes", node.as_str(), "wakeonlan"])
}

/// `POST /nodes/{node}/services/{service}/{verb}`: start, stop, restart, reload.
pub fn node_service(node: &NodeName, service: &str, verb: &str) -> Call {
    Call::new(Method::Post, &["nodes", node.as_str(), "services", service, verb])
}

/// `DELETE /nodes/{node}/tasks/{upid}`.
pub fn task_stop(upid: &Upid) -> Call {
    Call::new(
        Method::Delete,
        &["nodes", upid.node.as_str(), "tasks", upid.as_str()],
    )
}

/// A sample of every call, with every parameter that deeds give it.
pub fn catalogue() -> Vec<Call> {
    let node = NodeName::from("pve1");
    let mut all = Vec::new();
    for kind in [GuestKind::Qemu, GuestKind::Lxc] {
        let at = At {
            node: &node,
            kind,
            vmid: Vmid(104),
        };
        for verb in ["start", "stop", "suspend", "resume"] {
            all.push(power(at, verb));
        }
        all.push(power(at, "shutdown").with("timeout", "60").with("forceStop", "1"));
        all.push(power(at, "reboot").with("timeout", "60"));
        let create = snapshot_create(at, "before-upgrade").with("description", "why");
        all.push(match kind {
            GuestKind::Qemu => create.with("vmstate", "1"),
            GuestKind::Lxc => create,
        });
        all.push(snapshot_rollback(at, "before-upgrade"));
        all.push(snapshot_delete(at, "before-upgrade"));
        let rule = firewall(at, Method::Post, &["rules"]).with("enable", "1");
        all.push(
            rule.clone()
                .with("type", "group")
                .with("action", "web")
                .with("iface", "net0"),
        );
        let open = rule
            .with("type", "in")
            .with("action", "ACCEPT")
            .with("proto", "tcp");
        all.push(
            open.with("source", "192.0.2.0/24")
                .with("dport", "22")
                .with("comment", "why"),
        );
        let digest = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        all.push(
            firewall(at, Method::Put, &["rules", "0"])
                .with("enable", "1")
                .with("digest", digest),
        );
        all.push(firewall(at, Method::Delete, &["rules", "0"]).with("digest", digest));
        all.push(firewall(at, Method::Put, &["options"]).with("enable", "1"));
        all.push(migrate(at, "pve2", false));
        all.push(migrate(at, "pve2", true));
        all.extend(changes(at));
        if kind == GuestKind::Qemu {
            all.push(power(at, "reset"));
            let suspend = power(at, "suspend").with("todisk", "1");
            all.push(suspend.with("statestorage", "local"));
            all.push(ssh_keys(
                at,
                Some("ssh-ed25519%20AAAA"),
                Some("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ));
            all.push(ssh_keys(at, None, None));
            all.push(agent_exec(
                at,
                &["su", "-s", "/bin/sh", "root", "-c", "echo added"],
            ));
            all.push(migrate(at, "pve2", true).with("with-local-disks", "1"));
        }
    }
    for command in ["shutdown", "reboot"] {
        all.push(node_power(&node, command));
    }
    all.push(node_wake(&node));
    for verb in ["start", "stop", "restart", "reload"] {
        all.push(node_service(&node, "pvestatd", verb));
    }
    if let Ok(upid) = "UPID:pve1:000002CE:000041E6:6B0135DE:qmstart:104:root@pam!test:".parse() {
        all.push(task_stop(&upid));
    }
    all
}

/// Samples of what changes the guest itself.
fn changes(at: At<'_>) -> Vec<Call> {
    const DIGEST: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let qemu = at.kind == GuestKind::Qemu;
    let (name, disk) = if qemu {
        ("name", "scsi0")
    } else {
        ("hostname", "rootfs")
    };
    let clone = clone(at, Vmid(200)).with("full", "1").with("target", "pve2");
    let clone = clone.with("storage", "local").with("pool", "acme");
    let move_disk = move_disk(at, disk, "local").with("delete", "1");
    let options = config(at)
        .with(name, "web-02")
        .with("onboot", "1")
        .with("protection", "1")
        .with("startup", "order=2,up=30");
    let resources = config(at).with("cores", "4").with("memory", "4096");
    let mut all = vec![
        clone
            .with("snapname", "before-upgrade")
            .with("description", "why")
            .with(name, "web-02"),
        template(at),
        resize(at, disk, "+10G").with("digest", DIGEST),
        move_disk.with("digest", DIGEST),
        config(at).with("tags", "prod;web").with("digest", DIGEST),
        config(at).with("delete", "tags,description"),
        config(at).with("description", "two\nlines"),
        delete(at)
            .with("purge", "1")
            .with("destroy-unreferenced-disks", "1"),
    ];
    if qemu {
        all.push(options.with("agent", "enabled=1"));
        all.push(resources.with("sockets", "2"));
        all.push(config(at).with("delete", "lock").with("skiplock", "1"));
        all.push(self::move_disk(at, disk, "local").with("format", "qcow2"));
    } else {
        all.push(options);
        all.push(resources.with("swap", "512"));
    }
    all
}
