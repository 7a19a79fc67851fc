//! Volumes for disk options: new ones, existing ones, imported ones.

use super::Call;
use crate::demo::{
    answer::Failure,
    world::{
        disks::{Drive, is_unused_key},
        guest::{Guest, Kind, bytes, is_disk_key, size_text},
        host::Storage,
    },
};

impl Call<'_> {
    /// A storage that takes this content and can be used on the node.
    pub(super) fn storage_for(&self, name: &str, content: &str, node: &str) -> Result<&Storage, Failure> {
        let storage = self
            .world
            .storage(name)
            .ok_or_else(|| Failure::server(format!("storage '{name}' does not exist")))?;
        storage.enabled_on(node).map_err(Failure::server)?;
        if storage.takes(content) {
            return Ok(storage);
        }
        Err(if content == "images" {
            Failure::parameter("storage", format!("storage '{name}' does not support vm images"))
        } else {
            Failure::server(format!("storage '{name}' does not support CT rootdirs"))
        })
    }

    /// A disk option as the configuration keeps it: `STORAGE:SIZE` allocates, an existing volume must exist.
    pub(super) fn new_disk(
        &self,
        guest: &Guest,
        key: &str,
        text: &str,
        taken: &[String],
    ) -> Result<String, Failure> {
        let mut drive = Drive::parse(text);
        let Some((storage, name)) = drive.volid.split_once(':').map(own) else {
            // `none`, `cdrom`, a path.
            if drive.volid.starts_with('/') && !self.who.is_root_ticket() {
                return Err(Failure::server("Only root can pass arbitrary filesystem paths."));
            }
            return Ok(text.to_owned());
        };
        let content = match guest.kind {
            Kind::Qemu => "images",
            Kind::Lxc => "rootdir",
        };
        if name == "cloudinit" {
            let storage = self.storage_for(&storage, "images", &guest.node)?;
            drive.volid = format!("{}:vm-{}-cloudinit", storage.name, guest.vmid);
            if storage.has_files() {
                drive.volid = format!("{}:{id}/vm-{id}-cloudinit.qcow2", storage.name, id = guest.vmid);
            }
            drive = drive.without(&["media", "size"]);
            drive.words.push("media=cdrom".to_owned());
            drive.words.push("size=4M".to_owned());
            return Ok(drive.print());
        }
        if let Ok(size) = name.parse::<f64>() {
            let storage = self.storage_for(&storage, content, &guest.node)?;
            let size = match drive.get("import-from") {
                Some(source) => self.size_of(source)?,
                None if key == "efidisk0" || key == "tpmstate0" => 4 << 20,
                None => (size * (1_u64 << 30) as f64) as u64,
            };
            let format = drive.get("format").map(str::to_owned);
            drive.volid = self
                .world
                .new_volid(storage, guest.kind, guest.vmid, format.as_deref(), taken);
            drive = drive.without(&["format", "size", "import-from"]);
            drive.words.push(format!("size={}", size_text(size)));
            return Ok(drive.print());
        }
        if self.world.storage(&storage).is_none() {
            return Err(Failure::server(format!("storage '{storage}' does not exist")));
        }
        if !drive.is_cdrom() && name.starts_with("iso/") {
            return Err(Failure::parameter(
                key,
                "explicit 'media=cdrom' is required for iso images",
            ));
        }
        let size = self.size_of(&drive.volid)?;
        if drive.get("size").is_none() {
            drive.words.push(format!("size={}", size_text(size)));
        }
        Ok(drive.print())
    }

    /// Bytes of a volume that must exist.
    fn size_of(&self, volid: &str) -> Result<u64, Failure> {
        let file = self.world.volumes.iter().find(|volume| volume.volid == volid);
        if let Some(file) = file {
            return Ok(file.size);
        }
        let named = |guest: &Guest| -> Option<u64> {
            guest
                .config
                .iter()
                .filter(|(key, _)| is_disk_key(key) || is_unused_key(key))
                .map(|(_, value)| Drive::parse(value))
                .find(|drive| drive.volid == volid)
                .map(|drive| drive.get("size").and_then(bytes).unwrap_or(1 << 30))
        };
        self.world
            .guests
            .values()
            .find_map(named)
            .ok_or_else(|| Failure::server(format!("volume '{volid}' does not exist")))
    }
}

fn own((left, right): (&str, &str)) -> (String, String) {
    (left.to_owned(), right.to_owned())
}
