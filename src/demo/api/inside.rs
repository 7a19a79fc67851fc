//! What a guest tells of its inside: the agent of a VM, the interfaces of a container.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{Call, create::has_agent};
use crate::demo::{
    answer::{Failure, Outcome},
    params::members,
    world::{
        guest::{Agent, Guest, Kind, Power},
        inside::Inside,
        task::Effect,
    },
};

impl Call<'_> {
    pub(super) fn route_inside(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        let guest = self.guest(kind).ok()?;
        if self.verb == "GET" && rest == "/interfaces" {
            return Some(Ok(container_interfaces(guest).into()));
        }
        let command = rest.strip_prefix("/agent")?.trim_start_matches('/').to_owned();
        Some(self.agent(&command))
    }

    fn agent(&mut self, command: &str) -> Outcome {
        let guest = self.guest(Kind::Qemu)?;
        let now = self.world.now;
        available(guest)?;
        let command = match command {
            "" => self.params.text("command").to_owned(),
            command => command.to_owned(),
        };
        match command.as_str() {
            "exec" => self.execute(),
            "exec-status" => self.execution(now),
            "file-read" => self.read_file(),
            "file-write" => self.write_file(),
            "set-user-password" => self.set_password(),
            "fsfreeze-freeze" | "fsfreeze-thaw" | "fsfreeze-status" => self.freeze(&command),
            "shutdown" => {
                let vmid = self.vmid();
                self.world.later(5000, Effect::Stop(vmid));
                Ok(json!({"result": Value::Null}).into())
            }
            _ => {
                let result = told(self.guest(Kind::Qemu)?, &command, now);
                Ok(json!({"result": result}).into())
            }
        }
    }

    /// The inside of the guest, made when it is first asked for.
    fn inside(&mut self) -> Result<(&mut Inside, String), Failure> {
        let vmid = self.vmid();
        let guest = self.world.guests.get_mut(&vmid);
        let guest = guest.ok_or_else(|| Failure::server(format!("VM {vmid} is not running")))?;
        let name = guest.name().to_owned();
        if guest.inside.is_none() {
            guest.inside = Some(Box::new(Inside::of(guest)));
        }
        let inside = guest.inside.get_or_insert_default();
        Ok((inside, name))
    }

    fn execute(&mut self) -> Outcome {
        let list = self.params.text("command");
        let words: Vec<String> = members(list).map(str::to_owned).collect();
        let input = self.params.text("input-data").as_bytes().to_vec();
        let now = self.world.now;
        let (inside, host) = self.inside()?;
        let pid = inside.run(&words, &input, &host, now).map_err(agent_error)?;
        Ok(json!({"pid": pid}).into())
    }

    fn execution(&mut self, now: i64) -> Outcome {
        let pid = self.params.number("pid").unwrap_or(0);
        let (inside, _) = self.inside()?;
        let process = inside.processes.iter().find(|process| process.pid == pid);
        let process = process.ok_or_else(|| agent_error(format!("PID {pid} does not exist")))?;
        if process.ends > now {
            return Ok(json!({"exited": 0}).into());
        }
        let mut answer = json!({"exited": 1, "exitcode": process.code});
        for (key, bytes) in [("out-data", &process.out), ("err-data", &process.err)] {
            if !bytes.is_empty() {
                answer[key] = json!(String::from_utf8_lossy(bytes));
            }
        }
        Ok(answer.into())
    }

    fn read_file(&mut self) -> Outcome {
        let path = self.params.text("file").to_owned();
        let offset = self.params.count("offset").unwrap_or(0);
        let most = self.params.count("count").unwrap_or(MOST);
        let decode = self.params.get("decode").is_none() || self.params.flag("decode");
        let (inside, _) = self.inside()?;
        let bytes = inside.read(&path).map_err(agent_error)?;
        let rest = bytes.get(offset.min(bytes.len())..).unwrap_or_default();
        let part = &rest[..most.min(rest.len())];
        let content = if decode {
            String::from_utf8_lossy(part).into_owned()
        } else {
            BASE64.encode(part)
        };
        let mut answer = json!({"content": content, "bytes-read": part.len()});
        if part.len() < rest.len() {
            answer["truncated"] = json!(1);
        }
        Ok(answer.into())
    }

    fn write_file(&mut self) -> Outcome {
        let path = self.params.text("file").to_owned();
        let content = self.params.text("content");
        let encode = self.params.get("encode").is_none() || self.params.flag("encode");
        let bytes = if encode {
            content.as_bytes().to_vec()
        } else {
            BASE64
                .decode(content.trim())
                .map_err(|_| agent_error("Guest agent command failed, error was 'invalid base64 data'"))?
        };
        let (inside, _) = self.inside()?;
        inside.write(&path, bytes).map_err(agent_error)?;
        Ok(Value::Null.into())
    }

    fn set_password(&mut self) -> Outcome {
        let user = self.params.text("username").to_owned();
        let password = self.params.text("password").as_bytes().to_vec();
        if password.len() < 5 {
            return Err(Failure::parameter(
                "password",
                "value must be at least 5 characters long",
            ));
        }
        let (inside, _) = self.inside()?;
        if !inside.users.contains_key(&user) {
            return Err(agent_error(
                "child process has failed to set user password".to_owned(),
            ));
        }
        inside.passwords.insert(user, password);
        Ok(json!({"result": {}}).into())
    }

    fn freeze(&mut self, command: &str) -> Outcome {
        let (inside, _) = self.inside()?;
        let result = match command {
            "fsfreeze-status" => json!(if inside.frozen { "frozen" } else { "thawed" }),
            command => {
                let freeze = command == "fsfreeze-freeze";
                let changes = inside.frozen != freeze;
                inside.frozen = freeze;
                json!(u8::from(changes))
            }
        };
        Ok(json!({"result": result}).into())
    }
}

