//! Where and how to connect.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::loop_turn::TurnSender;
use super::proxy::Proxy;
use super::secret::Secret;
use super::tls::TlsTarget;

/// Where and how to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Addresses to try, in order; names have been resolved. With a proxy they are the proxy's.
    pub addresses: Vec<SocketAddr>,
    /// The address to connect from.
    pub local_address: Option<IpAddr>,
    /// The proxy, and what to ask it for. Without it `addresses` are the peer's own.
    pub proxy: Option<Proxy>,
    /// TLS, for `wss:`.
    pub tls: Option<TlsTarget>,
    /// The `Host` header's value, unless `headers` has one.
    pub host: String,
    /// The request's target: path and query.
    pub target: String,
    /// Headers of the caller's, in order.
    pub headers: Vec<(String, Secret)>,
    /// The `Origin` header's value.
    pub origin: String,
    /// How long each step of the opening may take; unlimited where absent. The whole opening may take 120 s, or six times
    /// this limit if that is longer.
    pub handshake_timeout: Option<Duration>,
    /// Lets messages be held until the end of an event loop's turn.
    pub turn: Option<TurnSender>,
}
