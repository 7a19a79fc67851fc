//! Who may set which option of a guest: the privileges behind each one.

use super::Call;
use crate::demo::{
    answer::Failure,
    world::{
        disks::{Drive, is_unused_key},
        guest::{Config, Kind, is_disk_key},
    },
};

/// The guest whose option is asked for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) vmid: u32,
    /// A pool that it will belong to: its privileges count as well.
    pub(super) pool: Option<&'a str>,
    /// The configuration so far.
    pub(super) old: Option<&'a Config>,
}

/// The privileges behind an option of a VM; one of them is enough. `None`: root alone.
fn of_machine(key: &str) -> Option<&'static [&'static str]> {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    Some(match key {
        "cores" | "cpu" | "cpulimit" | "cpuunits" | "numa" | "smp" | "sockets" | "vcpus" => {
            &["VM.Config.CPU"]
        }
        "memory" | "balloon" | "shares" | "allow-ksm" => &["VM.Config.Memory"],
        "acpi" | "hotplug" | "kvm" | "machine" | "scsihw" | "smbios1" | "tablet" | "vga" | "watchdog"
        | "audio0" | "rng0" => &["VM.Config.HWType"],
        "agent" | "autostart" | "bios" | "description" | "keyboard" | "localtime" | "migrate_downtime"
        | "migrate_speed" | "name" | "onboot" | "ostype" | "protection" | "reboot" | "startdate"
        | "startup" | "tdf" | "template" | "tags" => &["VM.Config.Options"],
        "freeze" => &["VM.PowerMgmt"],
        "boot" | "bootdisk" | "vmstatestorage" => &["VM.Config.Disk"],
        "cicustom" | "cipassword" | "citype" | "ciuser" | "ciupgrade" | "nameserver" | "searchdomain"
        | "sshkeys" => &["VM.Config.Cloudinit", "VM.Config.Network"],
        _ => match stem {
            "numa" => &["VM.Config.CPU"],
            "net" => &["VM.Config.Network"],
            "ipconfig" => &["VM.Config.Cloudinit", "VM.Config.Network"],
            _ => return None,
        },
    })
}

