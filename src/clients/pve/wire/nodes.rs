//! `/nodes/{node}/…` about the node itself.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::{
    ReplicationJob, Vmid,
    guest::Pressure,
    node::{Certificate, Clock, Disk, NetworkInterface, NodeDetail, PackageUpdate, Service, Subscription},
};

use super::{
    Broken, Envelope, inner,
    lenient::{Flag, Int, Num, Text},
    moment, said,
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    pveversion: Text<'a>,
    #[serde(borrow)]
    kversion: Text<'a>,
    #[serde(borrow, rename = "current-kernel")]
    current_kernel: Option<&'a RawValue>,
    #[serde(borrow)]
    loadavg: Option<&'a RawValue>,
    #[serde(borrow)]
    cpuinfo: Option<&'a RawValue>,
    #[serde(borrow)]
    memory: Option<&'a RawValue>,
    #[serde(borrow)]
    swap: Option<&'a RawValue>,
    #[serde(borrow)]
    rootfs: Option<&'a RawValue>,
    #[serde(borrow)]
    ksm: Option<&'a RawValue>,
    #[serde(borrow, rename = "boot-info")]
    boot_info: Option<&'a RawValue>,
    #[serde(borrow)]
    pressure: Option<&'a RawValue>,
    cpu: Num,
    wait: Num,
    uptime: Int,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Kernel<'a> {
    #[serde(borrow)]
    release: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CpuInfo<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    sockets: Int,
    cores: Int,
    cpus: Int,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Space {
    used: Int,
    total: Int,
    shared: Int,
}

impl Space {
    fn used_of_total(self) -> Option<(u64, u64)> {
        Some((self.used.0?, self.total.0?))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Boot<'a> {
    #[serde(borrow)]
    mode: Text<'a>,
    secureboot: Flag,
}

/// Pressure as three objects with `some`; not all versions report it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Pressures {
    cpu: Share,
    io: Share,
    memory: Share,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Share {
    some: Num,
}

pub(in super::super) fn status(envelope: &Envelope<'_>) -> Result<NodeDetail, Broken> {
    let row: Status<'_> = envelope.object()?;
    let kernel: Kernel<'_> = inner(row.current_kernel);
    let cpu: CpuInfo<'_> = inner(row.cpuinfo);
    let boot: Boot<'_> = inner(row.boot_info);
    let load: Vec<Num> = inner(row.loadavg);
    let pressure = row
        .pressure
        .map(|raw| inner::<Pressures>(Some(raw)))
        .map(|p| Pressure {
            cpu_some: p.cpu.some.0.unwrap_or_default(),
            io_some: p.io.some.0.unwrap_or_default(),
            memory_some: p.memory.some.0.unwrap_or_default(),
        });
    Ok(NodeDetail {
        version: said(row.pveversion),
        kernel: said(kernel.release).or_else(|| said(row.kversion)),
        load: match load.as_slice() {
            [Num(Some(one)), Num(Some(five)), Num(Some(fifteen))] => Some([*one, *five, *fifteen]),
            _ => None,
        },
        cpu_model: said(cpu.model),
        sockets: cpu.sockets.u32(),
        cores: cpu.cores.u32(),
        cpus: cpu.cpus.u32(),
        cpu: row.cpu.0,
        io_wait: row.wait.0,
        memory: inner::<Space>(row.memory).used_of_total(),
        swap: inner::<Space>(row.swap).used_of_total(),
        rootfs: inner::<Space>(row.rootfs).used_of_total(),
        ksm_shared: inner::<Space>(row.ksm).shared.0,
        uptime: row.uptime.0,
        boot: said(boot.mode).map(|mode| {
            if boot.secureboot.yes() {
                format!("{mode}, secure boot").into()
            } else {
                mode
            }
        }),
        pressure,
    })
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct ServiceRow<'a> {
    #[serde(borrow)]
    service: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    desc: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    active_state: Text<'a>,
    #[serde(borrow)]
    unit_state: Text<'a>,
}

pub(in super::super) fn services(envelope: &Envelope<'_>) -> Result<Vec<Service>, Broken> {
    envelope.list(|row: ServiceRow<'_>| {
        Some(Service {
            name: said(row.service).or_else(|| said(row.name))?,
            description: said(row.desc).unwrap_or_default(),
            state: said(row.state).unwrap_or_else(|| "unknown".into()),
            active: said(row.active_state),
            unit: said(row.unit_state),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CertificateRow<'a> {
    #[serde(borrow)]
    filename: Text<'a>,
    #[serde(borrow)]
    subject: Text<'a>,
    #[serde(borrow)]
    issuer: Text<'a>,
    #[serde(borrow)]
    fingerprint: Text<'a>,
    #[serde(borrow)]
    san: Option<&'a RawValue>,
    notbefore: Int,
    notafter: Int,
}

pub(in super::super) fn certificates(envelope: &Envelope<'_>) -> Result<Vec<Certificate>, Broken> {
    envelope.list(|row: CertificateRow<'_>| {
        let san: Vec<Text<'_>> = inner(row.san);
        Some(Certificate {
            file: said(row.filename).unwrap_or_default(),
            subject: said(row.subject).unwrap_or_default(),
            issuer: said(row.issuer).unwrap_or_default(),
            fingerprint: said(row.fingerprint).unwrap_or_default(),
            san: san.into_iter().filter_map(said).collect(),
            not_before: moment(&row.notbefore),
            not_after: moment(&row.notafter),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct UpdateRow<'a> {
    #[serde(borrow)]
    package: Text<'a>,
    #[serde(borrow)]
    old_version: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    origin: Text<'a>,
}

pub(in super::super) fn updates(envelope: &Envelope<'_>) -> Result<Vec<PackageUpdate>, Broken> {
    envelope.list(|row: UpdateRow<'_>| {
        Some(PackageUpdate {
            package: said(row.package)?,
            old: said(row.old_version),
            new: said(row.version).unwrap_or_default(),
            origin: said(row.origin),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DiskRow<'a> {
    #[serde(borrow)]
    devpath: Text<'a>,
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    serial: Text<'a>,
    #[serde(borrow)]
    health: Text<'a>,
    #[serde(borrow)]
    used: Text<'a>,
    size: Int,
    wearout: Num,
}

pub(in super::super) fn disks(envelope: &Envelope<'_>) -> Result<Vec<Disk>, Broken> {
    let known = |text: Text<'_>| said(text).filter(|text| !text.eq_ignore_ascii_case("unknown"));
    envelope.list(|row: DiskRow<'_>| {
        Some(Disk {
            device: said(row.devpath).unwrap_or_default(),
            kind: known(row.r#type),
            model: known(row.model),
            serial: known(row.serial),
            size: row.size.0,
            health: said(row.health),
            // What the API calls wearout is what is left of the disk's life: 100 is a new one.
            life_left: row.wearout.0,
            used: said(row.used),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Interface<'a> {
    #[serde(borrow)]
    iface: Text<'a>,
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    cidr: Text<'a>,
    #[serde(borrow)]
    address: Text<'a>,
    #[serde(borrow)]
    netmask: Text<'a>,
    #[serde(borrow)]
    cidr6: Text<'a>,
    #[serde(borrow)]
    address6: Text<'a>,
    #[serde(borrow)]
    netmask6: Text<'a>,
    #[serde(borrow)]
    gateway: Text<'a>,
    #[serde(borrow)]
    gateway6: Text<'a>,
    #[serde(borrow)]
    bridge_ports: Text<'a>,
    #[serde(borrow)]
    slaves: Text<'a>,
    #[serde(borrow)]
    ovs_ports: Text<'a>,
    #[serde(borrow)]
    ovs_bonds: Text<'a>,
    #[serde(borrow)]
    comments: Text<'a>,
    active: Flag,
}

fn cidr(cidr: Text<'_>, address: &Text<'_>, mask: &Text<'_>) -> Option<Box<str>> {
    said(cidr).or_else(|| match (address.as_str(), mask.as_str()) {
        ("", _) => None,
        (address, "") => Some(address.into()),
        (address, mask) => Some(format!("{address}/{mask}").into()),
    })
}

pub(in super::super) fn network(envelope: &Envelope<'_>) -> Result<Vec<NetworkInterface>, Broken> {
    envelope.list(|row: Interface<'_>| {
        let v4 = cidr(row.cidr, &row.address, &row.netmask);
        let v6 = cidr(row.cidr6, &row.address6, &row.netmask6);
        let ports = [row.bridge_ports, row.slaves, row.ovs_ports, row.ovs_bonds];
        let comment = row.comments.as_str().trim_end();
        Some(NetworkInterface {
            name: said(row.iface)?,
            kind: said(row.r#type).unwrap_or_else(|| "unknown".into()),
            active: row.active.yes(),
            addresses: v4.into_iter().chain(v6).collect(),
            gateway: said(row.gateway).or_else(|| said(row.gateway6)),
            ports: ports.into_iter().find_map(said),
            comment: (!comment.is_empty()).then(|| comment.into()),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SubscriptionRow<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    productname: Text<'a>,
    #[serde(borrow)]
    nextduedate: Text<'a>,
}

pub(in super::super) fn subscription(envelope: &Envelope<'_>) -> Result<Subscription, Broken> {
    let row: SubscriptionRow<'_> = envelope.object()?;
    Ok(Subscription {
        status: said(row.status).unwrap_or_else(|| "unknown".into()),
        product: said(row.productname),
        next_due: said(row.nextduedate),
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Replication<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    guest: Int,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow)]
    target: Text<'a>,
    #[serde(borrow)]
    schedule: Text<'a>,
    last_sync: Int,
    next_sync: Int,
    fail_count: Int,
    #[serde(borrow)]
    error: Text<'a>,
    disable: Flag,
}

pub(in super::super) fn replication(envelope: &Envelope<'_>) -> Result<Vec<ReplicationJob>, Broken> {
    envelope.list(|row: Replication<'_>| {
        let id = said(row.id)?;
        // Older servers leave the guest to the id, `104-0`.
        let guest = row
            .guest
            .u32()
            .or_else(|| id.split('-').next()?.parse().ok())
            .map(Vmid)?;
        Some(ReplicationJob {
            guest,
            source: said(row.source).map(|node| (&*node).into()),
            target: row.target.as_str().into(),
            schedule: said(row.schedule),
            last_sync: moment(&row.last_sync),
            next_sync: moment(&row.next_sync),
            fail_count: row.fail_count.u32().unwrap_or_default(),
            error: said(row.error),
            disabled: row.disable.yes(),
            id,
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Time<'a> {
    time: Int,
    #[serde(borrow)]
    timezone: Text<'a>,
}

pub(in super::super) fn time(envelope: &Envelope<'_>) -> Result<Clock, Broken> {
    let row: Time<'_> = envelope.object()?;
    Ok(Clock {
        time: moment(&row.time).ok_or_else(|| Broken("there is no time in it".to_owned()))?,
        zone: said(row.timezone),
    })
}

/// Lines between a cursor at each end. The cursors are no log lines.
pub(in super::super) fn journal(envelope: &Envelope<'_>) -> Result<Vec<Box<str>>, Broken> {
    let lines = envelope.list(|line: Text<'_>| said(line))?;
    Ok(lines.into_iter().filter(|line| !is_cursor(line)).collect())
}

fn is_cursor(line: &str) -> bool {
    line.starts_with("s=") && line.contains(";i=") && line.contains(";b=")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::proxmox::envelope::envelope;

    #[test]
    fn a_node_that_says_odd_things_still_says_the_rest() {
        let body = r#"{"data":{"loadavg":["1.84","x"],"cpuinfo":7,"memory":{"used":"5","total":10},"swap":null,
            "boot-info":{"mode":"efi","secureboot":1},"uptime":"1641","wait":0.5,"new":{"a":[1]}}}"#;
        let node = status(&envelope(body).unwrap()).unwrap();
        assert_eq!(
            (node.load, node.cpus, node.memory, node.swap),
            (None, None, Some((5, 10)), None)
        );
        assert_eq!(
            (node.boot.as_deref(), node.uptime),
            (Some("efi, secure boot"), Some(1641))
        );
    }

    #[test]
    fn a_journal_is_read_without_its_cursors() {
        let body = r#"{"data":["s=0d;i=1;b=aa;m=1;t=2;x=3","Nov 21 06:08:03 pve1 kernel: Linux","s=0d;i=9;b=aa;m=1;t=2;x=3"],"success":1}"#;
        let lines = journal(&envelope(body).unwrap()).unwrap();
        assert_eq!(lines, [Box::from("Nov 21 06:08:03 pve1 kernel: Linux")]);
    }

    #[test]
    fn interfaces_of_both_spellings() {
        let body = r#"{"data":[
            {"iface":"vmbr0","type":"bridge","cidr":"10.0.0.1/24","address":"10.0.0.1","active":1,"bridge_ports":"eno1","comments":"lan\n"},
            {"iface":"vmbr1","type":"bridge","address":"10.1.0.1","netmask":"255.255.0.0","address6":"fd00::1","netmask6":64},
            {"type":"eth"}]}"#;
        let list = network(&envelope(body).unwrap()).unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].addresses, [Box::from("10.0.0.1/24")]);
        assert_eq!(list[0].comment.as_deref(), Some("lan"));
        assert_eq!(
            list[1].addresses,
            [Box::from("10.1.0.1/255.255.0.0"), Box::from("fd00::1/64")]
        );
    }
}
