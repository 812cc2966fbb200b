//! Conversion of socket options from JavaScript.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use napi::bindgen_prelude::Buffer;
use napi::{Error, Result};
use napi_derive::napi;

use crate::transport::{
    ConnectOptions, Identity, KeepAliveProbes, Proxy, ProxyProtocol, Roots, Secret, TlsOptions, TlsTarget,
};

/// Options of a socket.
#[napi(object)]
pub struct SocketOptions {
    /// IP addresses to try, in order. With a proxy, they are the addresses of the proxy.
    pub addresses: Vec<String>,
    /// The port for these addresses.
    pub port: u16,
    /// The proxy.
    pub proxy: Option<SocketProxyOptions>,
    /// The local IP address to connect from.
    pub local_address: Option<String>,
    /// Seconds without traffic before the first TCP keep-alive probe, 0 for the system's default. `None`: no
    /// probes.
    pub tcp_keep_alive_seconds: Option<u32>,
    /// TLS settings, for `wss:`.
    pub tls: Option<SocketTlsOptions>,
    /// The value of the `Host` header.
    pub host: String,
    /// The path and query of the request.
    pub target: String,
    /// Header names and values, alternating.
    pub headers: Vec<String>,
    /// The value of the `Origin` header.
    pub origin: String,
    /// Time limit for each step of the opening, in milliseconds. Without it, only the limit of the whole
    /// opening (120 s) applies.
    pub handshake_timeout: Option<f64>,
}

/// A proxy and its target.
#[napi(object)]
pub struct SocketProxyOptions {
    /// `http`, `socks4` (also for SOCKS 4a) or `socks5`.
    pub protocol: String,
    /// The host name or IP address of the target, without brackets.
    pub host: String,
    /// The port of the target.
    pub port: u16,
    /// TLS settings for the connection to the proxy.
    pub tls: Option<SocketTlsOptions>,
    /// Header names and values of the `CONNECT` request, alternating.
    pub headers: Option<Vec<String>>,
    /// The user name or user id for SOCKS.
    pub user: Option<String>,
    /// The password for SOCKS 5.
    pub password: Option<String>,
    /// Time limit for the proxy to establish the connection, in milliseconds. No limit if it is missing.
    pub timeout: Option<f64>,
}

// Each Buffer is in memory that is not shared with other threads: JavaScript has copied shared memory
// (js/connect/tls-options.cjs).

/// TLS settings of a socket.
#[napi(object)]
pub struct SocketTlsOptions {
    /// The name that the server's certificate must be valid for.
    pub server_name: String,
    /// Whether the server's certificate must be valid.
    pub reject_unauthorized: bool,
    /// Roots that replace the default ones, PEM or DER.
    pub ca: Option<Vec<Buffer>>,
    /// The client's certificate chain, PEM.
    pub cert: Option<Buffer>,
    /// The client's private key, PEM.
    pub key: Option<Buffer>,
    /// A PEM file with additional roots.
    pub extra_ca_file: Option<String>,
    /// Whether the roots of the operating system are trusted too.
    pub system_ca: bool,
}

/// TCP keep-alive with this many seconds before the first probe.
pub(super) fn probes(seconds: u32) -> KeepAliveProbes {
    KeepAliveProbes {
        idle: Duration::from_secs(seconds.into()),
    }
}

/// Converts the options for the transport.
pub(super) fn connect_options(options: SocketOptions) -> Result<ConnectOptions> {
    let parse = |text: &String| {
        text.parse::<IpAddr>()
            .map_err(|_| Error::from_reason(format!("invalid IP address: {text}")))
    };
    let mut addresses = Vec::with_capacity(options.addresses.len());
    for address in &options.addresses {
        addresses.push(SocketAddr::new(parse(address)?, options.port));
    }
    Ok(ConnectOptions {
        addresses,
        local_address: options.local_address.as_ref().map(parse).transpose()?,
        probes: options.tcp_keep_alive_seconds.map(probes),
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
        other => return Err(Error::from_reason(format!("unknown proxy protocol: {other}"))),
    };
    Ok(Proxy {
        protocol,
        host: options.host,
        port: options.port,
        tls: options.tls.map(tls_target),
        timeout: options.timeout.and_then(milliseconds),
    })
}

/// Converts alternating names and values to pairs.
fn pairs<V: From<String>>(fields: Vec<String>) -> Vec<(String, V)> {
    let mut pairs = Vec::with_capacity(fields.len() / 2);
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        pairs.push((name, value.into()));
    }
    pairs
}

/// Converts a time limit in milliseconds. Returns `None` if it is not positive.
fn milliseconds(limit: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(limit / 1000.0)
        .ok()
        .filter(|limit| !limit.is_zero())
}
