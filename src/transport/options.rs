//! Options of a connection.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::loop_turn::TurnSender;
use super::proxy::Proxy;
use super::secret::Secret;
use super::tls::TlsTarget;

/// TCP keep-alive: probes of the operating system on a connection without traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAliveProbes {
    /// The time without traffic before the first probe. With zero, all keep-alive settings are those of the operating
    /// system.
    pub idle: Duration,
}

/// Options of a connection.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Addresses to try, in order. With a proxy, they are the addresses of the proxy.
    pub addresses: Vec<SocketAddr>,
    /// The local address to connect from.
    pub local_address: Option<IpAddr>,
    /// TCP keep-alive. `None`: no probes.
    pub probes: Option<KeepAliveProbes>,
    /// The proxy. `None` means a direct connection.
    pub proxy: Option<Proxy>,
    /// TLS settings, for `wss:`.
    pub tls: Option<TlsTarget>,
    /// The value of the `Host` header, unless `headers` has one.
    pub host: String,
    /// The path and query of the request.
    pub target: String,
    /// Additional headers, in order.
    pub headers: Vec<(String, Secret)>,
    /// The value of the `Origin` header.
    pub origin: String,
    /// Time limit for each step of the opening. `None` means no limit. The limit of the whole opening is six times this
    /// limit, and at least 120 s.
    pub handshake_timeout: Option<Duration>,
    /// The event loop that can hold messages until the end of its turn.
    pub turn: Option<TurnSender>,
}
