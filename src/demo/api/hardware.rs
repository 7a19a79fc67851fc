//! `/nodes/{node}`: disks, network, devices, certificates, packages.

use serde_json::{Value, json};

use super::Call;
use crate::demo::{
    answer::{Failure, Outcome},
    tls::fingerprint_of_pem,
    world::{guest::hex, host::Node},
};

const PACKAGES: &[(&str, &str, &str, &str)] = &[
    (
        "pve-manager",
        "9.2.11",
        "9.2.13",
        "Proxmox Virtual Environment Management Tools",
    ),
    ("qemu-server", "9.1.6", "9.1.8", "Qemu Server Tools"),
    (
        "pve-qemu-kvm",
        "10.1.2-3",
        "10.1.2-5",
        "Full virtualization on x86 hardware",
    ),
    (
        "pve-container",
        "6.1.2",
        "6.1.3",
        "Proxmox VE Container management tool",
    ),
    (
        "libpve-storage-perl",
        "9.1.4",
        "9.1.5",
        "Proxmox VE storage management library",
    ),
    (
        "proxmox-kernel-6.14",
        "6.14.11-4",
        "6.14.11-5",
        "Latest Proxmox Kernel Image",
    ),
    (
        "openssl",
        "3.5.4-1~deb13u1",
        "3.5.4-1~deb13u2",
        "Secure Sockets Layer toolkit",
    ),
    (
        "curl",
        "8.14.1-2",
        "8.14.1-2+deb13u1",
        "command line tool for transferring data with URL syntax",
    ),
    (
        "openssh-server",
        "1:10.0p1-7",
        "1:10.0p1-7+deb13u1",
        "secure shell (SSH) server",
    ),
    (
        "zfsutils-linux",
        "2.3.4-pve1",
        "2.3.5-pve1",
        "command-line tools to manage ZFS filesystems",
    ),
    (
        "corosync",
        "3.1.9-pve2",
        "3.1.9-pve3",
        "cluster engine daemon and utilities",
    ),
    (
        "ifupdown2",
        "3.3.0-1+pmx10",
        "3.3.0-1+pmx11",
        "Network Interface Management tool similar to ifupdown",
    ),
];

