//! Errors of a connection. Each part of the transport has its own errors; this file collects them.

use std::io;

use super::frame_check::Violation;
use super::http::{ResponseError, UpgradeError};
use super::proxy::{NegotiateError, ProxyError};
use super::tcp::FailedAttempt;
use super::tls::{TlsError, TlsOptionError};
use super::verify::TrustFailure;

/// Why a connection could not be opened, or how the peer violated the protocol.
///
/// The loss of an open connection is not an error. Only its end is reported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The threads of the connections could not be started.
    #[error("the threads of the connections could not be started")]
    Start(io::Error),
    /// No address accepted the connection. There is one entry per address.
    #[error("no address accepted the connection")]
    Connect(Vec<FailedAttempt>),
    /// The connection made no progress within the handshake timeout.
    #[error("the opening handshake has timed out")]
    HandshakeTimeout,
    /// The peer ended the connection before it answered the request.
    #[error("the peer ended the connection before it answered the request")]
    HangUp,
    /// The peer ended the connection during the TLS handshake.
    #[error("the peer ended the connection during the TLS handshake")]
    TlsHangUp,
    /// A system call failed before the connection was open.
    #[error("{syscall} failed before the connection was open")]
    Io {
        /// `"read"`, `"write"` or `"getaddrinfo"`.
        syscall: &'static str,
        /// The operating system's error.
        source: io::Error,
    },
    /// The proxy did not connect to the peer.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The certificate of the peer or proxy is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustFailure),
    /// The peer or the proxy supports no TLS version or cipher that this library supports.
    #[error("no TLS in common: {0}")]
    TlsIncompatible(rustls::Error),
    /// The TLS handshake failed, but not because of the certificate.
    #[error("TLS handshake failed: {0}")]
    Tls(rustls::Error),
    /// A certificate or key of the caller is invalid.
    #[error(transparent)]
    TlsOption(#[from] TlsOptionError),
    /// The response is not HTTP.
    #[error("the answer is not HTTP: {0}")]
    Response(#[from] ResponseError),
    /// The response is not a valid upgrade.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    /// The peer violated the WebSocket protocol.
    #[error(transparent)]
    Frame(#[from] Violation),
    /// There is not enough memory for the received data.
    #[error("out of memory")]
    OutOfMemory,
    /// A defect of this library. It only affects this connection.
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
            TlsError::Incompatible(fault) => Self::TlsIncompatible(fault),
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
