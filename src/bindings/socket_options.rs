//! Where and how a socket connects, as JavaScript says it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use napi::bindgen_prelude::Buffer;
use napi::{Error, Result};
use napi_derive::napi;

use crate::transport::{ConnectOptions, Identity, Proxy, ProxyProtocol, Roots, Secret, TlsOptions, TlsTarget};

/// Where and how a socket connects.
#[napi(object)]
pub struct SocketOptions {
    /// IP addresses to try, in order; the proxy's where there is one.
    pub addresses: Vec<String>,
    /// The port at these addresses.
    pub port: u16,
    /// What to ask a proxy for.
    pub proxy: Option<SocketProxyOptions>,
    /// The IP address to connect from.
    pub local_address: Option<String>,
    /// TLS settings, for `wss:`.
    pub tls: Option<SocketTlsOptions>,
    /// The `Host` header's value.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// Header names and values in turn.
    pub headers: Vec<String>,
    /// The `Origin` header's value.
    pub origin: String,
    /// Milliseconds that a step of the opening may take; unlimited where absent.
    pub handshake_timeout: Option<f64>,
}

/// A proxy, and what it is asked for.
#[napi(object)]
pub struct SocketProxyOptions {
    /// `http`, `socks4` (and 4a), or `socks5`.
    pub protocol: String,
    /// The target's name or IP address, without brackets.
    pub host: String,
    /// The target's port.
    pub port: u16,
    /// Whether a session looks the target's name up for each connection, and tells the proxy the address.
    pub lookup_target: Option<bool>,
    /// TLS to the proxy.
    pub tls: Option<SocketTlsOptions>,
    /// Header names and values of `CONNECT` in turn.
    pub headers: Option<Vec<String>>,
    /// The user's name or id for SOCKS.
    pub user: Option<String>,
    /// The user's password for SOCKS 5.
    pub password: Option<String>,
    /// Milliseconds that the proxy may take until it has granted the connection; unlimited where absent.
    pub timeout: Option<f64>,
}

/// TLS settings of a socket.
#[napi(object)]
pub struct SocketTlsOptions {
    /// The name that the certificate must be valid for.
    pub server_name: String,
    /// Whether the certificate must be valid.
    pub reject_unauthorized: bool,
    /// Roots that replace the usual ones, PEM or DER.
    pub ca: Option<Vec<Buffer>>,
    /// Certificate chain, PEM.
    pub cert: Option<Buffer>,
    /// Private key, PEM.
    pub key: Option<Buffer>,
    /// A PEM file of additional roots.
    pub extra_ca_file: Option<String>,
    /// Whether the system's store is trusted as well.
    pub system_ca: bool,
}

/// The options as the transport takes them.
pub(super) fn connect_options(options: SocketOptions) -> Result<ConnectOptions> {
    let parse = |text: &String| {
        text.parse::<IpAddr>()
            .map_err(|_| Error::from_reason(format!("not an address: {text}")))
    };
    let mut addresses = Vec::with_capacity(options.addresses.len());
    for address in &options.addresses {
        addresses.push(SocketAddr::new(parse(address)?, options.port));
    }
    Ok(ConnectOptions {
        addresses,
        local_address: options.local_address.as_ref().map(parse).transpose()?,
        proxy: options.proxy.map(proxy).transpose()?,
        tls: options.tls.map(tls_target),
        host: options.host,
        target: options.target,
        headers: pairs(options.headers),
        origin: options.origin,
        handshake_timeout: options.handshake_timeout.and_then(milliseconds),
        turn: None,
    })
}

fn tls_target(options: SocketTlsOptions) -> TlsTarget {
    let roots = match options.ca {
        Some(sources) => Roots::Given(sources.into_iter().map(Vec::from).collect()),
        None => Roots::Bundled {
            extra: options.extra_ca_file.map(Into::into),
            system: options.system_ca,
        },
    };
    let identity = options
        .cert
        .zip(options.key)
        .map(|(cert, key)| Identity::new(cert.into(), key.into()));
    TlsTarget {
        options: TlsOptions {
            roots,
            reject_unauthorized: options.reject_unauthorized,
            identity,
        },
        server_name: options.server_name,
    }
}

fn proxy(options: SocketProxyOptions) -> Result<Proxy> {
    let user = Secret::from(options.user.unwrap_or_default());
    let protocol = match options.protocol.as_str() {
        "http" => ProxyProtocol::Http(pairs(options.headers.unwrap_or_default())),
        "socks4" => ProxyProtocol::Socks4(user),
        "socks5" => ProxyProtocol::Socks5(options.password.map(|password| (user, password.into()))),
        other => return Err(Error::from_reason(format!("not a protocol of proxies: {other}"))),
    };
    Ok(Proxy {
        protocol,
        host: options.host,
        lookup_target: options.lookup_target.unwrap_or_default(),
        port: options.port,
        tls: options.tls.map(tls_target),
        timeout: options.timeout.and_then(milliseconds),
    })
}

/// Names and values in turn as pairs.
fn pairs<V: From<String>>(fields: Vec<String>) -> Vec<(String, V)> {
    let mut pairs = Vec::with_capacity(fields.len() / 2);
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        pairs.push((name, value.into()));
    }
    pairs
}

/// A limit; none where it is not positive.
fn milliseconds(limit: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(limit / 1000.0)
        .ok()
        .filter(|limit| !limit.is_zero())
}
