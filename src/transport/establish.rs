//! From addresses to an open WebSocket: TCP, a proxy where there is one, TLS, and the opening handshake.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use super::error::{FailedAttempt, TransportError};
use super::guard::Guard;
use super::http;
use super::proxy::{self, Proxy, ProxyError, Refusal};
use super::stream::NetStream;
use super::tls::client_config;
use super::verify::TrustFailure;
use super::{ConnectOptions, Event, EventSink, TlsTarget};

/// How long one of several addresses may take before the next is tried: Node's
/// `net.getDefaultAutoSelectFamilyAttemptTimeout()`.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(250);

/// How the opening ended.
pub(super) enum Opening {
    /// The WebSocket is open.
    Open(Guard<NetStream>),
    /// The peer answered with something else; it was reported, and the connection is gone.
    Refused,
}

/// Connects and shakes hands. Reports [`Event::Upgrade`] or [`Event::UnexpectedResponse`] on the way.
pub(super) async fn establish(options: &ConnectOptions, sink: &mut impl EventSink) -> Result<Opening, TransportError> {
    let limit = options.handshake_timeout;
    let mut stream = match reach(options).await? {
        Reached::Target(stream) => stream,
        Reached::Refusal(Refusal { head, body }) => {
            sink.event(Event::UnexpectedResponse { head, body });
            sink.flush();
            return Ok(Opening::Refused);
        }
    };
    if let Some(target) = &options.tls {
        stream = within(limit, connect_tls(target, stream)).await??;
    }

    let key = generate_key();
    let request = http::request(&options.target, &options.host, &options.headers, &options.origin, &key);
    let write = async {
        stream.write_all(&request).await?;
        stream.flush().await
    };
    within(limit, write).await?.map_err(|source| TransportError::Io {
        syscall: "write",
        source,
    })?;

    let mut received = BytesMut::with_capacity(1024);
    loop {
        while let Some((head, length)) = http::parse_response(&received)? {
            let rest = received.split_off(length);
            received = rest;
            if head.is_interim() {
                continue;
            }
            if !head.is_upgrade() {
                sink.event(Event::UnexpectedResponse {
                    head,
                    body: received.freeze(),
                });
                sink.flush();
                return Ok(Opening::Refused);
            }
            let checked = head.check_upgrade(&key);
            sink.event(Event::Upgrade(head));
            checked?;
            return Ok(Opening::Open(Guard::new(stream, Bytes::copy_from_slice(&received))));
        }
        let read = within(limit, stream.read_buf(&mut received)).await?;
        match read {
            Ok(0) => return Err(TransportError::HangUp),
            Ok(_) => {}
            // rustls' word for an end without close_notify, which Node does not tell apart.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(TransportError::HangUp),
            Err(source) => {
                return Err(TransportError::Io {
                    syscall: "read",
                    source,
                });
            }
        }
    }
}

/// Where the way to the target ended.
enum Reached {
    /// At the target.
    Target(NetStream),
    /// At a proxy that refused.
    Refusal(Refusal),
}

/// Goes to the target, through the proxy where there is one.
async fn reach(options: &ConnectOptions) -> Result<Reached, TransportError> {
    let Some(proxy) = &options.proxy else {
        return connect_tcp(options).await.map(Reached::Target);
    };
    match proxy.timeout {
        None => reach_through(proxy, options).await,
        Some(limit) => tokio::time::timeout(limit, reach_through(proxy, options))
            .await
            .unwrap_or_else(|_| Err(ProxyError::TimedOut.into())),
    }
}

async fn reach_through(proxy: &Proxy, options: &ConnectOptions) -> Result<Reached, TransportError> {
    let limit = options.handshake_timeout;
    let mut stream = connect_tcp(options).await.map_err(|error| match error {
        TransportError::Connect(attempts) if proxy.protocol.is_socks() => ProxyError::Unreachable(attempts).into(),
        other => other,
    })?;
    if let Some(target) = &proxy.tls {
        stream = within(limit, connect_tls(target, stream)).await??;
    }
    let refusal = within(limit, proxy::negotiate(proxy, &mut stream)).await??;
    Ok(refusal.map_or(Reached::Target(stream), Reached::Refusal))
}

/// Bounds a step of the opening. As in Node the time starts anew with every step.
async fn within<F: Future>(limit: Option<Duration>, step: F) -> Result<F::Output, TransportError> {
    match limit {
        None => Ok(step.await),
        Some(limit) => tokio::time::timeout(limit, step)
            .await
            .map_err(|_| TransportError::HandshakeTimeout),
    }
}

/// Tries the addresses in their order.
async fn connect_tcp(options: &ConnectOptions) -> Result<NetStream, TransportError> {
    let attempts = async {
        let mut failed = Vec::new();
        let mut addresses = options.addresses.iter().copied().peekable();
        while let Some(address) = addresses.next() {
            let attempt = connect_address(address, options);
            let result = if addresses.peek().is_some() {
                let late = |_| Err(io::ErrorKind::TimedOut.into());
                tokio::time::timeout(ATTEMPT_TIMEOUT, attempt)
                    .await
                    .unwrap_or_else(late)
            } else {
                attempt.await
            };
            match result {
                Ok(stream) => return Ok(stream),
                Err(source) => failed.push(FailedAttempt { address, source }),
            }
        }
        Err(TransportError::Connect(failed))
    };
    let tcp: TcpStream = within(options.handshake_timeout, attempts).await??;
    // Baileys' frames are small and answers are awaited.
    tcp.set_nodelay(true).map_err(|source| TransportError::Io {
        syscall: "connect",
        source,
    })?;
    Ok(NetStream::Plain(tcp))
}

async fn connect_address(address: SocketAddr, options: &ConnectOptions) -> io::Result<TcpStream> {
    let Some(local) = options.local_address else {
        return TcpStream::connect(address).await;
    };
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.bind(SocketAddr::new(local, 0))?;
    socket.connect(address).await
}

async fn connect_tls(target: &TlsTarget, stream: NetStream) -> Result<NetStream, TransportError> {
    let config = client_config(&target.options).await?;
    let name = ServerName::try_from(target.server_name.clone())
        .map_err(|_| TransportError::TlsOption(format!("servername: {}", target.server_name)))?;
    let secured = TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(tls_error)?;
    Ok(NetStream::Tls(Box::new(secured)))
}

/// Finds the reason inside what tokio-rustls reports.
fn tls_error(error: io::Error) -> TransportError {
    let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => TransportError::TlsHangUp,
            _ => TransportError::Io {
                syscall: "read",
                source: error,
            },
        };
    };
    if let rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) = inner
        && let Some(failure) = Arc::clone(&other.0).downcast_ref::<TrustFailure>()
    {
        return TransportError::Trust(failure.clone());
    }
    TransportError::Tls(inner.clone())
}
