//! Proxies: asks one, over a connection to it, for a connection to the target.
//!
//! The handshakes are sans-IO ([`http`] and [`socks`]); this module moves their bytes. What counts as an error and how it
//! is told follows the npm packages `https-proxy-agent` and `socks`, which Baileys' users configure.

mod error;
mod http;
mod socks;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::TlsTarget;
use super::error::TransportError;
use super::http::ResponseHead;
use super::secret::Secret;

pub use self::error::ProxyError;

/// A proxy and what is asked of it. Its addresses are [`ConnectOptions::addresses`](super::ConnectOptions::addresses).
#[derive(Debug, Clone)]
pub struct Proxy {
    /// How it is asked.
    pub protocol: ProxyProtocol,
    /// The target's name or address; an IPv6 address without brackets.
    pub host: String,
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

/// What an HTTP proxy answered instead of granting the connection.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) head: ResponseHead,
    /// What came of the body together with the head.
    pub(super) body: Bytes,
}

/// Asks the proxy at the other end of `stream` for the connection; afterwards the stream leads to the target, unless the
/// proxy refused over HTTP.
pub(super) async fn negotiate<S>(proxy: &Proxy, stream: &mut S) -> Result<Option<Refusal>, TransportError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match &proxy.protocol {
        ProxyProtocol::Http(headers) => connect_http(proxy, headers, stream).await,
        ProxyProtocol::Socks4(_) | ProxyProtocol::Socks5(_) => {
            connect_socks(socks::Handshake::new(proxy)?, stream).await?;
            Ok(None)
        }
    }
}

async fn connect_http<S>(
    proxy: &Proxy,
    headers: &[(String, Secret)],
    stream: &mut S,
) -> Result<Option<Refusal>, TransportError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |syscall| move |source| TransportError::Io { syscall, source };
    let request = http::request(&proxy.host, proxy.port, headers);
    stream.write_all(&request).await.map_err(failed("write"))?;
    stream.flush().await.map_err(failed("write"))?;
    let mut received = BytesMut::with_capacity(1024);
    loop {
        if let Some(answer) = http::parse(&mut received)? {
            return Ok(answer);
        }
        match stream.read_buf(&mut received).await {
            Ok(0) => return Err(ProxyError::Ended.into()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Err(ProxyError::Ended.into()),
            Err(source) => return Err(failed("read")(source)),
        }
    }
}

async fn connect_socks<S>(mut handshake: socks::Handshake<'_>, stream: &mut S) -> Result<(), ProxyError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |syscall| {
        move |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => ProxyError::Closed,
            _ => ProxyError::Io { syscall, source },
        }
    };
    let mut buffer = [0; socks::MAX_ANSWER];
    loop {
        if let Some(request) = handshake.poll_transmit() {
            stream.write_all(&request).await.map_err(failed("write"))?;
            stream.flush().await.map_err(failed("write"))?;
        }
        // Read to the byte: what follows the last answer is the target's.
        let Some(answer) = buffer.get_mut(..handshake.wanted()) else {
            return Err(ProxyError::Socks5Reply);
        };
        if answer.is_empty() {
            return Ok(());
        }
        stream.read_exact(answer).await.map_err(failed("read"))?;
        handshake.handle_answer(answer)?;
    }
}
