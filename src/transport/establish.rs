//! Opens a WebSocket: TCP, the proxy if there is one, TLS, and the opening handshake.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use super::error::TransportError;
use super::event::{EventSink, TransportEvent};
use super::frame_check::CheckedStream;
use super::http;
use super::options::ConnectOptions;
use super::proxy::{self, Proxy, ProxyError, Refusal};
use super::stream::NetStream;
use super::tcp::{FailedAttempt, connect_tcp};
use super::tls::connect_tls;

/// The result of the opening.
pub(super) enum Opening {
    /// The WebSocket is open.
    Open(CheckedStream<NetStream>),
    /// The peer or the proxy refused with an HTTP response. The response was reported, and the connection is closed.
    Refused,
}

/// Connects and performs the handshakes. Reports [`TransportEvent::Upgrade`] or [`TransportEvent::UnexpectedResponse`].
pub(super) async fn establish(options: &ConnectOptions, sink: &mut impl EventSink) -> Result<Opening, TransportError> {
    let limit = options.handshake_timeout;
    let mut stream = match reach(options).await? {
        ConnectResult::Target(stream) => stream,
        ConnectResult::Refusal(Refusal { head, body }) => {
            sink.event(TransportEvent::UnexpectedResponse { head, body });
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
    within(limit, write).await?.map_err(TransportError::io("write"))?;

    let mut received = BytesMut::with_capacity(1024);
    loop {
        while let Some((head, length)) = http::parse_response(&received)? {
            let rest = received.split_off(length);
            received = rest;
            if head.is_interim() {
                continue;
            }
            if !head.is_upgrade() {
                sink.event(TransportEvent::UnexpectedResponse {
                    head,
                    body: received.freeze(),
                });
                sink.flush();
                return Ok(Opening::Refused);
            }
            let checked = head.check_upgrade(&key);
            sink.event(TransportEvent::Upgrade(head));
            checked?;
            return Ok(Opening::Open(CheckedStream::new(
                stream,
                Bytes::copy_from_slice(&received),
            )));
        }
        let read = within(limit, stream.read_buf(&mut received)).await?;
        match read {
            Ok(0) => return Err(TransportError::HangUp),
            Ok(_) => {}
            // rustls' error for an end of the connection without close_notify. Node.js does not distinguish it.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(TransportError::HangUp),
            Err(error) => return Err(TransportError::io("read")(error)),
        }
    }
}

/// The result of connecting to the target.
enum ConnectResult {
    /// Connected to the target.
    Target(NetStream),
    /// The proxy refused.
    Refusal(Refusal),
}

/// Connects to the target, through the proxy if there is one.
async fn reach(options: &ConnectOptions) -> Result<ConnectResult, TransportError> {
    let Some(proxy) = &options.proxy else {
        let tcp = reach_address(options).await?.map_err(TransportError::Connect)?;
        return Ok(ConnectResult::Target(NetStream::Plain(tcp)));
    };
    match proxy.timeout {
        None => reach_through(proxy, options).await,
        Some(limit) => tokio::time::timeout(limit, reach_through(proxy, options))
            .await
            .unwrap_or_else(|_| Err(ProxyError::TimedOut.into())),
    }
}

async fn reach_through(proxy: &Proxy, options: &ConnectOptions) -> Result<ConnectResult, TransportError> {
    let limit = options.handshake_timeout;
    let tcp = reach_address(options).await?.map_err(|attempts| {
        if proxy.protocol.is_socks() {
            ProxyError::Unreachable(attempts).into()
        } else {
            TransportError::Connect(attempts)
        }
    })?;
    let mut stream = NetStream::Plain(tcp);
    if let Some(target) = &proxy.tls {
        stream = within(limit, connect_tls(target, stream)).await??;
    }
    let refusal = within(limit, proxy::negotiate(proxy, &mut stream)).await??;
    Ok(refusal.map_or(ConnectResult::Target(stream), ConnectResult::Refusal))
}

/// Connects to one of the addresses, with the time limit of a step.
async fn reach_address(options: &ConnectOptions) -> Result<Result<TcpStream, Vec<FailedAttempt>>, TransportError> {
    within(options.handshake_timeout, connect_tcp(options)).await
}

/// Limits the time of a step. As in Node.js, each step has its own time.
async fn within<F: Future>(limit: Option<Duration>, step: F) -> Result<F::Output, TransportError> {
    match limit {
        None => Ok(step.await),
        Some(limit) => tokio::time::timeout(limit, step)
            .await
            .map_err(|_| TransportError::HandshakeTimeout),
    }
}
