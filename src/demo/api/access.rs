//! `/access`: sign-in, users, tokens, roles and access lists.

use serde_json::{Map, Value, json};

use super::Call;
use crate::demo::{
    acl,
    answer::{Failure, Outcome},
    auth::Token,
    params::Params,
    world::{World, load::mix, seed_guests::uuid},
};

/// Methods that need no sign-in.
pub(super) fn open(world: &World, verb: &str, path: &str, params: &Params) -> Outcome {
    match (verb, path) {
        ("POST", "/access/ticket") => log_in(world, params),
        ("GET", "/access/ticket") => Ok(Value::Null.into()),
        _ => Ok(json!([
            {"realm": "pam", "type": "pam", "comment": "Linux PAM standard authentication"},
            {"realm": "pve", "type": "pve", "comment": "Proxmox VE authentication server"},
        ])
        .into()),
    }
}

fn log_in(world: &World, params: &Params) -> Outcome {
    let mut name = params.text("username").to_owned();
    if let Some(realm) = params.get("realm").filter(|_| !name.contains('@')) {
        name = format!("{name}@{realm}");
    }
    let mut answer = world.access.log_in(
        &name,
        params.text("password"),
        params.get("tfa-challenge"),
        world.seconds(),
    )?;
    if world.clustered {
        answer["clustername"] = json!(world.name);
    }
    if answer.get("NeedTFA").is_none() {
        answer["cap"] = capabilities(world, &name);
    }
    Ok(answer.into())
}

/// What the web interface may show, by area.
fn capabilities(world: &World, user: &str) -> Value {
    let areas: [(&str, &str, &[&str]); 7] = [
        (
            "access",
            "/access",
            &["User.", "Group.", "Permissions.", "Realm."],
        ),
        ("dc", "/", &["Sys.", "SDN."]),
        ("mapping", "/mapping", &["Mapping."]),
        ("nodes", "/nodes", &["Sys."]),
        ("sdn", "/sdn", &["SDN."]),
        ("storage", "/storage", &["Datastore."]),
        ("vms", "/vms", &["VM."]),
    ];
    let mut caps = Map::new();
    for (area, path, prefixes) in areas {
        let found: Map<String, Value> = acl::PRIVILEGES
            .iter()
            .filter(|privilege| prefixes.iter().any(|prefix| privilege.starts_with(prefix)))
            .filter(|privilege| {
                user == "root@pam"
                    || acl::on_path(&world.access.entries, user, path, None).contains(**privilege)
            })
            .map(|privilege| ((*privilege).to_owned(), json!(1)))
            .collect();
        caps.insert(area.to_owned(), Value::Object(found));
    }
    Value::Object(caps)
}