impl Call<'_> {
    pub(super) fn route_hardware(&mut self) -> Option<Outcome> {
        let node = self.world.node(self.variable("node"))?.clone();
        Some(match (self.verb, self.path) {
            ("GET", "/nodes/{node}/certificates/info") => Ok(self.certificates(&node).into()),
            ("GET", "/nodes/{node}/apt/update") => {
                let rows: Value = PACKAGES.iter().take(node.updates).map(update).collect();
                Ok(rows.into())
            }
            ("GET", "/nodes/{node}/apt/versions") => {
                let rows: Value = PACKAGES.iter().map(installed).collect();
                Ok(rows.into())
            }
            ("GET", "/nodes/{node}/disks/list") => Ok(disks(&node).into()),
            ("GET", "/nodes/{node}/disks/smart") => smart(&node, self.params.text("disk")),
            ("GET", "/nodes/{node}/network") => {
                let wanted = self.params.get("type");
                let rows: Value = network(&node)
                    .into_iter()
                    .filter(|row| {
                        wanted.is_none_or(|wanted| {
                            row["type"] == wanted || wanted.ends_with("bridge") && row["type"] == "bridge"
                        })
                    })
                    .collect();
                Ok(rows.into())
            }
            ("GET", "/nodes/{node}/network/{iface}") => {
                let wanted = self.variable("iface");
                let row = network(&node).into_iter().find(|row| row["iface"] == wanted);
                row.map(Into::into)
                    .ok_or_else(|| Failure::parameter("iface", "interface does not exist"))
            }
            ("GET", "/nodes/{node}/hardware/pci") => Ok(json!([
                {"id": "0000:41:00.0", "class": "0x010802", "vendor": "0x144d", "device": "0xa80a", "iommugroup": 17,
                 "vendor_name": "Samsung Electronics Co Ltd", "device_name": "NVMe SSD Controller PM9A1/PM9A3/980PRO"},
                {"id": "0000:61:00.0", "class": "0x020000", "vendor": "0x15b3", "device": "0x1015", "iommugroup": 31,
                 "vendor_name": "Mellanox Technologies", "device_name": "MT27710 Family [ConnectX-4 Lx]"},
            ])
            .into()),
            ("GET", "/nodes/{node}/capabilities/qemu/cpu") => Ok(json!([
                {"name": "host", "vendor": "default", "custom": 0},
                {"name": "x86-64-v2-AES", "vendor": "default", "custom": 0},
                {"name": "EPYC-Milan", "vendor": "AuthenticAMD", "custom": 0},
                {"name": "Skylake-Server", "vendor": "GenuineIntel", "custom": 0},
            ])
            .into()),
            ("GET", "/nodes/{node}/capabilities/qemu/machines") => Ok(json!([
                {"id": "pc-i440fx-10.1", "type": "i440fx", "version": "10.1"},
                {"id": "pc-q35-10.1", "type": "q35", "version": "10.1"},
            ])
            .into()),
            _ => return None,
        })
    }

    fn certificates(&self, node: &Node) -> Value {
        let (pem, end) = &self.world.ca;
        let issuer = "/CN=Proxmox Virtual Environment/O=PVE Cluster Manager CA";
        let day = 86_400;
        json!([
            {
                "filename": "pve-root-ca.pem", "issuer": issuer, "subject": issuer, "san": [], "pem": pem,
                "fingerprint": fingerprint_of_pem(pem), "notbefore": end - 3651 * day, "notafter": end,
                "public-key-bits": 256, "public-key-type": "id-ecPublicKey",
            },
            {
                "filename": "pve-ssl.pem", "issuer": issuer, "pem": node.certificate,
                "subject": format!("/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN={}", node.name),
                "san": ["127.0.0.1", "0000:0000:0000:0000:0000:0000:0000:0001", "localhost", node.address, node.name],
                "fingerprint": node.fingerprint, "notbefore": node.certificate_end - 730 * day,
                "notafter": node.certificate_end, "public-key-bits": 256, "public-key-type": "id-ecPublicKey",
            },
        ])
    }
}

fn package((name, _, new, description): &(&str, &str, &str, &str)) -> Value {
    let own = name.starts_with("pve") || name.contains("proxmox") || name.starts_with("libpve");
    json!({
        "Package": name,
        "Title": description,
        "Description": description,
        "Version": new,
        "Arch": "amd64",
        "Section": "admin",
        "Priority": "optional",
        "Origin": if own { "Proxmox" } else { "Debian" },
    })
}

fn update(entry: &(&str, &str, &str, &str)) -> Value {
    let mut row = package(entry);
    row["OldVersion"] = json!(entry.1);
    row
}

fn installed(entry: &(&str, &str, &str, &str)) -> Value {
    let mut row = package(entry);
    row["OldVersion"] = json!(entry.1);
    row["Version"] = json!(entry.1);
    row["CurrentState"] = json!("Installed");
    if entry.0 == "pve-manager" {
        row["ManagerVersion"] = json!("9.2.11");
        row["RunningKernel"] = json!("6.14.11-4-pve");
    }
    row
}

/// A serial number of a node's disk.
fn serial(node: &Node, index: u64) -> String {
    hex(&node.seed.rotate_left(index as u32 * 8).to_be_bytes()).to_uppercase()
}

