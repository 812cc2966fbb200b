//! Verifies the server's certificate with the same result as Node (OpenSSL). webpki builds the chain; this module makes
//! the checks that webpki does not make. Errors have OpenSSL's codes and texts.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::certificate::Facts;
use super::identity;

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
    /// No root has issued the last certificate of the chain.
    #[error("unable to get local issuer certificate")]
    UnknownIssuer,
    /// The chain ends in a certificate that the caller trusts, but it is not self-signed and no root has issued it.
    #[error("unable to get issuer certificate")]
    UnknownRoot,
    /// A certificate has expired.
    #[error("certificate has expired")]
    Expired,
    /// A certificate is not valid yet.
    #[error("certificate is not yet valid")]
    NotYetValid,
    /// A certificate was revoked.
    #[error("certificate revoked")]
    Revoked,
    /// The signature of a certificate is wrong.
    #[error("certificate signature failure")]
    BadSignature,
    /// A certificate of the chain is not allowed to issue certificates.
    #[error("invalid CA certificate")]
    InvalidAuthority,
    /// The chain is longer than the path length of one of its certificates allows.
    #[error("path length constraint exceeded")]
    PathTooLong,
    /// The server's certificate is not for TLS servers.
    #[error("unsupported certificate purpose")]
    WrongPurpose,
    /// The server's certificate is valid for other names.
    #[error("the certificate is not valid for this name")]
    WrongName {
        /// The names that the certificate is valid for, in the format of Node: `DNS:example.test` or
        /// `IP Address:127.0.0.1`.
        presented: Vec<String>,
        /// The common names of its subject. They are only used if there is no DNS name.
        common_names: Vec<String>,
        /// The expected name.
        expected: String,
    },
    /// Another reason.
    #[error("invalid certificate: {0}")]
    Rejected(String),
    /// The certificate cannot be verified: it uses a feature that webpki or ring does not support, such as a kind of
    /// key.
    #[error("baileys-native cannot verify this certificate: {0}")]
    Unsupported(String),
}

/// A certificate that the caller trusts.
#[derive(Debug)]
struct Given {
    certificate: CertificateDer<'static>,
    facts: Facts,
}

/// Verifies a server's certificate against roots, or accepts any.
#[derive(Debug)]
pub(super) struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    /// The roots: the bundled ones, then the self-signed authorities of `given`.
    anchors: Vec<TrustAnchor<'static>>,
    /// For each root that comes from `given`: its index in `given`.
    anchors_given: Vec<usize>,
    /// The certificates that the caller trusts. A server may use a self-signed one as its own certificate.
    given: Vec<Given>,
    /// The certificates of `given` that are not self-signed. They can be intermediate certificates of a chain.
    between: Vec<CertificateDer<'static>>,
    /// `false` accepts every certificate.
    enforced: bool,
}

impl Verifier {
    /// Whether the caller can trust this certificate.
    pub(super) fn takes(certificate: &CertificateDer<'_>) -> bool {
        Facts::read(certificate).is_some() && webpki::anchor_from_trusted_cert(certificate).is_ok()
    }