impl Call<'_> {
    pub(super) fn route_access(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            (_, "/access/ticket" | "/access/domains") if self.who.token.is_some() && self.verb == "POST" => {
                Err(Failure::refused())
            }
            (verb, path @ ("/access/ticket" | "/access/domains")) => {
                open(self.world, verb, path, &self.params)
            }
            ("GET", "/access/permissions") => self.permissions(),
            ("GET", "/access/users") => Ok(self.users().into()),
            ("POST", "/access/users") => self.create_user(),
            ("GET", "/access/users/{userid}") => self.user(),
            ("GET", "/access/users/{userid}/token") => self.tokens(),
            ("GET", "/access/users/{userid}/token/{tokenid}") => self.token(),
            ("POST", "/access/users/{userid}/token/{tokenid}") => self.create_token(),
            ("DELETE", "/access/users/{userid}/token/{tokenid}") => self.delete_token(),
            ("GET", "/access/roles") => Ok(roles().into()),
            ("GET", "/access/roles/{roleid}") => {
                let name = self.variable("roleid");
                acl::role(name)
                    .map(|privileges| privileges_map(&privileges).into())
                    .ok_or_else(|| Failure::server(format!("role '{name}' does not exist")))
            }
            ("GET", "/access/acl") => Ok(self.access_list().into()),
            ("PUT", "/access/acl") => self.change_access(),
            ("GET", "/access/groups" | "/access/tfa") => Ok(json!([]).into()),
            _ => return None,
        })
    }

    fn permissions(&self) -> Outcome {
        let who = &self.who;
        if self
            .params
            .get("userid")
            .is_some_and(|user| user != who.user && user != who.full())
            && !self.has("/access", "Sys.Audit")
        {
            return Err(Failure::forbidden("/access", "Sys.Audit"));
        }
        let mut paths: Vec<String> = match self.params.get("path") {
            Some(path) => vec![path.to_owned()],
            None => [
                "/",
                "/access",
                "/access/groups",
                "/mapping",
                "/nodes",
                "/pool",
                "/sdn",
                "/storage",
                "/vms",
            ]
            .map(str::to_owned)
            .into(),
        };
        if self.params.get("path").is_none() {
            paths.extend(self.world.access.entries.iter().map(|entry| entry.path.clone()));
            paths.extend(self.world.pools.keys().map(|pool| format!("/pool/{pool}")));
            if who.user != "root@pam" {
                let own = self.world.guests.values().filter(|guest| guest.pool.is_some());
                paths.extend(own.take(500).map(|guest| format!("/vms/{}", guest.vmid)));
            }
        }
        let mut found = Map::new();
        for path in paths {
            let pool = path
                .strip_prefix("/vms/")
                .and_then(|id| id.parse::<u32>().ok())
                .and_then(|vmid| self.world.guests.get(&vmid))
                .and_then(|guest| guest.pool.as_deref());
            let privileges = self.world.access.privileges(who, &path, pool);
            if !privileges.is_empty() {
                let list: Vec<&'static str> = privileges.into_iter().collect();
                found.insert(path, privileges_map(&list));
            }
        }
        Ok(Value::Object(found).into())
    }

    fn users(&self) -> Value {
        let all = self.has("/access", "User.Modify") || self.has("/access", "Sys.Audit");
        self.world
            .access
            .users
            .iter()
            .filter(|user| all || user.id == self.who.user)
            .filter(|user| {
                self.params.get("enabled").is_none() || user.enabled == self.params.flag("enabled")
            })
            .map(|user| {
                let realm = user.id.rsplit_once('@').map_or("pam", |(_, realm)| realm);
                let mut row = json!({
                    "userid": user.id,
                    "enable": u8::from(user.enabled),
                    "expire": user.expire,
                    "realm-type": realm,
                });
                if !user.comment.is_empty() {
                    row["comment"] = json!(user.comment);
                }
                if self.params.flag("full") && !user.tokens.is_empty() {
                    row["tokens"] = user.tokens.iter().map(token_row).collect();
                }
                row
            })
            .collect()
    }

    fn find_user(&self) -> Result<&crate::demo::auth::User, Failure> {
        let id = self.variable("userid");
        self.world
            .access
            .users
            .iter()
            .find(|user| user.id == id)
            .ok_or_else(|| Failure::server(format!("no such user ('{id}')")))
    }

    fn user(&self) -> Outcome {
        let user = self.find_user()?;
        let mut answer = json!({"enable": u8::from(user.enabled), "expire": user.expire});
        if !user.comment.is_empty() {
            answer["comment"] = json!(user.comment);
        }
        Ok(answer.into())
    }

    fn tokens(&self) -> Outcome {
        let rows: Value = self.find_user()?.tokens.iter().map(token_row).collect();
        Ok(rows.into())
    }

    fn token(&self) -> Outcome {
        let id = self.variable("tokenid");
        let token = self
            .find_user()?
            .tokens
            .iter()
            .find(|token| token.id == id)
            .ok_or_else(|| {
                Failure::server(format!(
                    "no such token '{id}' for user '{}'",
                    self.variable("userid")
                ))
            })?;
        let mut row = token_row(token);
        if let Value::Object(row) = &mut row {
            row.remove("tokenid");
        }
        Ok(row.into())
    }

    fn create_user(&mut self) -> Outcome {
        let id = self.params.text("userid").to_owned();
        if self.world.access.users.iter().any(|user| user.id == id) {
            return Err(Failure::server(format!(
                "create user failed: user '{id}' already exists"
            )));
        }
        self.world.access.users.push(crate::demo::auth::User {
            id,
            password: self.params.text("password").to_owned(),
            enabled: self.params.get("enable").is_none() || self.params.flag("enable"),
            expire: self.params.number("expire").unwrap_or(0),
            comment: self.params.text("comment").to_owned(),
            totp: None,
            tokens: Vec::new(),
        });
        Ok(Value::Null.into())
    }

    fn create_token(&mut self) -> Outcome {
        let id = self.variable("tokenid").to_owned();
        let user_id = self.variable("userid").to_owned();
        if self.find_user()?.tokens.iter().any(|token| token.id == id) {
            return Err(Failure::parameter("tokenid", "Token already exists."));
        }
        let privsep = self.params.get("privsep").is_none() || self.params.flag("privsep");
        let token = Token {
            secret: uuid(mix(&[
                self.world.seed,
                self.world.now.cast_unsigned(),
                id.len() as u64,
            ])),
            id: id.clone(),
            privsep,
            expire: self.params.number("expire").unwrap_or(0),
            comment: self.params.text("comment").to_owned(),
        };
        let answer = json!({
            "full-tokenid": format!("{user_id}!{id}"),
            "info": {"privsep": u8::from(privsep).to_string()},
            "value": token.secret,
        });
        if let Some(user) = self.world.access.users.iter_mut().find(|user| user.id == user_id) {
            user.tokens.push(token);
        }
        Ok(answer.into())
    }

    fn delete_token(&mut self) -> Outcome {
        let (user_id, id) = (
            self.variable("userid").to_owned(),
            self.variable("tokenid").to_owned(),
        );
        self.token()?;
        if let Some(user) = self.world.access.users.iter_mut().find(|user| user.id == user_id) {
            user.tokens.retain(|token| token.id != id);
        }
        Ok(Value::Null.into())
    }

    fn access_list(&self) -> Value {
        self.world
            .access
            .entries
            .iter()
            .filter(|entry| self.has("/access", "Sys.Audit") || self.has(&entry.path, "Permissions.Modify"))
            .map(|entry| {
                json!({
                    "path": entry.path,
                    "ugid": entry.who,
                    "roleid": entry.role,
                    "type": if entry.who.contains('!') { "token" } else { "user" },
                    "propagate": u8::from(entry.propagate),
                })
            })
            .collect()
    }

    fn change_access(&mut self) -> Outcome {
        let path = self.params.text("path").to_owned();
        if !acl::is_valid_path(&path) {
            return Err(Failure::parameter("path", format!("invalid ACL path '{path}'")));
        }
        let list = |name: &str| -> Vec<String> {
            let text = self.params.text(name);
            text.split([',', ' ', ';'])
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let roles = list("roles");
        if let Some(role) = roles.iter().find(|role| acl::role(role).is_none()) {
            return Err(Failure::server(format!(
                "ACL update failed: role '{role}' does not exist"
            )));
        }
        let propagate = self.params.get("propagate").is_none() || self.params.flag("propagate");
        let delete = self.params.flag("delete");
        let mut receivers = list("users");
        receivers.extend(list("tokens"));
        let entries = &mut self.world.access.entries;
        for who in &receivers {
            for role in &roles {
                entries.retain(|entry| !(entry.path == path && entry.who == *who && entry.role == *role));
                if !delete {
                    entries.push(acl::Entry {
                        path: path.clone(),
                        who: who.clone(),
                        role: role.clone(),
                        propagate,
                    });
                }
            }
        }
        Ok(Value::Null.into())
    }
}

fn roles() -> Value {
    acl::ROLES
        .iter()
        .map(|name| {
            let privileges = acl::role(name).unwrap_or_default().join(",");
            json!({"roleid": name, "privs": privileges, "special": u8::from(*name != "PowerOperator")})
        })
        .collect()
}

fn privileges_map(privileges: &[&'static str]) -> Value {
    let map: Map<String, Value> = privileges
        .iter()
        .map(|name| ((*name).to_owned(), json!(1)))
        .collect();
    Value::Object(map)
}

fn token_row(token: &Token) -> Value {
    let mut row = json!({
        "tokenid": token.id,
        "privsep": u8::from(token.privsep),
        "expire": token.expire,
    });
    if !token.comment.is_empty() {
        row["comment"] = json!(token.comment);
    }
    row
}