fn disks(node: &Node) -> Value {
    let disk = |device: &str, kind: &str, model: &str, size: u64, used: &str, health: &str, index: u64| {
        json!({
            "devpath": format!("/dev/{device}"),
            "by_id_link": format!("/dev/disk/by-id/{kind}-{}", serial(node, index)),
            "type": kind, "model": model, "vendor": "unknown", "serial": serial(node, index),
            "wwn": format!("eui.{}", serial(node, index).to_lowercase()),
            "size": size, "used": used, "health": health, "gpt": u8::from(kind == "nvme"),
            "rpm": if kind == "hdd" { 7200 } else { 0 }, "osdid": -1, "osdid-list": [], "mounted": 0,
            "wearout": if kind == "hdd" { json!("N/A") } else { json!(97 - (node.seed % 9) - index) },
        })
    };
    let failing = if node.id == 2 { "FAILED" } else { "PASSED" };
    json!([
        disk(
            "nvme0n1",
            "nvme",
            "SAMSUNG MZQL21T9HCJR-00A07",
            1_920_383_410_176,
            "ZFS",
            "PASSED",
            0
        ),
        disk(
            "nvme1n1",
            "nvme",
            "SAMSUNG MZQL21T9HCJR-00A07",
            1_920_383_410_176,
            "ZFS",
            "PASSED",
            1
        ),
        disk(
            "sda",
            "ssd",
            "INTEL SSDSC2KB960G8",
            960_197_124_096,
            "LVM",
            "PASSED",
            2
        ),
        disk(
            "sdb",
            "hdd",
            "ST16000NM001G-2KK103",
            16_000_900_661_248,
            "ZFS",
            failing,
            3
        ),
    ])
}

fn smart(node: &Node, disk: &str) -> Outcome {
    let all = disks(node);
    let known = all
        .as_array()
        .and_then(|disks| disks.iter().find(|row| row["devpath"] == disk));
    let Some(row) = known else {
        return Err(Failure::server(format!(
            "get_disks: disk '{disk}' does not exist"
        )));
    };
    if row["type"] == "nvme" {
        return Ok(json!({
            "type": "text", "health": row["health"],
            "text": "\nSMART/Health Information (NVMe Log 0x02)\nCritical Warning:                   0x00\n\
                     Temperature:                        38 Celsius\nAvailable Spare:                    100%\n",
        })
        .into());
    }
    Ok(json!({
        "type": "ata", "health": row["health"],
        "attributes": [
            {"id": "  5", "name": "Reallocated_Sector_Ct", "value": "100", "worst": "100", "threshold": "10",
             "raw": if row["health"] == "FAILED" { "1984" } else { "0" }, "flags": "PO--CK", "fail": "-", "normalized": 100},
            {"id": "194", "name": "Temperature_Celsius", "value": " 70", "worst": " 52", "threshold": "  0",
             "raw": "30", "flags": "-O---K", "fail": "-", "normalized": 70},
        ],
    })
    .into())
}

fn network(node: &Node) -> Vec<Value> {
    let physical = |name: &str, index: u32| {
        json!({
            "iface": name, "type": "eth", "method": "manual", "method6": "manual", "active": 1, "exists": 1,
            "families": ["inet"], "priority": 3 + index, "altnames": [format!("enx0c42a1{:06x}", node.id * 16 + index)],
        })
    };
    vec![
        physical("eno1", 0),
        physical("eno2", 1),
        json!({
            "iface": "bond0", "type": "bond", "method": "manual", "method6": "manual", "active": 1, "autostart": 1,
            "bond_mode": "802.3ad", "slaves": "eno1 eno2", "bond_xmit_hash_policy": "layer3+4", "families": ["inet"],
            "priority": 5, "bond_miimon": "100",
        }),
        json!({
            "iface": "vmbr0", "type": "bridge", "method": "static", "method6": "manual", "active": 1, "autostart": 1,
            "address": node.address, "netmask": "24", "cidr": format!("{}/24", node.address), "gateway": "10.10.0.1",
            "bridge_ports": "bond0", "bridge_stp": "off", "bridge_fd": "0", "bridge_vlan_aware": 1, "families": ["inet"],
            "priority": 6,
        }),
        json!({
            "iface": "vmbr1", "type": "bridge", "method": "manual", "method6": "manual", "active": 1, "autostart": 1,
            "bridge_ports": "", "bridge_stp": "off", "bridge_fd": "0", "families": ["inet"], "priority": 7,
            "comments": "isolated\n",
        }),
    ]
}
