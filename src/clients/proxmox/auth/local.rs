//! Root on a Proxmox VE node: it finds the local API, trusts the local CA and signs its own ticket.
//!
//! A ticket is the text `PVE:root@pam:TIME` (8 upper-case hex digits), `::`, and the base64 of that text's RSA
//! PKCS#1 v1.5 SHA-1 signature with the cluster's ticket key. The server refuses a write that carries no CSRF token.
//! A session that only reads makes none: it is the server that keeps such a session from writing.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use ring::hmac;
use rsa::{
    RsaPrivateKey,
    pkcs1::DecodeRsaPrivateKey,
    pkcs1v15::SigningKey,
    pkcs8::DecodePrivateKey,
    signature::{SignatureEncoding, Signer},
};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

use super::ticket::{Csrf, Ticket};
use crate::{
    clients::{
        Error,
        http::{Address, Trust, read_certificates},
        pve::DEFAULT_PORT,
    },
    domain::Fingerprint,
};

/// Whether this machine is a node, and whether we are its root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Detection {
    /// Proxmox VE does not run here.
    NotANode,
    /// It is a node, but its ticket key cannot be read: only root may.
    NotRoot,
    /// Root on a node.
    Node(Local),
}

/// A node that we are root on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Local {
    etc_pve: PathBuf,
    node: String,
}

impl Local {
    /// Looks below `root`, which is `/` outside of tests.
    pub fn detect(root: &Path) -> Detection {
        let etc_pve = root.join("etc/pve");
        let key = File::open(etc_pve.join("priv/authkey.key"));
        match key {
            Ok(_) => match node_name(&etc_pve, root) {
                Some(node) => Detection::Node(Self { etc_pve, node }),
                None => Detection::NotANode,
            },
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Detection::NotRoot,
            Err(_) => Detection::NotANode,
        }
    }

    /// The name of this node.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Where its own API answers: loopback, or its name if pveproxy listens on one address only.
    ///
    /// # Errors
    /// [`Error::Setup`] if the name of the node cannot be part of an address.
    pub fn addresses(&self) -> Result<Vec<Address>, Error> {
        ["127.0.0.1", "localhost", &self.node]
            .iter()
            .map(|host| Address::parse(host, DEFAULT_PORT))
            .collect()
    }

    /// The cluster's CA and this node's own certificate. Where an uploaded or ACME certificate
    /// (`pveproxy-ssl.pem`) takes its place, that one and the CAs of the system.
    ///
    /// # Errors
    /// [`Error::Setup`] if neither CA nor certificate can be read.
    pub fn trust(&self) -> Result<Trust, Error> {
        let own = self.etc_pve.join("nodes").join(&self.node);
        let ca = self.etc_pve.join("pve-root-ca.pem");
        let leaf = |file: PathBuf| {
            let certificates = read_certificates(&file).ok()?;
            certificates.first().map(|leaf| Fingerprint::of(leaf))
        };
        let uploaded = leaf(own.join("pveproxy-ssl.pem"));
        let trust = Trust {
            system: uploaded.is_some(),
            ca_files: if ca.exists() { vec![ca] } else { Vec::new() },
            pins: uploaded
                .into_iter()
                .chain(leaf(own.join("pve-ssl.pem")))
                .collect(),
        };
        if trust.ca_files.is_empty() && trust.pins.is_empty() {
            return Err(Error::Setup {
                message: format!(
                    "this node has no certificate below {}. Run `pvecm updatecerts`",
                    self.etc_pve.display()
                ),
            });
        }
        Ok(trust)
    }

    /// Signs a ticket for this moment. The key changes every 24 hours: it is read for each ticket.
    pub(super) fn mint_now(&self, csrf: Csrf) -> Result<Ticket, Error> {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        self.mint(seconds, csrf)
    }

    fn mint(&self, seconds: u64, csrf: Csrf) -> Result<Ticket, Error> {
        let file = self.etc_pve.join("priv/authkey.key");
        let bad = |why: &str| Error::Setup {
            message: format!("the ticket key {} cannot be used: {why}", file.display()),
        };
        let pem: SecretString = fs::read_to_string(&file).map_err(|e| bad(&e.to_string()))?.into();
        let key = RsaPrivateKey::from_pkcs8_pem(pem.expose_secret())
            .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem.expose_secret()))
            .map_err(|_| bad("it is no RSA key in PEM form"))?;
        let text = format!("PVE:root@pam:{seconds:08X}");
        let signature = SigningKey::<Sha1>::new(key)
            .try_sign(text.as_bytes())
            .map_err(|_| bad("it is too short to sign with"))?;
        let csrf = match csrf {
            Csrf::Never => None,
            Csrf::Keep => Some(self.mint_csrf(seconds)?),
        };
        let signature = BASE64_STANDARD.encode(signature.to_bytes());
        Ok(Ticket::new(format!("{text}::{signature}"), csrf))
    }

    /// The token that a write needs: the time, and an HMAC over time and user. Its secret is an HMAC over nothing,
    /// with the cluster's `pve-www.key`.
    fn mint_csrf(&self, seconds: u64) -> Result<SecretString, Error> {
        let file = self.etc_pve.join("pve-www.key");
        let key: SecretString = fs::read_to_string(&file)
            .map_err(|e| Error::Setup {
                message: format!("the key {} cannot be used: {e}", file.display()),
            })?
            .into();
        let keyed = |key: &[u8], text: &str| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            BASE64_STANDARD_NO_PAD.encode(hmac::sign(&key, text.as_bytes()))
        };
        let secret = SecretString::from(keyed(key.expose_secret().as_bytes(), ""));
        let time = format!("{seconds:08X}");
        let proof = keyed(secret.expose_secret().as_bytes(), &format!("{time}:root@pam"));
        Ok(format!("{time}:{proof}").into())
    }
}