impl Call<'_> {
    /// Needs a privilege on a path.
    pub(super) fn need(&self, path: &str, privilege: &str) -> Result<(), Failure> {
        if self.has(path, privilege) {
            Ok(())
        } else {
            Err(Failure::forbidden(path, privilege))
        }
    }

    /// Needs one of these privileges on the guest, or on the pool that it will be in.
    fn need_guest(&self, wanted: &Wanted<'_>, any: &[&str]) -> Result<(), Failure> {
        let path = format!("/vms/{}", wanted.vmid);
        let by_pool = |privilege: &str| {
            wanted
                .pool
                .is_some_and(|pool| self.has(&format!("/pool/{pool}"), privilege))
        };
        if any
            .iter()
            .any(|privilege| self.has(&path, privilege) || by_pool(privilege))
        {
            return Ok(());
        }
        Err(Failure::forbidden(&path, &any.join("|")))
    }

    /// May the caller set this option to this value, or delete it (`None`)?
    pub(super) fn check_option(
        &self,
        kind: Kind,
        wanted: &Wanted<'_>,
        key: &str,
        value: Option<&str>,
    ) -> Result<(), Failure> {
        if self.who.is_root_ticket() {
            return Ok(());
        }
        let old = wanted.old.and_then(|config| config.get(key)).map(String::as_str);
        match kind {
            Kind::Qemu => self.check_machine_option(wanted, key, value, old),
            Kind::Lxc => self.check_container_option(wanted, key, value, old),
        }
    }

    fn check_machine_option(
        &self,
        wanted: &Wanted<'_>,
        key: &str,
        value: Option<&str>,
        old: Option<&str>,
    ) -> Result<(), Failure> {
        let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
        if is_disk_key(key) || is_unused_key(key) {
            for text in old.into_iter().chain(value) {
                let drive = Drive::parse(text);
                if drive.volid.ends_with("cloudinit") || drive.volid.contains("-cloudinit") {
                    self.need_guest(wanted, &["VM.Config.Cloudinit"])?;
                    self.need_guest(wanted, &["VM.Config.CDROM"])?;
                } else if drive.is_cdrom() {
                    self.need_guest(wanted, &["VM.Config.CDROM"])?;
                } else {
                    self.need_guest(wanted, &["VM.Config.Disk"])?;
                }
            }
            return match value {
                Some(text) => self.check_volume(wanted.vmid, text),
                None => Ok(()),
            };
        }
        if matches!(stem, "serial" | "usb" | "hostpci" | "virtiofs") && stem != key {
            let value = value.or(old).unwrap_or_default();
            let harmless = value == "socket" || value.contains("spice") || value.contains("mapping=");
            if harmless {
                return self.need_guest(wanted, &["VM.Config.HWType"]);
            }
            let what = if stem == "hostpci" { "non-mapped" } else { "real" };
            return Err(Failure::server(format!(
                "only root can set '{key}' config for {what} devices"
            )));
        }
        let Some(any) = of_machine(key) else {
            if key == "vmstate" {
                self.need_guest(wanted, &["VM.Config.Disk"])?;
                return self.need_guest(wanted, &["VM.PowerMgmt"]);
            }
            return Err(Failure::server(format!("only root can set '{key}' config")));
        };
        self.need_guest(wanted, any)?;
        if key == "startup" {
            self.need("/", "Sys.Modify")?;
        }
        if stem == "net" && stem != key {
            for text in old.into_iter().chain(value) {
                self.check_bridge(text)?;
            }
        }
        Ok(())
    }

    fn check_container_option(
        &self,
        wanted: &Wanted<'_>,
        key: &str,
        value: Option<&str>,
        old: Option<&str>,
    ) -> Result<(), Failure> {
        let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
        let for_root = |what: &str| {
            Err(Failure::forbidden_plain(&format!(
                "{what} is only allowed for root@pam"
            )))
        };
        match stem {
            "cores" | "cpuunits" | "cpulimit" => self.need_guest(wanted, &["VM.Config.CPU"]),
            "rootfs" | "mp" => {
                self.need_guest(wanted, &["VM.Config.Disk"])?;
                match value {
                    Some(text) if Drive::parse(text).volid.starts_with('/') => {
                        for_root("mount point type bind")
                    }
                    Some(text) => self.check_volume(wanted.vmid, text),
                    None => Ok(()),
                }
            }
            "memory" | "swap" => self.need_guest(wanted, &["VM.Config.Memory"]),
            "net" => {
                self.need_guest(wanted, &["VM.Config.Network"])?;
                old.into_iter()
                    .chain(value)
                    .try_for_each(|text| self.check_bridge(text))
            }
            "dev" => for_root("configuring device passthrough"),
            "nameserver" | "searchdomain" | "hostname" => self.need_guest(wanted, &["VM.Config.Network"]),
            "features" => {
                let unprivileged = wanted.old.and_then(|config| config.get("unprivileged"));
                if unprivileged.is_none_or(|flag| flag != "1") {
                    return for_root("changing feature flags for privileged container");
                }
                let others = |text: &str| -> Vec<String> {
                    let words = text.split(',').filter(|word| !word.is_empty());
                    words
                        .filter(|word| !word.starts_with("nesting="))
                        .map(str::to_owned)
                        .collect()
                };
                if others(value.unwrap_or_default()) != others(old.unwrap_or_default()) {
                    return for_root("changing feature flags (except nesting)");
                }
                self.need_guest(wanted, &["VM.Allocate"])
            }
            "hookscript" => for_root("changing the hookscript"),
            _ => self.need_guest(wanted, &["VM.Config.Options"]),
        }
    }

    /// A bridge may only be used by those who may use its zone.
    pub(super) fn check_bridge(&self, net: &str) -> Result<(), Failure> {
        if self.who.is_root_ticket() {
            return Ok(());
        }
        let word = |name: &str| {
            net.split(',')
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let Some(bridge) = word("bridge") else {
            return Ok(());
        };
        let mut path = format!("/sdn/zones/localnetwork/{bridge}");
        if let Some(tag) = word("tag") {
            path = format!("{path}/{tag}");
        }
        self.need(&path, "SDN.Use")
    }

    /// Space of a storage, and volumes of others, need privileges of their own.
    fn check_volume(&self, vmid: u32, text: &str) -> Result<(), Failure> {
        let drive = Drive::parse(text);
        let Some((storage, name)) = drive.volid.split_once(':') else {
            return Ok(());
        };
        let path = format!("/storage/{storage}");
        if name == "cloudinit" {
            return Ok(());
        }
        if name.parse::<f64>().is_ok() {
            return self.need(&path, "Datastore.AllocateSpace");
        }
        if name.starts_with("iso/") || name.starts_with("vztmpl/") {
            let any = "Datastore.AllocateSpace|Datastore.Audit";
            return if any.split('|').any(|privilege| self.has(&path, privilege)) {
                Ok(())
            } else {
                Err(Failure::forbidden(&path, any))
            };
        }
        if name.contains(&format!("-{vmid}-")) {
            return Ok(());
        }
        let owner = name
            .rsplit('/')
            .next()
            .and_then(|file| file.split('-').nth(1))
            .and_then(|id| id.parse::<u32>().ok());
        match owner {
            Some(owner) => {
                self.need(&path, "Datastore.Audit")?;
                self.need(&format!("/vms/{owner}"), "VM.Config.Disk")
            }
            None => self.need(&path, "Datastore.Allocate"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_its_privilege() {
        assert_eq!(of_machine("cores"), Some(&["VM.Config.CPU"][..]));
        assert_eq!(of_machine("net3"), Some(&["VM.Config.Network"][..]));
        assert_eq!(
            of_machine("ipconfig0"),
            Some(&["VM.Config.Cloudinit", "VM.Config.Network"][..])
        );
        // Whatever has no privilege of its own is root's.
        for key in ["args", "lock", "hookscript", "arch", "hugepages"] {
            assert_eq!(of_machine(key), None, "{key}");
        }
    }
}
