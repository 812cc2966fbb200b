//! TLS client configurations. All connections of the process with the same settings share one.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, ClientConfig};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::stream::NetStream;
use super::verify::{TrustFailure, Verifier};

/// Maximum number of cached configurations. Programs normally use one or two. The limit matters if a program creates an
/// agent with its own certificates for each connection.
const MAX_CONFIGURATIONS: usize = 16;

/// A certificate, key or server name of the caller that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid TLS option: {0}")]
pub struct TlsOptionError(String);

/// Why a TLS connection could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    /// An option of the caller is not valid.
    #[error(transparent)]
    Option(#[from] TlsOptionError),
    /// The peer's certificate is not trusted.
    #[error(transparent)]
    Trust(TrustFailure),
    /// The peer ended the connection.
    #[error("the peer ended the connection")]
    HangUp,
    /// Reading failed.
    #[error("read failed")]
    Read(#[source] io::Error),
    /// The two sides have no version, cipher suite, group or signature scheme in common.
    #[error(transparent)]
    Incompatible(rustls::Error),
    /// The handshake failed, but not because of the certificate.
    #[error(transparent)]
    Protocol(rustls::Error),
    /// A defect of this library.
    #[error("internal error: {0}")]
    Interrupted(String),
}

/// The TLS settings and the name of a server.
#[derive(Debug, Clone)]
pub struct TlsTarget {
    /// The trusted roots and the client identity.
    pub options: TlsOptions,
    /// The host name or IP address that the server's certificate must be valid for.
    pub server_name: String,
}

/// The trusted roots and the client identity. Connections with equal settings share a configuration and its session
/// cache.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// The trusted roots.
    pub roots: Roots,
    /// Whether the server's certificate must be valid.
    pub reject_unauthorized: bool,
    /// The client certificate for servers that request one.
    pub identity: Option<Identity>,
}

/// A certificate chain and its private key, both PEM.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Identity {
    /// An identity from a PEM chain and a PEM key.
    #[must_use]
    pub fn new(chain: Vec<u8>, key: Vec<u8>) -> Self {
        let key = Zeroizing::new(key);
        Self { chain, key }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// The source of the trusted roots.
#[derive(Debug, Clone)]
pub enum Roots {
    /// Mozilla's roots, bundled with this library, and additional ones.
    Bundled {
        /// A PEM file with more roots (`NODE_EXTRA_CA_CERTS`). A file that cannot be read is ignored.
        extra: Option<PathBuf>,
        /// Whether the roots of the operating system are trusted too (`NODE_USE_SYSTEM_CA`).
        system: bool,
    },
    /// Only these roots. Each item is DER, or PEM with one or more certificates.
    Given(Vec<Vec<u8>>),
}

impl Roots {
    /// Whether reading the roots can block.
    const fn are_read(&self) -> bool {
        matches!(
            self,
            Self::Bundled { extra: Some(_), .. } | Self::Bundled { system: true, .. }
        )
    }
}

impl TlsOptions {
    /// A hash of the settings. It is the key of the cache, so that the cache does not store the private key.
    fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        // Each part is hashed with its length, so that different settings never have the same input.
        let mut add = |part: &[u8]| {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        };
        match &self.roots {
            Roots::Bundled { extra, system } => {
                add(&[u8::from(*system), u8::from(extra.is_some())]);
                add(extra.as_ref().map_or(&[], |path| path.as_os_str().as_encoded_bytes()));
            }
            Roots::Given(sources) => {
                add(&sources.len().to_be_bytes());
                sources.iter().for_each(|source| add(source));
            }
        }
        add(&[u8::from(self.reject_unauthorized), u8::from(self.identity.is_some())]);
        if let Some(identity) = &self.identity {
            add(&identity.chain);
            add(&identity.key);
        }
        hash.finalize().into()
    }
}