/// `/etc/pve/local` points to `nodes/NAME`.
fn node_name(etc_pve: &Path, root: &Path) -> Option<String> {
    let from_link = fs::read_link(etc_pve.join("local")).ok();
    let from_link = from_link
        .as_deref()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .map(str::to_owned);
    from_link.or_else(|| {
        let name = fs::read_to_string(root.join("etc/hostname")).ok()?;
        // The node's name is the host's without its domain.
        name.trim()
            .split('.')
            .next()
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const KEY: &str = include_str!("../../../../tests/support/authkey.pem");

    fn node(folder: &Path) -> Local {
        let etc_pve = folder.join("etc/pve");
        fs::create_dir_all(etc_pve.join("priv")).unwrap();
        fs::create_dir_all(etc_pve.join("nodes/pve1")).unwrap();
        symlink("nodes/pve1", etc_pve.join("local")).unwrap();
        fs::write(etc_pve.join("priv/authkey.key"), KEY).unwrap();
        let Detection::Node(local) = Local::detect(folder) else {
            panic!("not detected")
        };
        local
    }

    #[test]
    fn a_ticket_is_what_openssl_signs() {
        let folder = tempfile::tempdir().unwrap();
        let local = node(folder.path());
        // printf PVE:root@pam:6B0135DE | openssl dgst -sha1 -sign authkey.pem | base64 -w0
        let expected = "PVE:root@pam:6B0135DE::AD1cJEYGbsKXub3D6B86gDJ6M6119P8ZPqshN/QH3jCJpWDw0hBQWhrrwupqCCkpM8kb\
                        Ro9gCemhL3RIBxTxiFHYzyIgOE9ZCWwtE5wGyp9tuiX1td3ZpxofTQWmtcmubSe4jfhSEj3WXnsB9Dz34B2fqfCRy2ZPNEE7\
                        +UYyApVQH9SNuGQuwHBkZeNl48aS4mzPOmU0QQotu1DXAwul6li+UqC8y8CWXWFVi9ym9dHP067BrdeBcg90oD9+fWhbzcMq\
                        ydNe/caQBNEidvAMhip9HhsZ/YU3KdRZo4fzMVpJA7Ig61UojCSRXCjgLmjty7dtLajEqpj9NOfxuBRG9A==";
        assert_eq!(local.mint(0x6B01_35DE, Csrf::Never).unwrap().text(), expected);
    }

    #[test]
    fn a_csrf_token_is_made_only_for_who_may_write() {
        let folder = tempfile::tempdir().unwrap();
        let local = node(folder.path());
        assert!(local.mint(0x6B01_35DE, Csrf::Never).unwrap().csrf().is_none());
        let error = local.mint(0x6B01_35DE, Csrf::Keep).unwrap_err().to_string();
        assert!(error.contains("pve-www.key"), "{error}");
        fs::write(
            folder.path().join("etc/pve/pve-www.key"),
            "key of the web server\n",
        )
        .unwrap();
        let ticket = local.mint(0x6B01_35DE, Csrf::Keep).unwrap();
        assert_eq!(
            ticket.csrf().unwrap().expose_secret(),
            "6B0135DE:vTLuifytMyJliux/gaDJqEQRwioZ4ynJaem3K0eubjo"
        );
        assert!(!format!("{ticket:?}").contains("6B0135DE"));
    }

    #[test]
    fn the_key_is_read_again_for_each_ticket() {
        let folder = tempfile::tempdir().unwrap();
        let local = node(folder.path());
        local.mint(1, Csrf::Never).unwrap();
        fs::write(folder.path().join("etc/pve/priv/authkey.key"), "hello").unwrap();
        let error = local.mint(2, Csrf::Never).unwrap_err().to_string();
        assert!(
            error.contains("no RSA key") && !error.contains("hello"),
            "{error}"
        );
    }

    #[test]
    fn nodes_are_told_from_other_machines() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Local::detect(folder.path()), Detection::NotANode);
        let local = node(folder.path());
        assert_eq!(local.node(), "pve1");
        let addresses = local.addresses().unwrap();
        assert_eq!(
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "https://127.0.0.1:8006",
                "https://localhost:8006",
                "https://pve1:8006"
            ]
        );
        let key = folder.path().join("etc/pve/priv/authkey.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o000)).unwrap();
        // Root reads everything, whatever the mode says.
        if File::open(&key).is_err() {
            assert_eq!(Local::detect(folder.path()), Detection::NotRoot);
        }
    }

    #[test]
    fn the_local_ca_is_trusted_and_an_uploaded_certificate_takes_over() {
        let folder = tempfile::tempdir().unwrap();
        let local = node(folder.path());
        assert!(
            local
                .trust()
                .unwrap_err()
                .to_string()
                .contains("pvecm updatecerts")
        );
        let signed = rcgen::generate_simple_self_signed(["pve1".to_owned()]).unwrap();
        let etc_pve = folder.path().join("etc/pve");
        fs::write(etc_pve.join("pve-root-ca.pem"), signed.cert.pem()).unwrap();
        let trust = local.trust().unwrap();
        assert_eq!(
            (trust.system, trust.ca_files.len(), trust.pins.len()),
            (false, 1, 0)
        );
        fs::write(etc_pve.join("nodes/pve1/pveproxy-ssl.pem"), signed.cert.pem()).unwrap();
        let trust = local.trust().unwrap();
        assert!(trust.system);
        assert_eq!(trust.pins, [Fingerprint::of(signed.cert.der())]);
    }
}
