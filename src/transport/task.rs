//! The task of a connection, from connecting to its end.

use std::any::Any;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;

use super::connection::{Connection, SharedConnection};
use super::error::TransportError;
use super::establish::{Opening, establish};
use super::event::{EventSink, TransportEvent};
use super::frame_check::CheckedStream;
use super::options::ConnectOptions;
use super::runtime::runtime;
use super::stream::NetStream;
use super::websocket;

/// Minimum time limit of the whole opening. As in Node.js, the limit of a step starts again with each read. Without
/// this limit, a peer that sends single bytes or interim responses could delay the opening without end.
pub(super) const MAX_OPENING: Duration = Duration::from_secs(120);
/// Number of steps of an opening: TCP, TLS to the proxy, the proxy's answer, TLS, the request, its response.
const STEPS: u32 = 6;

/// The time limit of the whole opening.
fn opening_limit(options: &ConnectOptions) -> Duration {
    let steps = options.handshake_timeout.map(|limit| limit.saturating_mul(STEPS));
    steps.unwrap_or_default().max(MAX_OPENING)
}

/// Starts a connection.
///
/// # Errors
/// Fails if the threads of the runtime cannot be started.
pub fn connect<S: EventSink>(options: ConnectOptions, sink: S) -> io::Result<Connection> {
    let shared = Arc::new(SharedConnection::new(options.turn.clone()));
    runtime()?.spawn(serve(options, Arc::clone(&shared), sink));
    Ok(Connection::new(shared))
}

/// The task of a connection.
pub(super) async fn serve<S: EventSink>(options: ConnectOptions, shared: Arc<SharedConnection>, mut sink: S) {
    // A defect ends this connection, but not the process. It is reported as an error.
    let outcome = AssertUnwindSafe(run_connection(options, &shared, &mut sink))
        .catch_unwind()
        .await;
    shared.end();
    if shared.is_aborted() {
        return;
    }
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => sink.event(TransportEvent::Error(error)),
        Err(panic) => sink.event(TransportEvent::Error(TransportError::Internal(panic_text(&*panic)))),
    }
    sink.event(TransportEvent::Closed);
    sink.flush();
}

/// Opens the connection and serves it.
async fn run_connection<S: EventSink>(
    options: ConnectOptions,
    shared: &SharedConnection,
    sink: &mut S,
) -> Result<(), TransportError> {
    // The state of the opening is large. It is boxed, so that its memory is freed when the connection is open.
    let opening = Box::pin(open(options, sink));
    let Some(stream) = until_aborted(shared, opening).await.transpose()? else {
        return Ok(());
    };
    websocket::run(stream, shared, sink).await;
    Ok(())
}

/// Opens the connection. As in `ws`, nothing more happens after an unexpected response until the handshake timeout.
async fn open<S: EventSink>(options: ConnectOptions, sink: &mut S) -> Result<CheckedStream<NetStream>, TransportError> {
    let opening = tokio::time::timeout(opening_limit(&options), establish(&options, sink)).await;
    match opening.unwrap_or(Err(TransportError::HandshakeTimeout))? {
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

/// Runs `future` until it is complete or the owner aborts the connection.
async fn until_aborted<F: Future + Unpin>(shared: &SharedConnection, mut future: F) -> Option<F::Output> {
    std::future::poll_fn(move |cx| {
        shared.waker.register(cx.waker());
        if shared.is_aborted() {
            return Poll::Ready(None);
        }
        future.poll_unpin(cx).map(Some)
    })
    .await
}

/// The message of a panic.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".to_owned())
}