/// Performs the TLS handshake on `stream`.
pub(super) async fn connect_tls(target: &TlsTarget, stream: NetStream) -> Result<NetStream, TlsError> {
    let config = client_config(&target.options).await?;
    let name = ServerName::try_from(target.server_name.clone())
        .map_err(|_| TlsOptionError(format!("servername: {}", target.server_name)))?;
    let secured = TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(handshake_error)?;
    Ok(NetStream::Tls(Box::new(secured)))
}

/// Extracts the reason from an error of tokio-rustls.
fn handshake_error(error: io::Error) -> TlsError {
    let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => TlsError::HangUp,
            _ => TlsError::Read(error),
        };
    };
    if let rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) = inner
        && let Some(failure) = other.0.downcast_ref::<TrustFailure>()
    {
        return TlsError::Trust(failure.clone());
    }
    match inner {
        rustls::Error::PeerIncompatible(_) => TlsError::Incompatible(inner.clone()),
        rustls::Error::AlertReceived(alert) if NOTHING_IN_COMMON.contains(alert) => {
            TlsError::Incompatible(inner.clone())
        }
        _ => TlsError::Protocol(inner.clone()),
    }
}

/// The alerts of a server that supports none of the versions or parameters in a ClientHello (RFC 8446, section 6.2).
const NOTHING_IN_COMMON: [AlertDescription; 3] = [
    AlertDescription::HandshakeFailure,
    AlertDescription::ProtocolVersion,
    AlertDescription::InsufficientSecurity,
];

type Digest = [u8; 32];
type Entry = (Digest, Arc<ClientConfig>);

/// Returns the cached configuration for `options`, or builds one.
///
/// # Errors
/// Fails with [`TlsError::Option`] if a certificate or key is not valid.
async fn client_config(options: &TlsOptions) -> Result<Arc<ClientConfig>, TlsError> {
    let digest = options.digest();
    if let Some(config) = known(&digest) {
        return Ok(config);
    }
    let built = if options.roots.are_read() {
        let options = options.clone();
        let work = tokio::task::spawn_blocking(move || build(&options));
        work.await.map_err(|error| TlsError::Interrupted(error.to_string()))??
    } else {
        build(options)?
    };
    Ok(keep(digest, built))
}

fn configurations() -> MutexGuard<'static, Vec<Entry>> {
    static CONFIGURATIONS: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
    CONFIGURATIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn known(digest: &Digest) -> Option<Arc<ClientConfig>> {
    let mut entries = configurations();
    let index = entries.iter().position(|(known, _)| known == digest)?;
    // The most recently used configuration is last.
    let entry = entries.remove(index);
    let config = Arc::clone(&entry.1);
    entries.push(entry);
    Some(config)
}

/// Adds a configuration to the cache. If another connection has added an equal one in the meantime, returns that one.
fn keep(digest: Digest, config: ClientConfig) -> Arc<ClientConfig> {
    let mut entries = configurations();
    if let Some((_, config)) = entries.iter().find(|(known, _)| *known == digest) {
        return Arc::clone(config);
    }
    let config = Arc::new(config);
    if entries.len() >= MAX_CONFIGURATIONS {
        entries.remove(0);
    }
    entries.push((digest, Arc::clone(&config)));
    config
}

fn build(options: &TlsOptions) -> Result<ClientConfig, TlsOptionError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(options, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsOptionError(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(Identity { chain, key }) = &options.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(chain)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsOptionError(format!("key: {error}")))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| TlsOptionError(error.to_string()))
}

fn verifier(options: &TlsOptions, provider: &CryptoProvider) -> Result<Verifier, TlsOptionError> {
    let enforced = options.reject_unauthorized;
    match &options.roots {
        Roots::Bundled { extra, system } => {
            let mut given = Vec::new();
            if let Some(bytes) = extra.as_ref().and_then(|path| std::fs::read(path).ok()) {
                given = certificates(&bytes).unwrap_or_default();
            }
            if *system {
                given.extend(rustls_native_certs::load_native_certs().certs);
            }
            // Certificates of a store that cannot be roots are ignored.
            given.retain(Verifier::takes);
            Verifier::new(webpki_roots::TLS_SERVER_ROOTS, given, enforced, provider)
        }
        Roots::Given(sources) => {
            let mut given = Vec::new();
            for source in sources {
                given.extend(certificates(source)?);
            }
            Verifier::new(&[], given, enforced, provider)
        }
    }
    .map_err(|error| TlsOptionError(format!("ca: {error}")))
}

