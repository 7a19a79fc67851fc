//! Which certificates are trusted.

use std::{fmt, path::PathBuf, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, OtherError, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::{clients::Error, domain::Fingerprint};

/// What makes a certificate trusted. Any of the parts is enough.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trust {
    /// The CAs of the system.
    pub system: bool,
    /// PEM files: CAs, or exactly the server's certificate.
    pub ca_files: Vec<PathBuf>,
    /// Fingerprints of the server's certificate. With only these, names, dates and issuers do not matter.
    pub pins: Vec<Fingerprint>,
}

impl Trust {
    /// The CAs of the system.
    pub fn system() -> Self {
        Self {
            system: true,
            ..Self::default()
        }
    }

    /// CAs in PEM files.
    pub fn ca_files(files: Vec<PathBuf>) -> Self {
        Self {
            ca_files: files,
            ..Self::default()
        }
    }

    /// Exactly these certificates.
    pub fn pinned(pins: Vec<Fingerprint>) -> Self {
        Self {
            pins,
            ..Self::default()
        }
    }

    /// The TLS configuration that trusts so.
    pub(super) fn tls_config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new(self, &provider)?;
        tls_config(&provider, Arc::new(verifier))
    }
}

/// HTTP/1.1 only: pveproxy speaks nothing else.
pub(super) fn tls_config(
    provider: &Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::Setup {
            message: format!("TLS cannot be set up: {e}"),
        })?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The verdict over a certificate, as it travels through the TLS library's errors.
#[derive(Clone, Debug)]
pub(super) struct Distrust {
    pub(super) expected: Vec<Fingerprint>,
    pub(super) seen: Fingerprint,
    pub(super) reason: String,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Distrust {}

#[derive(Debug)]
struct Verifier {
    pins: Vec<Fingerprint>,
    /// Certificates of the CA files: a server may show one of them itself.
    named: Vec<Fingerprint>,
    anchors: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        let mut named = Vec::new();
        if trust.system {
            // Single unusable files of the system's store are its own matter.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for file in &trust.ca_files {
            for certificate in read_certificates(file)? {
                named.push(Fingerprint::of(&certificate));
                // One that webpki does not take as an anchor can still be the server's own.
                if let Err(error) = roots.add(certificate) {
                    tracing::debug!(file = %file.display(), %error, "not usable as a CA");
                }
            }
        }
        if roots.is_empty() && named.is_empty() && trust.pins.is_empty() {
            return Err(Error::Setup {
                message:
                    "no certificate can be trusted: this system has no CAs. Name a CA file or a fingerprint"
                        .to_owned(),
            });
        }
        let anchors = if roots.is_empty() {
            None
        } else {
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                .build()
                .map_err(|e| Error::Setup {
                    message: format!("the CAs cannot be used: {e}"),
                })?;
            Some(verifier)
        };
        Ok(Self {
            pins: trust.pins.clone(),
            named,
            anchors,
            provider: Arc::clone(provider),
        })
    }
}

/// The certificates of a PEM file.
///
/// # Errors
/// [`Error::Setup`] if it cannot be read or holds none.
pub(crate) fn read_certificates(file: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bad = |why: String| Error::Setup {
        message: format!("CA file {}: {why}", file.display()),
    };
    let pem = std::fs::read(file).map_err(|e| bad(e.to_string()))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|e| bad(e.to_string()))?;
    if certificates.is_empty() {
        return Err(bad("it holds no certificate (PEM is expected)".to_owned()));
    }
    Ok(certificates)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen = Fingerprint::of(end_entity);
        if self.pins.contains(&seen) || self.named.contains(&seen) {
            return Ok(ServerCertVerified::assertion());
        }
        let reason = match &self.anchors {
            None => "its fingerprint differs from the pinned one".to_owned(),
            Some(anchors) => {
                match anchors.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
                    Ok(verified) => return Ok(verified),
                    Err(error) => reason(&error, server_name),
                }
            }
        };
        let expected = if self.anchors.is_none() {
            self.pins.clone()
        } else {
            Vec::new()
        };
        let distrust = Distrust {
            expected,
            seen,
            reason,
        };
        Err(CertificateError::Other(OtherError(Arc::new(distrust))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        None
    }
}

/// The library's verdict in words that name the remedy.
fn reason(error: &rustls::Error, name: &ServerName<'_>) -> String {
    let rustls::Error::InvalidCertificate(error) = error else {
        return error.to_string();
    };
    match error {
        CertificateError::UnknownIssuer => "no trusted CA has signed it".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired, or a clock is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet, or a clock is wrong".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("it does not name {}", name.to_str())
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_in_every_spelling() {
        let print = Fingerprint::of(b"abc");
        let text =
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
        assert_eq!(print.to_string(), text);
        for spelling in [
            text.to_owned(),
            text.to_lowercase(),
            text.replace(':', ""),
            format!(" {text}\n"),
        ] {
            assert_eq!(spelling.parse::<Fingerprint>().unwrap(), print);
        }
        for bad in [
            "",
            "BA:78",
            &text[1..],
            &format!("{text}:00"),
            &text.replace("BA", "XY"),
        ] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn unusable_ca_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let missing = Trust::ca_files(vec![file.clone()])
            .tls_config()
            .unwrap_err()
            .to_string();
        assert!(missing.contains("ca.pem"), "{missing}");
        std::fs::write(&file, "hello").unwrap();
        let empty = Trust::ca_files(vec![file]).tls_config().unwrap_err().to_string();
        assert!(empty.contains("no certificate"), "{empty}");
        assert!(
            Trust::default().tls_config().is_err(),
            "trusting nobody is a mistake"
        );
    }
}
