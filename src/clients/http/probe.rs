//! A look at a server's certificate, before anything is sent to it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_cert::{Certificate, der::Decode};

use super::{
    Address,
    trust::tls_config,
    wire::{find, tls_failed},
};
use crate::{clients::Error, domain::Fingerprint};

/// The certificate that a server shows. Names are foreign text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenCertificate {
    /// Its SHA-256.
    pub fingerprint: Fingerprint,
    /// Whom it names; empty if it could not be read.
    pub subject: String,
    /// Who signed it; empty if it could not be read.
    pub issuer: String,
    /// First moment of validity.
    pub not_before: Option<Timestamp>,
    /// Last moment of validity.
    pub not_after: Option<Timestamp>,
}

/// Connects, takes the certificate and hangs up. No request is sent, and nobody is trusted by this.
///
/// # Errors
/// [`Error::Unreachable`] or [`Error::Malformed`] if no TLS connection comes about.
pub async fn probe_certificate(address: &Address, timeout: Duration) -> Result<SeenCertificate, Error> {
    match tokio::time::timeout(timeout, handshake(address)).await {
        Ok(der) => Ok(describe(&der?)),
        Err(_) => Err(Error::Unreachable {
            address: address.to_string(),
            cause: format!("no connection within {} s", timeout.as_secs()),
        }),
    }
}

async fn handshake(address: &Address) -> Result<CertificateDer<'static>, Error> {
    let unreachable = |cause: String| Error::Unreachable {
        address: address.to_string(),
        cause,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = tls_config(
        &provider,
        Arc::new(Witness {
            provider: Arc::clone(&provider),
        }),
    )?;
    let name = ServerName::try_from(address.host().to_owned()).map_err(|e| unreachable(e.to_string()))?;
    let tcp = TcpStream::connect((address.host(), address.port()))
        .await
        .map_err(|e| unreachable(e.to_string()))?;
    let tls = TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .map_err(|e| match find::<rustls::Error>(&e) {
            Some(tls) => tls_failed(address.to_string(), tls),
            None => unreachable(e.to_string()),
        })?;
    let (_, connection) = tls.get_ref();
    let leaf = connection.peer_certificates().and_then(<[_]>::first);
    leaf.map(|leaf| leaf.clone().into_owned())
        .ok_or_else(|| Error::Malformed {
            message: format!("{address} shows no certificate"),
        })
}

fn describe(der: &CertificateDer<'_>) -> SeenCertificate {
    let mut seen = SeenCertificate {
        fingerprint: Fingerprint::of(der),
        subject: String::new(),
        issuer: String::new(),
        not_before: None,
        not_after: None,
    };
    if let Ok(certificate) = Certificate::from_der(der) {
        let fields = certificate.tbs_certificate;
        let moment = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
            Timestamp::from_second(seconds).ok()
        };
        seen.subject = fields.subject.to_string();
        seen.issuer = fields.issuer.to_string();
        seen.not_before = moment(fields.validity.not_before);
        seen.not_after = moment(fields.validity.not_after);
    }
    seen
}

/// Looks and does not judge; that the server holds the key is still verified.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
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
}
