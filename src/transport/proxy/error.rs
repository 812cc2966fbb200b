//! Errors of proxies.

use std::io;

use super::super::http::ResponseError;
use super::super::tcp::FailedAttempt;

/// Why a proxy did not connect to the target. No text contains credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// No address of a SOCKS proxy accepted the connection. There is at least one entry.
    #[error("no address of the proxy accepted the connection")]
    Unreachable(Vec<FailedAttempt>),
    /// A read or write failed during the SOCKS handshake.
    #[error("{syscall} failed during the handshake with the proxy")]
    Io {
        /// `"read"` or `"write"`.
        syscall: &'static str,
        /// The operating system's error.
        source: io::Error,
    },
    /// The proxy did not answer in time.
    #[error("Proxy connection timed out")]
    TimedOut,
    /// An HTTP proxy ended the connection before its response was complete.
    #[error("Proxy connection ended before receiving CONNECT response")]
    Ended,
    /// A SOCKS proxy ended the connection before its answer was complete.
    #[error("Socket closed")]
    Closed,
    /// A SOCKS 4 proxy refused. The field is its code.
    #[error("Socks4 Proxy rejected connection - ({})", socks4_name(*.0))]
    Socks4Rejected(u8),
    /// The answer to the greeting is not SOCKS 5.
    #[error("Received invalid Socks5 initial handshake (invalid socks version)")]
    Socks5Version,
    /// The proxy accepts none of the offered authentication methods.
    #[error("Received invalid Socks5 initial handshake (no accepted authentication type)")]
    Socks5NoMethod,
    /// The proxy chose an authentication method that was not offered.
    #[error("Received invalid Socks5 initial handshake (unknown authentication type)")]
    Socks5UnknownMethod,
    /// The proxy does not accept user name and password.
    #[error("Socks5 Authentication failed")]
    Socks5Authentication,
    /// A SOCKS 5 proxy refused. The field is its code.
    #[error("Socks5 proxy rejected connection - {}", socks5_name(*.0))]
    Socks5Rejected(u8),
    /// The address in the proxy's reply has an unknown type.
    #[error("Received invalid Socks5 final handshake response")]
    Socks5Reply,
    /// The user name or password is too long for the protocol.
    #[error("Invalid SOCKS proxy details were provided.")]
    Credentials,
    /// The target's host name is too long for the protocol.
    #[error("An invalid destination host was provided.")]
    Destination,
}

/// Why the handshake with a proxy failed.
#[derive(Debug, thiserror::Error)]
pub(in crate::transport) enum NegotiateError {
    /// The proxy did not connect to the target.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// A read or write failed during the handshake with an HTTP proxy.
    #[error("{syscall} failed during the handshake with the proxy")]
    Io {
        /// `"read"` or `"write"`.
        syscall: &'static str,
        /// The operating system's error.
        source: io::Error,
    },
    /// The response of an HTTP proxy is not HTTP.
    #[error(transparent)]
    Response(#[from] ResponseError),
}

/// The names of SOCKS 4 codes in the npm package `socks`.
fn socks4_name(code: u8) -> &'static str {
    match code {
        90 => "Granted",
        91 => "Failed",
        92 => "Rejected",
        93 => "RejectedIdent",
        _ => "undefined",
    }
}

/// The names of the codes of RFC 1928, section 6, in the npm package `socks`.
fn socks5_name(code: u8) -> &'static str {
    match code {
        0 => "Granted",
        1 => "Failure",
        2 => "NotAllowed",
        3 => "NetworkUnreachable",
        4 => "HostUnreachable",
        5 => "ConnectionRefused",
        6 => "TTLExpired",
        7 => "CommandNotSupported",
        8 => "AddressNotSupported",
        _ => "undefined",
    }
}