/// The most bytes that one read gives.
const MOST: usize = 16 << 20;

fn agent_error(text: impl std::fmt::Display) -> Failure {
    Failure::server(format!("Agent error: {text}"))
}

/// Whether the agent of a VM can be asked at all.
fn available(guest: &Guest) -> Result<(), Failure> {
    let Some(setting) = guest.option("agent") else {
        return Err(Failure::server("No QEMU guest agent configured"));
    };
    if !guest.is_running() {
        return Err(Failure::server(format!("VM {} is not running", guest.vmid)));
    }
    let silent = guest.agent == Agent::Silent || guest.power == Power::Paused;
    if silent || !has_agent(setting) {
        return Err(Failure::server("QEMU guest agent is not running"));
    }
    Ok(())
}

/// What the agent tells without doing anything.
fn told(guest: &Guest, command: &str, now: i64) -> Value {
    let windows = guest.option("ostype").is_some_and(|os| os.starts_with("win"));
    match command {
        "network-get-interfaces" => machine_interfaces(guest),
        "get-osinfo" if windows => json!({
            "id": "mswindows", "name": "Microsoft Windows", "pretty-name": "Windows Server 2025 Standard",
            "version": "Microsoft Windows Server 2025", "version-id": "2025", "machine": "x86_64",
            "kernel-release": "26100", "kernel-version": "10.0", "variant": "server", "variant-id": "server",
        }),
        "get-osinfo" => json!({
            "id": "debian", "name": "Debian GNU/Linux", "pretty-name": "Debian GNU/Linux 13 (trixie)",
            "version": "13 (trixie)", "version-id": "13", "machine": "x86_64",
            "kernel-release": "6.12.48+deb13-amd64",
            "kernel-version": "#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)",
        }),
        "get-host-name" => json!({"host-name": guest.name()}),
        "get-fsinfo" => {
            let total = guest.boot_size();
            let used = (total as f64 * guest.profile.full * 0.7) as u64;
            json!([{
                "name": "sda1", "mountpoint": "/", "type": "ext4", "total-bytes": total, "used-bytes": used,
                "disk": [],
            }])
        }
        "get-time" => json!(now.saturating_mul(1_000_000)),
        "get-timezone" => json!({"zone": "UTC", "offset": 0}),
        "get-users" => json!([{"user": "admin", "login-time": guest.since + 3600}]),
        "get-vcpus" => (0..guest.cpus())
            .map(|cpu| json!({"logical-id": cpu, "online": true, "can-offline": cpu > 0}))
            .collect(),
        "get-memory-block-info" => json!({"size": 128 << 20}),
        "get-memory-blocks" => (0..guest.memory() >> 27)
            .map(|block| json!({"phys-index": block, "online": true, "can-offline": true}))
            .collect(),
        "fstrim" => json!({"paths": [{"path": "/", "trimmed": guest.boot_size() / 7, "minimum": 0}]}),
        "info" => json!({
            "version": "10.0.2",
            "supported_commands": COMMANDS
                .iter()
                .map(|name| json!({"name": format!("guest-{name}"), "enabled": true, "success-response": true}))
                .collect::<Vec<_>>(),
        }),
        // A ping has nothing to tell.
        _ => json!({}),
    }
}

