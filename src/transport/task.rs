//! The task of a connection, from the first packet to the end.

use std::any::Any;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;

use super::connection::{Connection, Shared};
use super::error::TransportError;
use super::establish::{Opening, establish};
use super::event::{Event, EventSink};
use super::frame_check::CheckedStream;
use super::options::ConnectOptions;
use super::runtime::runtime;
use super::stream::NetStream;
use super::websocket;

/// The time that a whole opening may take, at least. The limit of a step starts anew with every read, as in Node, so that a
/// peer that sends a byte at a time or interim answers without end would hold the opening for ever.
pub(super) const MAX_OPENING: Duration = Duration::from_secs(120);
/// The steps of an opening: TCP, TLS to a proxy, the proxy's answer, TLS, the request, its answer; each may use up its limit.
const STEPS: u32 = 6;

/// The time that the whole opening may take.
fn opening_limit(options: &ConnectOptions) -> Duration {
    let steps = options.handshake_timeout.map(|limit| limit.saturating_mul(STEPS));
    steps.unwrap_or_default().max(MAX_OPENING)
}

/// Starts to connect.
///
/// # Errors
/// When the runtime's threads cannot be started.
pub fn connect<S: EventSink>(options: ConnectOptions, sink: S) -> io::Result<Connection> {
    let shared = Arc::new(Shared::new(options.turn.clone()));
    runtime()?.spawn(serve(options, Arc::clone(&shared), sink));
    Ok(Connection::new(shared))
}

/// The task of a connection.
pub(super) async fn serve<S: EventSink>(options: ConnectOptions, shared: Arc<Shared>, mut sink: S) {
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

/// Opens the connection and serves it.
async fn live<S: EventSink>(options: ConnectOptions, shared: &Shared, sink: &mut S) -> Result<(), TransportError> {
    // The opening's state is larger than what an open connection needs; it is freed with the box.
    let opening = Box::pin(open(options, sink));
    let Some(stream) = until_aborted(shared, opening).await.transpose()? else {
        return Ok(());
    };
    websocket::run(stream, shared, sink).await;
    Ok(())
}

/// Opens the connection. After a refusal nothing more happens until the handshake times out, as in `ws`.
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