    /// A verifier with the roots `bundled` and the certificates `given` by the caller.
    ///
    /// # Errors
    /// Returns a description if a certificate of `given` is malformed.
    pub(super) fn new(
        bundled: &[TrustAnchor<'static>],
        given: Vec<CertificateDer<'static>>,
        enforced: bool,
        provider: &CryptoProvider,
    ) -> Result<Self, String> {
        let mut verifier = Self {
            algorithms: provider.signature_verification_algorithms,
            anchors: bundled.to_vec(),
            anchors_given: Vec::new(),
            given: Vec::with_capacity(given.len()),
            between: Vec::new(),
            enforced,
        };
        for certificate in given {
            let facts = Facts::read(&certificate).ok_or("not a certificate in DER")?;
            if !facts.is_self_issued() {
                verifier.between.push(certificate.clone());
            } else if facts.is_authority {
                let anchor = webpki::anchor_from_trusted_cert(&certificate).map_err(|error| error.to_string())?;
                verifier.anchors.push(anchor.to_owned());
                verifier.anchors_given.push(verifier.given.len());
            }
            verifier.given.push(Given { certificate, facts });
        }
        Ok(verifier)
    }

    /// Verifies a server's certificate.
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TrustFailure> {
        let facts = Facts::read(leaf).ok_or_else(|| TrustFailure::Unsupported("not in DER".into()))?;
        let is_given = |given: &Given| given.certificate == *leaf;
        if facts.is_self_issued() {
            if !self.given.iter().any(is_given) {
                return Err(TrustFailure::SelfSigned);
            }
            check_dates(&facts, now)?;
        } else {
            self.check_chain(leaf, intermediates, now)?;
        }
        if !facts.is_for_servers || !facts.has_key_for_tls {
            return Err(TrustFailure::WrongPurpose);
        }
        let expected = name.to_str();
        if identity::is_valid_for(&facts, &expected) {
            return Ok(());
        }
        Err(TrustFailure::WrongName {
            presented: identity::presented(&facts),
            common_names: facts.common_names,
            expected: expected.into_owned(),
        })
    }

    /// Checks that a chain leads from a root to `leaf`.
    fn check_chain(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), TrustFailure> {
        let unsupported = |error: webpki::Error| TrustFailure::Unsupported(error.to_string());
        let parsed = EndEntityCert::try_from(leaf).map_err(unsupported)?;
        let between: Vec<_> = intermediates.iter().chain(&self.between).cloned().collect();
        let usage = KeyUsage::server_auth();
        let check = |path: &VerifiedPath<'_>| self.check_anchor(path, now);
        let verified = parsed.verify_for_usage(
            self.algorithms.all,
            &self.anchors,
            &between,
            now,
            usage,
            None,
            Some(&check),
        );
        match verified {
            Ok(_) => Ok(()),
            Err(fault) => Err(self.classify(fault, leaf, intermediates)),
        }
    }

    /// Makes the checks of a root that OpenSSL makes and webpki does not.
    fn check_anchor(&self, path: &VerifiedPath<'_>, now: UnixTime) -> Result<(), webpki::Error> {
        let bundled = self.anchors.len() - self.anchors_given.len();
        let number = self
            .anchors
            .iter()
            .position(|anchor| std::ptr::eq(anchor, path.anchor()));
        let given = number
            .and_then(|number| number.checked_sub(bundled))
            .and_then(|number| self.anchors_given.get(number))
            .and_then(|number| self.given.get(*number));
        let Some(Given { facts, .. }) = given else {
            return Ok(());
        };
        match check_dates(facts, now) {
            Err(TrustFailure::Expired) => {
                return Err(webpki::Error::CertExpired {
                    time: now,
                    not_after: now,
                });
            }
            Err(_) => {
                return Err(webpki::Error::CertNotValidYet {
                    time: now,
                    not_before: now,
                });
            }
            Ok(()) => {}
        }
        let authorities = path.intermediate_certificates().count();
        if facts.path_length.is_some_and(|most| authorities > most) {
            return Err(webpki::Error::PathLenConstraintViolated);
        }
        if !facts.is_for_servers {
            return Err(webpki::Error::CertDistrusted);
        }
        Ok(())
    }

    /// Converts an error of webpki to one of OpenSSL.
    fn classify(
        &self,
        fault: webpki::Error,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> TrustFailure {
        use webpki::Error as E;
        let chain: Vec<_> = std::iter::once(leaf)
            .chain(intermediates)
            .filter_map(Facts::read)
            .collect();
        match fault {
            E::CertExpired { .. } => TrustFailure::Expired,
            E::CertNotValidYet { .. } => TrustFailure::NotYetValid,
            E::CertRevoked => TrustFailure::Revoked,
            E::EndEntityUsedAsCa => TrustFailure::InvalidAuthority,
            E::PathLenConstraintViolated => TrustFailure::PathTooLong,
            E::CertDistrusted | E::RequiredEkuNotFoundContext(_) => TrustFailure::WrongPurpose,
            E::NameConstraintViolation => TrustFailure::Rejected(fault.to_string()),
            E::InvalidSignatureForPublicKey => {
                // ring reports a signature by an unsupported key in the same way.
                let mut all = chain.iter().chain(self.given.iter().map(|given| &given.facts));
                if all.all(|facts| facts.has_known_key) {
                    TrustFailure::BadSignature
                } else {
                    TrustFailure::Unsupported("a key of its chain has a size that is not supported".into())
                }
            }
            E::UnknownIssuer => self.classify_unknown_issuer(&chain),
            other => TrustFailure::Unsupported(other.to_string()),
        }
    }

    /// The error for a chain that does not end in a root.
    fn classify_unknown_issuer(&self, chain: &[Facts]) -> TrustFailure {
        let has_issued = |given: &&Given| chain.iter().any(|facts| facts.issuer == given.facts.subject);
        match self.given.iter().find(has_issued) {
            Some(given) if given.facts.is_self_issued() && !given.facts.is_authority => TrustFailure::InvalidAuthority,
            Some(given) if !given.facts.is_self_issued() => TrustFailure::UnknownRoot,
            _ if chain.iter().skip(1).any(Facts::is_self_issued) => TrustFailure::SelfSignedInChain,
            _ if chain.len() == 1 => TrustFailure::UnverifiedLeaf,
            _ => TrustFailure::UnknownIssuer,
        }
    }

    /// The result of the check of a handshake signature. If certificates are not enforced, a signature of an
    /// unsupported kind counts as valid: a client that accepts every certificate gains nothing from the signature.
    fn signature(
        &self,
        verified: Result<HandshakeSignatureValid, rustls::Error>,
        certificate: &CertificateDer<'_>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let Err(fault) = verified else { return verified };
        let has_known_key = Facts::read(certificate).is_some_and(|facts| facts.has_known_key);
        if has_known_key && EndEntityCert::try_from(certificate).is_ok() {
            return Err(fault);
        }
        if self.enforced {
            return Err(refused(TrustFailure::Unsupported(
                "its key is of a kind or size that is not supported".into(),
            )));
        }
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.enforced {
            self.judge(end_entity, intermediates, server_name, now)
                .map_err(refused)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(verify_tls12_signature(message, cert, dss, &self.algorithms), cert)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(verify_tls13_signature(message, cert, dss, &self.algorithms), cert)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.algorithms.supported_schemes();
        if !self.enforced {
            // Without enforcement, signatures of these keys are accepted and not verified: P-521, Ed448, and RSA keys
            // only for PSS (RFC 8446, section 4.2.3).
            schemes.extend([SignatureScheme::ECDSA_NISTP521_SHA512, SignatureScheme::ED448]);
            schemes.extend([0x0809, 0x080a, 0x080b].map(SignatureScheme::Unknown));
        }
        schemes
    }
}

fn check_dates(facts: &Facts, now: UnixTime) -> Result<(), TrustFailure> {
    if now.as_secs() < facts.not_before {
        return Err(TrustFailure::NotYetValid);
    }
    if now.as_secs() > facts.not_after {
        return Err(TrustFailure::Expired);
    }
    Ok(())
}

/// Converts the failure to an error of rustls.
fn refused(failure: TrustFailure) -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(failure))))
}
