//! Verification of server certificates. webpki decides; the reasons of failures are converted to those of Node.js
//! (OpenSSL).

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::VerifierBuilderError;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use webpki::EndEntityCert;

/// Why a certificate is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustFailure {
    /// The certificate is self-signed and is not a trusted root.
    #[error("self-signed certificate")]
    SelfSigned,
    /// The chain ends with a self-signed certificate that is not a trusted root.
    #[error("self-signed certificate in certificate chain")]
    SelfSignedInChain,
    /// The server sent only its certificate, and its issuer is not a trusted root.
    #[error("unable to verify the first certificate")]
    UnverifiedLeaf,
    /// The issuer of the last certificate is not a trusted root.
    #[error("unable to get local issuer certificate")]
    UnknownIssuer,
    /// The certificate has expired.
    #[error("certificate has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("certificate is not yet valid")]
    NotYetValid,
    /// The certificate was revoked.
    #[error("certificate revoked")]
    Revoked,
    /// The signature of the certificate is invalid.
    #[error("certificate signature failure")]
    BadSignature,
    /// The certificate is for other names.
    #[error("the certificate is not valid for this name")]
    WrongName {
        /// The names in the certificate, in the notation of Node.js: `DNS:example.test`, `IP Address:127.0.0.1`.
        presented: Vec<String>,
        /// The expected name.
        expected: String,
    },
    /// Another error.
    #[error("invalid certificate: {0}")]
    Other(String),
}

/// Verifies a server's certificate, or accepts every certificate.
#[derive(Debug)]
pub(super) struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    /// Roots of the caller. A server may use one of them as its own certificate. OpenSSL accepts that. webpki refuses
    /// it if the certificate is marked as a CA, as most self-signed certificates are.
    pinned: Vec<CertificateDer<'static>>,
    /// Whether certificates are verified. If false, every certificate is accepted.
    enforced: bool,
}

impl Verifier {
    pub(super) fn new(
        roots: RootCertStore,
        pinned: Vec<CertificateDer<'static>>,
        enforced: bool,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self {
            webpki,
            pinned,
            enforced,
        })
    }

    /// Checks whether the only error is that a root of the caller is used as a server certificate. If so, returns
    /// whether the certificate is valid for `name`; otherwise returns `None`. webpki has already checked the validity
    /// dates, but not the name.
    fn is_pinned(&self, fault: &rustls::Error, leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> Option<bool> {
        let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = fault else {
            return None;
        };
        let is_authority = other.0.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity);
        if !is_authority || !self.pinned.contains(leaf) {
            return None;
        }
        let leaf = EndEntityCert::try_from(leaf).ok()?;
        Some(leaf.verify_is_valid_for_subject_name(name).is_ok())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if !self.enforced {
            return Ok(ServerCertVerified::assertion());
        }
        let fault = match self
            .webpki
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            Ok(verified) => return Ok(verified),
            Err(fault) => fault,
        };
        let failure = match self.is_pinned(&fault, end_entity, server_name) {
            Some(true) => return Ok(ServerCertVerified::assertion()),
            Some(false) => wrong_name(end_entity, server_name),
            None => classify(&fault, end_entity, intermediates, server_name),
        };
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(
            Arc::new(failure),
        ))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Converts an error of webpki to the reasons of OpenSSL.
fn classify(
    fault: &rustls::Error,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    name: &ServerName<'_>,
) -> TrustFailure {
    let rustls::Error::InvalidCertificate(error) = fault else {
        return TrustFailure::Other(fault.to_string());
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TrustFailure::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TrustFailure::NotYetValid,
        CertificateError::Revoked => TrustFailure::Revoked,
        CertificateError::BadSignature => TrustFailure::BadSignature,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => wrong_name(leaf, name),
        _ if is_self_signed(leaf) => TrustFailure::SelfSigned,
        CertificateError::UnknownIssuer if intermediates.iter().any(is_self_signed) => TrustFailure::SelfSignedInChain,
        CertificateError::UnknownIssuer if intermediates.is_empty() => TrustFailure::UnverifiedLeaf,
        CertificateError::UnknownIssuer => TrustFailure::UnknownIssuer,
        other => TrustFailure::Other(format!("{other:?}")),
    }
}

fn wrong_name(leaf: &CertificateDer<'_>, expected: &ServerName<'_>) -> TrustFailure {
    TrustFailure::WrongName {
        presented: presented_names(leaf),
        expected: expected.to_str().into_owned(),
    }
}

/// Whether the issuer of a certificate is its own subject.
fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|parsed| parsed.issuer() == parsed.subject())
}

/// The names in a certificate.
fn presented_names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(parsed) = EndEntityCert::try_from(certificate) else {
        return Vec::new();
    };
    // webpki only reports names of the requested kind: host names for a host name, addresses for an address. Therefore
    // both kinds are requested.
    let mut names = Vec::new();
    for probe in ["name.invalid", "192.0.2.1"] {
        let Ok(probe) = ServerName::try_from(probe) else {
            continue;
        };
        if let Err(webpki::Error::CertNotValidForName(context)) = parsed.verify_is_valid_for_subject_name(&probe) {
            for name in context.presented {
                let name = node_name(&name);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    names
}

/// Converts webpki's `DnsName("a.test")` and `IpAddress(127.0.0.1)` to the notation of Node.js.
fn node_name(name: &str) -> String {
    let inner = |prefix: &str| {
        name.strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(')'))
            .map(|value| value.trim_matches('"'))
    };
    if let Some(dns) = inner("DnsName(") {
        format!("DNS:{dns}")
    } else if let Some(address) = inner("IpAddress(") {
        format!("IP Address:{address}")
    } else {
        name.to_owned()
    }
}
