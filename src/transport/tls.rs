//! TLS client configurations: one for each trust setting, shared by all connections of the process.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::error::TransportError;
use super::verify::Verifier;

/// How many configurations are kept. Programs use one or two; agents made for every connection with certificates of
/// their own must not accumulate.
const MAX_CONFIGURATIONS: usize = 16;

/// Whom to trust and how to present oneself. Equal settings share a configuration and its session cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// The trusted roots.
    pub roots: Roots,
    /// Whether the server's certificate must be valid.
    pub reject_unauthorized: bool,
    /// Certificate chain and private key, PEM, where the server asks for them.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// Where trusted roots come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// Mozilla's, as bundled with this library, and what is added to them.
    Bundled {
        /// A PEM file (`NODE_EXTRA_CA_CERTS`); one that cannot be read adds nothing.
        extra: Option<PathBuf>,
        /// Whether the system's store is trusted as well (`NODE_USE_SYSTEM_CA`).
        system: bool,
    },
    /// These alone, each PEM (one or several) or DER.
    Given(Vec<Vec<u8>>),
}

type Entry = (TlsOptions, Arc<ClientConfig>);

/// The configuration for `options`.
///
/// # Errors
/// [`TransportError::TlsOption`] where a certificate or key cannot be used.
pub(super) fn client_config(options: &TlsOptions) -> Result<Arc<ClientConfig>, TransportError> {
    static CONFIGURATIONS: OnceLock<Mutex<Vec<Entry>>> = OnceLock::new();
    let mut entries = CONFIGURATIONS
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(index) = entries.iter().position(|(known, _)| known == options) {
        // The most recently used one stands last.
        let entry = entries.remove(index);
        let config = Arc::clone(&entry.1);
        entries.push(entry);
        return Ok(config);
    }
    let config = Arc::new(build(options)?);
    if entries.len() >= MAX_CONFIGURATIONS {
        entries.remove(0);
    }
    entries.push((options.clone(), Arc::clone(&config)));
    Ok(config)
}

fn build(options: &TlsOptions) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(options, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportError::TlsOption(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some((chain, key)) = &options.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(chain)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| TransportError::TlsOption(format!("key: {error}")))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| TransportError::TlsOption(error.to_string()))
}

fn verifier(options: &TlsOptions, provider: &Arc<CryptoProvider>) -> Result<Verifier, TransportError> {
    let mut roots = RootCertStore::empty();
    let mut pinned = Vec::new();
    match &options.roots {
        Roots::Bundled { extra, system } => {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            if let Some(bytes) = extra.as_ref().and_then(|path| std::fs::read(path).ok()) {
                pinned = certificates(&bytes).unwrap_or_default();
            }
            if *system {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            roots.add_parsable_certificates(pinned.iter().cloned());
        }
        Roots::Given(sources) => {
            for source in sources {
                pinned.extend(certificates(source)?);
            }
            for certificate in &pinned {
                roots
                    .add(certificate.clone())
                    .map_err(|error| TransportError::TlsOption(format!("ca: {error}")))?;
            }
        }
    }
    Verifier::new(roots, pinned, options.reject_unauthorized, Arc::clone(provider))
}

/// Certificates in PEM, or one in DER.
fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    const DER_SEQUENCE: u8 = 0x30;
    if bytes.first() == Some(&DER_SEQUENCE) {
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match parsed {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(TransportError::TlsOption("certificate: no PEM block found".into())),
        Err(error) => Err(TransportError::TlsOption(format!("certificate: {error}"))),
    }
}
