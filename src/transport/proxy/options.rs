//! A proxy as the caller describes it.

use std::time::Duration;

use super::super::secret::Secret;
use super::super::tls::TlsTarget;

/// A proxy and what it is asked for. Its addresses are [`ConnectOptions::addresses`](crate::transport::ConnectOptions::addresses).
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Its protocol.
    pub protocol: ProxyProtocol,
    /// The target's name or address; an IPv6 address without brackets.
    pub host: String,
    /// Whether the driver looks the target's name up before it connects, as `socks4:` and `socks5:` URLs want. The drop-in's
    /// targets are looked up in JavaScript.
    pub lookup_target: bool,
    /// The target's port.
    pub port: u16,
    /// TLS to the proxy itself.
    pub tls: Option<TlsTarget>,
    /// How long it may take from the first packet to the granted connection, besides the limits of every opening.
    pub timeout: Option<Duration>,
}

/// The protocol of a proxy.
#[derive(Debug, Clone)]
pub enum ProxyProtocol {
    /// HTTP `CONNECT` (RFC 9110, section 9.3.6), with these header fields.
    Http(Vec<(String, Secret)>),
    /// SOCKS 4, or 4a where the target is not an IPv4 address, with a user id.
    Socks4(Secret),
    /// SOCKS 5 (RFC 1928), with a user name and password (RFC 1929) where the proxy asks for them.
    Socks5(Option<(Secret, Secret)>),
}

impl ProxyProtocol {
    /// Whether it is one of the versions of SOCKS.
    #[must_use]
    pub fn is_socks(&self) -> bool {
        !matches!(self, Self::Http(_))
    }
}
