//! Certificate verification as Node judges it: webpki decides, the reason is told in Node's (OpenSSL's) terms.

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
    /// The server's certificate is self-signed and not among the roots.
    #[error("self-signed certificate")]
    SelfSigned,
    /// The chain ends in a self-signed certificate that is not among the roots.
    #[error("self-signed certificate in certificate chain")]
    SelfSignedInChain,
    /// The server sent its certificate alone, and the issuer is not among the roots.
    #[error("unable to verify the first certificate")]
    UnverifiedLeaf,
    /// The chain's last certificate was issued by none of the roots.
    #[error("unable to get local issuer certificate")]
    UnknownIssuer,
    /// Its validity has ended.
    #[error("certificate has expired")]
    Expired,
    /// Its validity has not begun.
    #[error("certificate is not yet valid")]
    NotYetValid,
    /// It was revoked.
    #[error("certificate revoked")]
    Revoked,
    /// Its issuer did not sign it.
    #[error("certificate signature failure")]
    BadSignature,
    /// It is valid for other names.
    #[error("the certificate is not valid for this name")]
    WrongName {
        /// The names that it is valid for, as Node writes them: `DNS:example.test`, `IP Address:127.0.0.1`.
        presented: Vec<String>,
        /// The name that it had to be valid for.
        expected: String,
    },
    /// Another fault.
    #[error("invalid certificate: {0}")]
    Other(String),
}

/// Verifies a server's certificate against roots, or accepts any.
#[derive(Debug)]
pub(super) struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    /// Roots that the caller gave. A server may use one of them as its own certificate, which OpenSSL accepts and
    /// webpki does not where it is marked as an authority (as most self-signed ones are).
    pinned: Vec<CertificateDer<'static>>,
    /// `false` accepts every certificate.
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

    /// Whether the fault is only that a root of the caller's serves as the server's own certificate. Its dates have
    /// been checked by then (webpki looks at them first); its name has not.
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

/// webpki's fault in OpenSSL's terms.
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

/// Whether a certificate names itself as its issuer.
fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|parsed| parsed.issuer() == parsed.subject())
}

/// The names that a certificate is valid for.
fn presented_names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(parsed) = EndEntityCert::try_from(certificate) else {
        return Vec::new();
    };
    // webpki lists addresses only where it compares with one, and names likewise, so both are asked for.
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

/// webpki's `DnsName("a.test")` and `IpAddress(127.0.0.1)` as Node writes them.
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
