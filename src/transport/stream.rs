//! A TCP connection with or without TLS. A TLS connection to a proxy can carry another TLS connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The stream below the WebSocket.
#[derive(Debug)]
pub(super) enum NetStream {
    /// `ws:`
    Plain(TcpStream),
    /// `wss:`, or TLS to a proxy.
    Tls(Box<TlsStream<NetStream>>),
    /// Memory, see [`seams`](super::seams).
    #[cfg(feature = "seams")]
    Memory(tokio::io::DuplexStream),
}

impl NetStream {
    /// The TCP connection beneath. `None` for memory.
    pub(super) fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::Tls(stream) => stream.get_ref().0.tcp(),
            #[cfg(feature = "seams")]
            Self::Memory(_) => None,
        }
    }

    /// The size of the read buffer in bytes. Each connection keeps this buffer. With TLS it is smaller, because rustls
    /// has its own buffer. Without TLS each read is a system call.
    pub(super) fn read_size(&self) -> usize {
        match self {
            Self::Plain(_) => 4096,
            Self::Tls(_) => 2048,
            #[cfg(feature = "seams")]
            Self::Memory(_) => 4096,
        }
    }
}

impl AsyncRead for NetStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            #[cfg(feature = "seams")]
            Self::Memory(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for NetStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
            #[cfg(feature = "seams")]
            Self::Memory(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(feature = "seams")]
            Self::Memory(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(feature = "seams")]
            Self::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