/// Parses certificates in PEM, or one certificate in DER.
fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsOptionError> {
    const DER_SEQUENCE: u8 = 0x30;
    if bytes.first() == Some(&DER_SEQUENCE) {
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match parsed {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(TlsOptionError("certificate: no PEM block found".into())),
        Err(error) => Err(TlsOptionError(format!("certificate: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{ConnectOptions, TlsTarget};

    fn options() -> TlsOptions {
        TlsOptions {
            roots: Roots::Given(vec![b"ab".to_vec(), b"c".to_vec()]),
            reject_unauthorized: true,
            identity: Some(Identity::new(b"the chain".to_vec(), b"the key".to_vec())),
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_are_read_without_blocking_the_runtime() {
        use std::sync::mpsc::channel;
        use std::time::Duration;

        const PATIENCE: Duration = Duration::from_secs(60);
        // A reader of this pipe blocks until the test writes to it.
        let pipe = std::env::temp_dir().join(format!("baileys-native-roots-{}", std::process::id()));
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let options = TlsOptions {
            roots: Roots::Bundled {
                extra: Some(pipe.clone()),
                system: false,
            },
            reject_unauthorized: true,
            identity: None,
        };
        let (go_on, wait) = channel();
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || {
                let went_on = wait.recv_timeout(PATIENCE);
                std::fs::write(pipe, b"").unwrap();
                went_on
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let config = runtime.block_on(async {
            let config = tokio::spawn(async move { client_config(&options).await });
            tokio::task::yield_now().await;
            go_on.send(()).unwrap();
            config.await.unwrap()
        });
        std::fs::remove_file(pipe).unwrap();
        assert!(config.is_ok());
        assert_eq!(writer.join().unwrap(), Ok(()));
    }

    #[test]
    fn the_digest_depends_on_every_setting() {
        let bundled = |extra: Option<&str>, system| Roots::Bundled {
            extra: extra.map(PathBuf::from),
            system,
        };
        let with = |change: fn(&mut TlsOptions)| {
            let mut options = options();
            change(&mut options);
            options
        };
        let mut all = vec![
            options(),
            with(|options| options.roots = Roots::Given(vec![b"a".to_vec(), b"bc".to_vec()])),
            with(|options| options.roots = Roots::Given(Vec::new())),
            with(|options| options.reject_unauthorized = false),
            with(|options| options.identity = None),
            with(|options| options.identity = Some(Identity::new(b"the chain".to_vec(), b"another".to_vec()))),
            with(|options| options.identity = Some(Identity::new(b"another".to_vec(), b"the key".to_vec()))),
        ];
        for roots in [
            bundled(None, false),
            bundled(None, true),
            bundled(Some("a"), false),
            bundled(Some(""), false),
        ] {
            all.push(TlsOptions { roots, ..options() });
        }
        let digests: std::collections::BTreeSet<_> = all.iter().map(TlsOptions::digest).collect();
        assert_eq!(digests.len(), all.len());
        assert_eq!(options().digest(), options().digest());
    }

    #[test]
    fn debug_output_has_no_key_and_no_header_values() {
        let options = ConnectOptions {
            addresses: Vec::new(),
            local_address: None,
            probes: None,
            proxy: None,
            tls: Some(TlsTarget {
                options: options(),
                server_name: "server.test".into(),
            }),
            host: "host.test".into(),
            target: "/".into(),
            headers: vec![("Cookie".into(), "a=hidden".to_owned().into())],
            origin: "https://origin.test".into(),
            handshake_timeout: None,
            turn: None,
        };
        let text = format!("{options:?}");
        assert!(text.contains("Cookie") && text.contains("server.test"), "{text}");
        let key = format!("{:?}", b"the key");
        for secret in ["hidden", "the key", key.trim_matches(['[', ']'])] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