const COMMANDS: &[&str] = &[
    "exec",
    "exec-status",
    "file-close",
    "file-open",
    "file-read",
    "file-write",
    "fsfreeze-freeze",
    "fsfreeze-status",
    "fsfreeze-thaw",
    "fstrim",
    "get-fsinfo",
    "get-host-name",
    "get-osinfo",
    "get-time",
    "get-timezone",
    "get-users",
    "get-vcpus",
    "info",
    "network-get-interfaces",
    "ping",
    "set-user-password",
    "shutdown",
];

fn address(guest: &Guest) -> String {
    format!("10.20.{}.{}", guest.vmid / 250 % 250, 2 + guest.vmid % 250)
}

fn machine_interfaces(guest: &Guest) -> Value {
    let mut rows = vec![json!({
        "name": "lo", "hardware-address": "00:00:00:00:00:00",
        "ip-addresses": [
            {"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8},
            {"ip-address": "::1", "ip-address-type": "ipv6", "prefix": 128},
        ],
    })];
    for (index, (_, mac)) in guest.nics().into_iter().enumerate() {
        rows.push(json!({
            "name": format!("ens{}", 18 + index), "hardware-address": mac.to_lowercase(),
            "ip-addresses": [
                {"ip-address": address(guest), "ip-address-type": "ipv4", "prefix": 16},
                {"ip-address": format!("fe80::be24:11ff:fe00:{:x}", guest.vmid % 65_536), "ip-address-type": "ipv6",
                 "prefix": 64},
            ],
            "statistics": {
                "rx-bytes": 1_024_000 + u64::from(guest.vmid), "rx-packets": 9000, "rx-errs": 0, "rx-dropped": 0,
                "tx-bytes": 2_048_000, "tx-packets": 8000, "tx-errs": 0, "tx-dropped": 0,
            },
        }));
    }
    Value::from(rows)
}

fn container_interfaces(guest: &Guest) -> Value {
    if guest.kind != Kind::Lxc || !guest.is_running() {
        return json!([]);
    }
    let mut rows = vec![json!({
        "name": "lo", "hwaddr": "00:00:00:00:00:00", "hardware-address": "00:00:00:00:00:00", "inet": "127.0.0.1/8",
        "inet6": "::1/128",
        "ip-addresses": [{"ip-address": "127.0.0.1", "ip-address-type": "inet", "prefix": "8"}],
    })];
    for (index, (_, mac)) in guest.nics().into_iter().enumerate() {
        let mac = mac.to_lowercase();
        rows.push(json!({
            "name": format!("eth{index}"), "hwaddr": mac, "hardware-address": mac,
            "inet": format!("{}/16", address(guest)),
            "ip-addresses": [{"ip-address": address(guest), "ip-address-type": "inet", "prefix": "16"}],
        }));
    }
    Value::from(rows)
}
