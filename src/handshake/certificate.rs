//! The certificate chain in ServerHello: root, intermediate, leaf. The leaf certifies the server's static key.

use super::messages::decode;
use super::{HandshakeError, xeddsa};
use crate::{
    noise::PublicKey,
    proto::{
        CertChain,
        cert_chain::{NoiseCertificate, noise_certificate::Details},
    },
};

/// A root that is trusted to sign intermediate certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedRoot {
    /// The public key of the root.
    pub public_key: [u8; 32],
    /// The issuer serial that the intermediate certificate must have.
    pub serial: u32,
}

/// WhatsApp's root "WhatsAppLongTerm1" (source: Baileys 7.0.0-rc14, `WA_CERT_DETAILS`).
pub const WHATSAPP_ROOT: TrustedRoot = TrustedRoot {
    public_key: [
        0x14, 0x23, 0x75, 0x57, 0x4d, 0x0a, 0x58, 0x71, 0x66, 0xaa, 0xe7, 0x1e, 0xbe, 0x51, 0x64, 0x37, 0xc4, 0xa2,
        0x8b, 0x73, 0xe3, 0x69, 0x5c, 0x6c, 0xe1, 0xf7, 0xf9, 0x54, 0x5d, 0xa8, 0xee, 0x6b,
    ],
    serial: 0,
};

impl Default for TrustedRoot {
    fn default() -> Self {
        WHATSAPP_ROOT
    }
}

/// Tolerance for a wrong clock of this machine when the validity of certificates is checked, in seconds: one day.
const CLOCK_TOLERANCE: u64 = 24 * 60 * 60;

/// The serial and validity of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The serial number. 0 if the certificate has none.
    pub serial: u32,
    /// Start of the validity, in seconds since 1970. `None` if the certificate has none.
    pub not_before: Option<u64>,
    /// Last second of the validity, since 1970. `None` if the certificate has none.
    pub not_after: Option<u64>,
}

impl Certificate {
    /// Whether the certificate is valid at a time, in seconds since 1970. A missing start or end does not limit the
    /// validity.
    #[must_use]
    pub fn is_valid_at(&self, seconds: u64) -> bool {
        self.not_before.is_none_or(|first| first <= seconds) && self.not_after.is_none_or(|last| seconds <= last)
    }
}

/// A chain with correct signatures, serials and key. The validity is reported but not checked, as in Baileys. The
/// caller checks it, because the clock of the machine can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateReport {
    /// The key that the leaf certifies: the server's static key. A later handshake can resume with it.
    pub server_static: PublicKey,
    /// The leaf certificate.
    pub leaf: Certificate,
    /// The intermediate certificate.
    pub intermediate: Certificate,
}

impl CertificateReport {
    /// Whether both certificates are valid at a time, in seconds since 1970.
    #[must_use]
    pub fn is_valid_at(&self, seconds: u64) -> bool {
        self.leaf.is_valid_at(seconds) && self.intermediate.is_valid_at(seconds)
    }

    /// The same for a clock that may be wrong by a day.
    #[must_use]
    pub fn is_valid_near(&self, seconds: u64) -> bool {
        [&self.leaf, &self.intermediate].into_iter().all(|certificate| {
            let begun = certificate
                .not_before
                .is_none_or(|first| first <= seconds.saturating_add(CLOCK_TOLERANCE));
            begun
                && certificate
                    .not_after
                    .is_none_or(|last| seconds.saturating_sub(CLOCK_TOLERANCE) <= last)
        })
    }
}

/// Checks that the encoded CertChain `chain` certifies `server_static` with one of `roots`.
///
/// The first checks are those of Baileys, in its order: presence, signatures, issuer of the intermediate certificate.
/// WhatsApp Web and whatsmeow also check the issuer and the key of the leaf; these checks follow.
pub(super) fn verify_chain(
    chain: &[u8],
    server_static: &PublicKey,
    roots: &[TrustedRoot],
) -> Result<CertificateReport, HandshakeError> {
    let chain = decode::<CertChain>("certificate chain", chain)?;
    let (leaf_bytes, leaf_signature) = signed(chain.leaf).ok_or(HandshakeError::InvalidLeaf)?;
    let (intermediate_bytes, intermediate_signature) =
        signed(chain.intermediate).ok_or(HandshakeError::InvalidIntermediate)?;

    let intermediate = decode::<Details>("noise intermediate certificate", &intermediate_bytes)?;
    let issuer = intermediate
        .key
        .as_deref()
        .and_then(|key| PublicKey::try_from(key).ok());
    if !issuer.is_some_and(|issuer| xeddsa::verify(&issuer, &leaf_bytes, &leaf_signature)) {
        return Err(HandshakeError::LeafSignature);
    }
    let root = roots
        .iter()
        .find(|root| xeddsa::verify(&root.public_key.into(), &intermediate_bytes, &intermediate_signature))
        .ok_or(HandshakeError::IntermediateSignature)?;
    // As in Baileys, a missing issuer serial does not count as serial 0.
    if intermediate.issuer_serial != Some(root.serial) {
        return Err(HandshakeError::IntermediateIssuer);
    }

    let leaf = decode::<Details>("noise leaf certificate", &leaf_bytes)?;
    if leaf.issuer_serial() != intermediate.serial() {
        return Err(HandshakeError::LeafIssuer);
    }
    if leaf
        .key
        .as_deref()
        .and_then(|key| PublicKey::try_from(key).ok())
        .as_ref()
        != Some(server_static)
    {
        return Err(HandshakeError::LeafKey);
    }
    Ok(CertificateReport {
        server_static: *server_static,
        leaf: summary(&leaf),
        intermediate: summary(&intermediate),
    })
}

fn signed(certificate: Option<NoiseCertificate>) -> Option<(Vec<u8>, Vec<u8>)> {
    let certificate = certificate?;
    certificate.details.zip(certificate.signature)
}

fn summary(details: &Details) -> Certificate {
    Certificate {
        serial: details.serial(),
        not_before: details.not_before,
        not_after: details.not_after,
    }
}
