//! What is known of its node.

use super::*;

pub(super) fn node_feeds(world: &mut World, text: &str) {
    let node = || "pve1".into();
    world.ok(
        Feed::NodeStatus(node()),
        Payload::NodeStatus(NodeDetail {
            version: Some("pve-manager/9.2.11/14a22df35955d97d".into()),
            kernel: Some("Linux 6.17.2-1-pve #1 SMP PREEMPT_DYNAMIC".into()),
            load: Some([1.25, 0.9, 0.7]),
            cpu_model: Some("AMD EPYC 7313P 16-Core Processor".into()),
            sockets: Some(1),
            cores: Some(16),
            cpus: Some(32),
            io_wait: Some(0.012),
            memory: Some((26 * GIB, 32 * GIB)),
            swap: Some((GIB, 8 * GIB)),
            rootfs: Some((20 * GIB, 94 * GIB)),
            ksm_shared: Some(0),
            uptime: Some(270_000),
            boot: Some("efi, secure boot off".into()),
            ..NodeDetail::default()
        }),
    );
    let service = |name: &str, state: &str, unit: &str| Service {
        name: name.into(),
        description: format!("{name} daemon").into(),
        state: state.into(),
        active: None,
        unit: Some(unit.into()),
    };
    world.ok(
        Feed::NodeServices(node()),
        Payload::NodeServices(vec![
            service("chrony", "running", "enabled"),
            service("pvestatd", "dead", "enabled"),
            service("postfix", "dead", "disabled"),
        ]),
    );
    world.ok(
        Feed::NodeCertificates(node()),
        Payload::NodeCertificates(vec![Certificate {
            file: "pve-ssl.pem".into(),
            subject: "/CN=pve1".into(),
            issuer: "/CN=Proxmox Virtual Environment".into(),
            fingerprint: "AB:CD:EF".into(),
            san: vec!["pve1".into(), "192.0.2.11".into()],
            not_before: Some(at(86_400)),
            not_after: Some(at(-12 * 86_400)),
        }]),
    );
    world.ok(
        Feed::NodeUpdates(node()),
        Payload::NodeUpdates(vec![PackageUpdate {
            package: "pve-manager".into(),
            old: Some("9.2.11".into()),
            new: "9.2.12".into(),
            origin: Some("Proxmox".into()),
        }]),
    );
    node_lists(world, text);
}

fn node_lists(world: &mut World, text: &str) {
    let node = || "pve1".into();
    world.ok(
        Feed::NodeDisks(node()),
        Payload::NodeDisks(vec![Disk {
            device: "/dev/nvme0n1".into(),
            kind: Some("nvme".into()),
            model: Some(text.into()),
            serial: Some("S4EV".into()),
            size: Some(477 * GIB),
            health: Some("FAILED".into()),
            life_left: Some(8.0),
            used: Some("LVM".into()),
        }]),
    );
    world.ok(
        Feed::NodeNetwork(node()),
        Payload::NodeNetwork(vec![NetworkInterface {
            name: "vmbr0".into(),
            kind: "bridge".into(),
            active: true,
            addresses: vec!["192.0.2.11/24".into()],
            gateway: Some("192.0.2.1".into()),
            ports: Some("eno1".into()),
            comment: Some(text.into()),
        }]),
    );
    world.ok(
        Feed::NodeSubscription(node()),
        Payload::NodeSubscription(Subscription {
            status: "notfound".into(),
            product: None,
            next_due: None,
        }),
    );
    world.ok(
        Feed::NodeReplication(node()),
        Payload::NodeReplication(vec![ReplicationJob {
            id: "104-0".into(),
            guest: Vmid(104),
            source: Some("pve1".into()),
            target: "pve2".into(),
            schedule: Some("*/15".into()),
            last_sync: Some(at(3_600)),
            next_sync: Some(at(-600)),
            fail_count: 3,
            error: Some("no route to host".into()),
            disabled: false,
        }]),
    );
    world.ok(
        Feed::NodeTime(node()),
        Payload::NodeTime(pvedeck::domain::node::Clock {
            time: at(4 + 90),
            zone: None,
        }),
    );
    world.ok(
        Feed::NodeSyslog(node()),
        Payload::NodeSyslog(vec![
            "Mar 01 14:02:11 pve1 systemd[1]: Started.".into(),
            text.into(),
        ]),
    );
}
