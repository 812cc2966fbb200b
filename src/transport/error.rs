//! Why a connection could not be made or did not last. Each part of the transport has its own errors; this file collects them.

use std::io;

use super::frame_check::Violation;
use super::http::{ResponseError, UpgradeError};
use super::proxy::{NegotiateError, ProxyError};
use super::tcp::FailedAttempt;
use super::tls::{TlsError, TlsOptionError};
use super::verify::TrustFailure;

/// Why a connection could not be made, or what the peer did wrong on it.
///
/// An open connection that is merely lost reports no error, only its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// None of the addresses accepted the connection. One entry for each address.
    #[error("no address accepted the connection")]
    Connect(Vec<FailedAttempt>),
    /// Nothing happened on the connection for the time that the handshake may take.
    #[error("the opening handshake has timed out")]
    HandshakeTimeout,
    /// The peer ended the connection before it answered the request.
    #[error("the peer ended the connection before it answered the request")]
    HangUp,
    /// The peer ended the connection during the TLS handshake.
    #[error("the peer ended the connection during the TLS handshake")]
    TlsHangUp,
    /// A read or write failed before the connection was open.
    #[error("{syscall} failed before the connection was open")]
    Io {
        /// `"read"` or `"write"`.
        syscall: &'static str,
        /// The operating system's error.
        source: io::Error,
    },
    /// The proxy gave no connection to the peer.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The peer's (or the proxy's) certificate is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustFailure),
    /// The TLS handshake failed for another reason than the certificate.
    #[error("TLS handshake failed: {0}")]
    Tls(rustls::Error),
    /// A certificate or key that the caller gave cannot be used.
    #[error(transparent)]
    TlsOption(#[from] TlsOptionError),
    /// The answer to the request is not HTTP.
    #[error("the answer is not HTTP: {0}")]
    Response(#[from] ResponseError),
    /// The answer to the request is not a valid upgrade.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    /// The peer broke the WebSocket protocol.
    #[error(transparent)]
    Frame(#[from] Violation),
    /// A defect of this library, confined to the connection.
    #[error("internal error: {0}")]
    Internal(String),
}

impl TransportError {
    /// A read or write that failed before the connection was open.
    pub(super) fn io(syscall: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { syscall, source }
    }
}

impl From<TlsError> for TransportError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Option(fault) => fault.into(),
            TlsError::Trust(failure) => failure.into(),
            TlsError::HangUp => Self::TlsHangUp,
            TlsError::Read(source) => Self::Io {
                syscall: "read",
                source,
            },
            TlsError::Protocol(fault) => Self::Tls(fault),
            TlsError::Interrupted(defect) => Self::Internal(defect),
        }
    }
}

impl From<NegotiateError> for TransportError {
    fn from(error: NegotiateError) -> Self {
        match error {
            NegotiateError::Proxy(fault) => fault.into(),
            NegotiateError::Io { syscall, source } => Self::Io { syscall, source },
            NegotiateError::Response(fault) => fault.into(),
        }
    }
}
