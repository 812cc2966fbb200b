//! WebSocket over TCP or TLS, directly or through a proxy, on tokio.
//!
//! [`connect`] starts a task that owns the connection and reports to an [`EventSink`]; the returned [`Connection`]
//! sends and closes. The order of events, and what counts as an error, is that of the npm package `ws`, which Baileys
//! uses: its users' code depends on both.
//!
//! The sink is called on the I/O side. It may do as much with a message as it likes before it passes it on, and says
//! with [`EventSink::poll_ready`] when it has enough, so that the connection is not read and TCP holds the peer back.

mod error;
mod establish;
mod guard;
mod http;
mod outbox;
mod proxy;
mod rest;
mod runtime;
mod secret;
mod stream;
mod tls;
mod verify;
mod websocket;

use std::any::Any;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;

use self::establish::Opening;
use self::outbox::Shared;

pub use self::error::{FailedAttempt, ResponseError, TransportError};
pub use self::guard::{MAX_MESSAGE, Violation};
pub use self::http::{MAX_RESPONSE_HEAD, ResponseHead};
pub use self::outbox::{Accepted, Connection, HIGH_WATER, Outlet};
pub use self::proxy::{Proxy, ProxyError, ProxyProtocol};
pub use self::rest::on_rest;
pub(crate) use self::runtime::runtime;
pub use self::secret::Secret;
pub use self::tls::{Identity, Roots, TlsOptions};
pub use self::verify::TrustFailure;

/// Where and how to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Addresses to try, in order; names have been resolved. They are the proxy's where there is one.
    pub addresses: Vec<SocketAddr>,
    /// The address to connect from.
    pub local_address: Option<IpAddr>,
    /// What to ask a proxy for. Without it `addresses` are the peer's own.
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
    /// How long each step of the opening may take; unlimited where absent.
    pub handshake_timeout: Option<Duration>,
}

/// Whom to meet over TLS.
#[derive(Debug, Clone)]
pub struct TlsTarget {
    /// Trust and identity.
    pub options: TlsOptions,
    /// The name (or IP address) that the server's certificate must be valid for.
    pub server_name: String,
}

/// What happens on a connection, in order. The last is always [`Closed`](Self::Closed), except after
/// [`Connection::abort`].
#[derive(Debug)]
pub enum Event {
    /// The peer agrees to leave HTTP. [`Open`](Self::Open) follows, or an error where the answer is not valid.
    Upgrade(ResponseHead),
    /// The peer, or the proxy on the way to it, answered with something else. The connection has been dropped; as with
    /// `ws`, whose user holds the response, nothing more happens until the handshake times out.
    UnexpectedResponse {
        /// Its head.
        head: ResponseHead,
        /// What came of the body together with the head.
        body: Bytes,
    },
    /// Messages may be sent.
    Open,
    /// A whole message.
    Message {
        /// Its payload; UTF-8 for a text message.
        bytes: Bytes,
        /// Whether it is a binary message.
        is_binary: bool,
    },
    /// A ping; it has been answered.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The peer's close frame. No message follows; it is answered once [`Connection::close`] is called, behind what has been
    /// sent until then.
    CloseFrame {
        /// The status code; 1005 where the frame held none.
        code: u16,
        /// The reason, UTF-8.
        reason: Vec<u8>,
    },
    /// So many messages that were [`Accepted::Later`] are written.
    Written(u32),
    /// The connection failed. Only [`Closed`](Self::Closed) follows.
    Error(TransportError),
    /// The connection is gone.
    Closed,
}

/// Receives a connection's events, on the task that serves it.
pub trait EventSink: Send + 'static {
    /// Whether another message may come; where not, the task is woken when it may.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    /// Something happened.
    fn event(&mut self, event: Event);
    /// No event follows for now: what was gathered should travel on.
    fn flush(&mut self);
}

/// Starts to connect.
///
/// # Errors
/// Where the runtime's threads cannot be started.
pub fn connect<S: EventSink>(options: ConnectOptions, sink: S) -> io::Result<Connection> {
    let shared = Arc::new(Shared::default());
    runtime::runtime()?.spawn(serve(options, Arc::clone(&shared), sink));
    Ok(Connection::new(shared))
}

/// The task of a connection.
async fn serve<S: EventSink>(options: ConnectOptions, shared: Arc<Shared>, mut sink: S) {
    // A defect must end this connection, not the process, and must not go unnoticed.
    let outcome = AssertUnwindSafe(live(options, &shared, &mut sink)).catch_unwind().await;
    shared.end();
    if shared.is_aborted() {
        return;
    }
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => sink.event(Event::Error(error)),
        Err(panic) => sink.event(Event::Error(TransportError::Internal(panic_text(&*panic)))),
    }
    sink.event(Event::Closed);
    sink.flush();
}

async fn live<S: EventSink>(options: ConnectOptions, shared: &Shared, sink: &mut S) -> Result<(), TransportError> {
    // The opening's state is larger than what an open connection needs; it is freed with the box.
    let opening = Box::pin(open(options, sink));
    let Some(stream) = until_aborted(shared, opening).await.transpose()? else {
        return Ok(());
    };
    websocket::run(stream, shared, sink).await;
    Ok(())
}

async fn open<S: EventSink>(
    options: ConnectOptions,
    sink: &mut S,
) -> Result<guard::Guard<stream::NetStream>, TransportError> {
    match establish::establish(&options, sink).await? {
        Opening::Open(stream) => Ok(stream),
        Opening::Refused => {
            match options.handshake_timeout {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
            Err(TransportError::HandshakeTimeout)
        }
    }
}

/// Runs `future` until it is done or the owner abandons the connection.
async fn until_aborted<F: Future + Unpin>(shared: &Shared, mut future: F) -> Option<F::Output> {
    std::future::poll_fn(move |cx| {
        shared.waker.register(cx.waker());
        if shared.is_aborted() {
            return Poll::Ready(None);
        }
        future.poll_unpin(cx).map(Some)
    })
    .await
}

/// A panic's message.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".to_owned())
}

#[cfg(test)]
mod tests;
