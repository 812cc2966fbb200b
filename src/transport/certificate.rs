//! Reads the fields of a certificate that webpki does not provide.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_cert::certificate::{Certificate, Version};
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader, Tag};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// The sizes of RSA keys that ring verifies with, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A name that a certificate is valid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SubjectName {
    Dns(String),
    Address(IpAddr),
    Other(String),
}

/// Fields of a certificate.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The DER of subject and issuer.
    pub(super) subject: Name,
    pub(super) issuer: Name,
    /// The first and the last second of the validity, in seconds since 1970.
    pub(super) not_before: u64,
    pub(super) not_after: u64,
    /// Whether it may issue certificates, and the maximum number of intermediate certificates below it.
    pub(super) is_authority: bool,
    pub(super) path_length: Option<usize>,
    /// Whether the extended key usage includes TLS servers, or is missing.
    pub(super) is_for_servers: bool,
    /// Whether the key usage includes one for TLS servers, or is missing.
    pub(super) has_key_for_tls: bool,
    /// The subject alternative names.
    pub(super) names: Vec<SubjectName>,
    /// The common names of the subject.
    pub(super) common_names: Vec<String>,
    /// Whether ring can verify signatures of the key.
    pub(super) has_known_key: bool,
}

impl Facts {
    /// Reads a certificate in DER (RFC 5280). `None` if it is malformed.
    pub(super) fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let tbs = Certificate::from_der(certificate).ok()?.tbs_certificate;
        let key_usage = tbs.get::<KeyUsage>().ok()?.map(|(_, usage)| usage.0);
        let constraints = tbs.get::<BasicConstraints>().ok()?.map(|(_, constraints)| constraints);
        let extended = tbs.get::<ExtendedKeyUsage>().ok()?.map(|(_, extended)| extended.0);
        let names = tbs.get::<SubjectAltName>().ok()?.map(|(_, names)| names.0);
        let is_self_issued = tbs.subject == tbs.issuer;
        // The rules of `check_ca` in OpenSSL (x509v3).
        let is_authority = match (key_usage, &constraints) {
            (Some(usage), _) if !usage.contains(KeyUsages::KeyCertSign) => false,
            (_, Some(constraints)) => constraints.ca,
            (Some(_), None) => true,
            (None, None) => tbs.version == Version::V1 && is_self_issued,
        };
        let for_tls = KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment | KeyUsages::KeyAgreement;
        Some(Self {
            not_before: tbs.validity.not_before.to_unix_duration().as_secs(),
            not_after: tbs.validity.not_after.to_unix_duration().as_secs(),
            is_authority,
            path_length: constraints
                .and_then(|constraints| constraints.path_len_constraint)
                .map(usize::from),
            is_for_servers: extended.is_none_or(|uses| uses.contains(&SERVER_AUTH)),
            has_key_for_tls: key_usage.is_none_or(|usage| !usage.is_disjoint(for_tls)),
            names: names.iter().flatten().filter_map(subject_name).collect(),
            common_names: common_names(&tbs.subject),
            has_known_key: is_known(&tbs.subject_public_key_info),
            subject: tbs.subject,
            issuer: tbs.issuer,
        })
    }

    /// Whether the issuer is the subject.
    pub(super) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

fn subject_name(name: &GeneralName) -> Option<SubjectName> {
    Some(match name {
        GeneralName::DnsName(name) => SubjectName::Dns(name.to_string()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from).ok();
            SubjectName::Address(v4.or_else(|| <[u8; 16]>::try_from(bytes).map(IpAddr::from).ok())?)
        }
        GeneralName::Rfc822Name(name) => SubjectName::Other(format!("email:{name}")),
        GeneralName::UniformResourceIdentifier(name) => SubjectName::Other(format!("URI:{name}")),
        _ => return None,
    })
}

fn common_names(subject: &Name) -> Vec<String> {
    let attributes = subject.0.iter().flat_map(|relative| relative.0.iter());
    let texts = attributes
        .filter(|attribute| attribute.oid == COMMON_NAME)
        .filter_map(|attribute| {
            let bytes = attribute.value.value();
            match x509_cert::der::Tagged::tag(&attribute.value) {
                Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
                    Some(String::from_utf8_lossy(bytes).into_owned())
                }
                Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
                _ => None,
            }
        });
    texts.collect()
}

/// Whether ring can verify signatures of a key.
fn is_known(key: &SubjectPublicKeyInfoOwned) -> bool {
    match key.algorithm.oid {
        RSA => key
            .subject_public_key
            .as_bytes()
            .and_then(|bytes| modulus_bits(bytes).ok())
            .is_some_and(|bits| RSA_BITS.contains(&bits)),
        EC => key
            .algorithm
            .parameters
            .as_ref()
            .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok())
            .is_some_and(|curve| curve == P256 || curve == P384),
        ED25519 => true,
        _ => false,
    }
}

/// The length of the modulus in an RSAPublicKey (RFC 8017, appendix A.1.1).
fn modulus_bits(key: &[u8]) -> x509_cert::der::Result<usize> {
    SliceReader::new(key)?.sequence(|reader| {
        let modulus = UintRef::decode(reader)?;
        UintRef::decode(reader)?;
        let bytes = modulus.as_bytes();
        let unused = bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
        Ok((bytes.len() * 8).saturating_sub(unused))
    })
}
