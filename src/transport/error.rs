//! Why a connection could not be made or did not last.

use std::io;
use std::net::SocketAddr;

use super::guard::Violation;
use super::proxy::ProxyError;
use super::verify::TrustFailure;

/// One address that could not be reached.
#[derive(Debug)]
pub struct FailedAttempt {
    /// The address and port.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: io::Error,
}

/// Why a connection could not be made, or what the peer did wrong on it.
///
/// An open connection that is merely lost reports no error, only its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// None of the addresses accepted the connection; one entry for each that was tried, at least one.
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
        /// What the operating system said.
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
    #[error("unusable TLS option: {0}")]
    TlsOption(String),
    /// The answer to the request is not HTTP.
    #[error("the answer is not HTTP: {0}")]
    Response(#[from] ResponseError),
    /// The answer switches to something other than WebSocket.
    #[error("Invalid Upgrade header")]
    InvalidUpgrade,
    /// The answer does not prove that the request was read.
    #[error("Invalid Sec-WebSocket-Accept header")]
    InvalidAccept,
    /// The answer names a subprotocol; none was asked for.
    #[error("Server sent a subprotocol but none was requested")]
    UnexpectedSubprotocol,
    /// The answer names an extension; none was asked for.
    #[error("Server sent a Sec-WebSocket-Extensions header but no extension was requested")]
    UnexpectedExtension,
    /// The peer broke the WebSocket protocol.
    #[error(transparent)]
    Frame(#[from] Violation),
    /// A defect of this library, confined to the connection.
    #[error("internal error: {0}")]
    Internal(String),
}

/// What is wrong with the peer's answer as HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// It does not begin with `HTTP/`.
    #[error("expected HTTP/")]
    NotHttp,
    /// The status code is not three digits.
    #[error("invalid status code")]
    Status,
    /// The version is not 1.0 or 1.1.
    #[error("invalid version")]
    Version,
    /// A header's name is not a token.
    #[error("invalid header name")]
    HeaderName,
    /// A header's value has a forbidden character.
    #[error("invalid header value")]
    HeaderValue,
    /// The head is longer than [`MAX_RESPONSE_HEAD`](super::http::MAX_RESPONSE_HEAD).
    #[error("response head too long")]
    TooLong,
}
