//! Proxies: asks a proxy for a connection to the target.
//!
//! The handshakes do no input or output ([`http`] and [`socks`]); this module moves their bytes. The errors and their
//! texts are those of the npm packages `https-proxy-agent` and `socks`, which Baileys' users configure.

mod error;
mod http;
mod options;
mod socks;

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::secret::Secret;

pub(super) use self::error::NegotiateError;
pub use self::error::ProxyError;
pub(super) use self::http::Refusal;
pub use self::options::{Proxy, ProxyProtocol};

/// Requests the connection from the proxy at the other end of `stream`. After that, the stream is connected to the
/// target, unless an HTTP proxy refused.
pub(super) async fn negotiate<S>(proxy: &Proxy, stream: &mut S) -> Result<Option<Refusal>, NegotiateError>
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
) -> Result<Option<Refusal>, NegotiateError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |syscall| move |source| NegotiateError::Io { syscall, source };
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
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(ProxyError::Ended.into()),
            Err(source) => return Err(failed("read")(source)),
        }
    }
}

async fn connect_socks<S>(mut handshake: socks::Handshake<'_>, stream: &mut S) -> Result<(), ProxyError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |syscall| {
        move |source: io::Error| match source.kind() {
            io::ErrorKind::UnexpectedEof => ProxyError::Closed,
            _ => ProxyError::Io { syscall, source },
        }
    };
    let mut buffer = [0; socks::MAX_ANSWER];
    loop {
        if let Some(request) = handshake.poll_transmit() {
            stream.write_all(&request).await.map_err(failed("write"))?;
            stream.flush().await.map_err(failed("write"))?;
        }
        // Reads exactly the wanted bytes, because bytes after the last answer come from the target.
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
