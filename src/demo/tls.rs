//! Certificates: a CA for each cluster, and a leaf for each node signed by it.

use std::{net::IpAddr, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use ring::digest;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::world::NodeCertificate;

/// A CA that signs the nodes of one cluster.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The CA's certificate as PEM.
    pub(super) pem: String,
    /// Seconds since the epoch.
    pub(super) end: i64,
}

/// A node's certificate with its key.
pub(super) struct Leaf {
    pub(super) certificate: NodeCertificate,
    der: Vec<u8>,
    key: Vec<u8>,
}

const DAY: i64 = 86_400;

impl Authority {
    /// Makes a CA that ends ten years after `now`.
    pub(super) fn new(unit: &str, now: i64) -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Proxmox Virtual Environment");
        params
            .distinguished_name
            .push(DnType::OrganizationalUnitName, unit);
        params
            .distinguished_name
            .push(DnType::OrganizationName, "PVE Cluster Manager CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let end = now + 3650 * DAY;
        set_life(&mut params, now - DAY, end);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
            end,
        })
    }

    /// Signs a certificate for a node that ends in `days`.
    pub(super) fn sign(&self, node: &str, address: &str, now: i64, days: i64) -> anyhow::Result<Leaf> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), node.to_owned()])?;
        params
            .distinguished_name
            .push(DnType::OrganizationalUnitName, "PVE Cluster Node");
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Proxmox Virtual Environment");
        params.distinguished_name.push(DnType::CommonName, node);
        for address in ["127.0.0.1", "::1", address] {
            params
                .subject_alt_names
                .push(SanType::IpAddress(address.parse::<IpAddr>()?));
        }
        let end = now + days * DAY;
        set_life(&mut params, now - DAY, end);
        let key = KeyPair::generate()?;
        let signed = params.signed_by(&key, &self.issuer)?;
        Ok(Leaf {
            certificate: NodeCertificate {
                pem: signed.pem(),
                fingerprint: fingerprint(signed.der()),
                end,
            },
            der: signed.der().to_vec(),
            key: key.serialize_der(),
        })
    }
}

impl Leaf {
    /// The TLS side of the server; HTTP/1.1 only, as the real one.
    pub(super) fn server(&self) -> anyhow::Result<Arc<rustls::ServerConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone().into()], key)?;
        Ok(Arc::new(config))
    }
}

fn set_life(params: &mut CertificateParams, from: i64, to: i64) {
    let date = |at: i64| {
        let time = jiff::Timestamp::from_second(at)
            .unwrap_or_default()
            .to_zoned(jiff::tz::TimeZone::UTC);
        rcgen::date_time_ymd(
            i32::from(time.year()),
            time.month().unsigned_abs(),
            time.day().unsigned_abs(),
        )
    };
    params.not_before = date(from);
    params.not_after = date(to);
}

/// The SHA-256 fingerprint of a certificate, as Proxmox writes it.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, der);
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect::<Vec<_>>()
        .join(":")
}

/// The fingerprint of a certificate in PEM.
pub(super) fn fingerprint_of_pem(pem: &str) -> String {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    BASE64
        .decode(body)
        .map(|der| fingerprint(&der))
        .unwrap_or_default()
}
