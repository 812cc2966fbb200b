//! Proxy options.

use std::time::Duration;

use super::super::secret::Secret;
use super::super::tls::TlsTarget;

/// A proxy and its target. The addresses of the proxy are
/// [`ConnectOptions::addresses`](crate::transport::ConnectOptions::addresses).
#[derive(Debug, Clone)]
pub struct Proxy {
    /// The protocol of the proxy.
    pub protocol: ProxyProtocol,
    /// The host name or address of the target. IPv6 addresses have no brackets.
    pub host: String,
    /// The port of the target.
    pub port: u16,
    /// TLS settings for the connection to the proxy.
    pub tls: Option<TlsTarget>,
    /// Time limit from the start of connecting to the granted connection. The limits of the opening apply too.
    pub timeout: Option<Duration>,
}

/// The protocol of a proxy.
#[derive(Debug, Clone)]
pub enum ProxyProtocol {
    /// HTTP `CONNECT` (RFC 9110, section 9.3.6), with these header fields.
    Http(Vec<(String, Secret)>),
    /// SOCKS 4 with a user id, or SOCKS 4a if the target is not an IPv4 address.
    Socks4(Secret),
    /// SOCKS 5 (RFC 1928). User name and password (RFC 1929) are sent if the proxy requests them.
    Socks5(Option<(Secret, Secret)>),
}

impl ProxyProtocol {
    /// Whether it is a version of SOCKS.
    #[must_use]
    pub fn is_socks(&self) -> bool {
        !matches!(self, Self::Http(_))
    }
}
