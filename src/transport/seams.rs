//! Ways for tests and fuzz targets into the transport, over memory instead of a network.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::DuplexStream;

use super::connection::{Connection, SharedConnection};
use super::event::{EventSink, TransportEvent};
use super::frame_check::CheckedStream;
use super::http::{self, ResponseError, ResponseHead};
use super::proxy::{self, Proxy};
use super::stream::NetStream;
use super::websocket;

/// Reads a response head from the beginning of `bytes`: the head and its length, or nothing while it is incomplete.
///
/// # Errors
/// If the bytes are not HTTP.
pub fn parse_response(bytes: &[u8]) -> Result<Option<(ResponseHead, usize)>, ResponseError> {
    http::parse_response(bytes)
}

/// Asks the proxy at the other end of `stream` for a connection. Returns the status if an HTTP proxy refused, otherwise
/// `None`.
///
/// # Errors
/// Returns the text of the error.
pub async fn negotiate(proxy: &Proxy, stream: &mut DuplexStream) -> Result<Option<u16>, String> {
    let refusal = proxy::negotiate(proxy, stream)
        .await
        .map_err(|error| error.to_string())?;
    Ok(refusal.map(|refusal| refusal.head.status))
}

/// An open WebSocket on `stream`. Returns the connection for its owner, and the task that moves its messages.
/// `leftover`: bytes that were received after the response head.
pub fn open<S: EventSink>(
    stream: DuplexStream,
    leftover: Vec<u8>,
    mut sink: S,
) -> (Connection, impl Future<Output = ()>) {
    let shared = Arc::new(SharedConnection::new(None));
    let connection = Connection::new(Arc::clone(&shared));
    let stream = CheckedStream::new(NetStream::Memory(stream), Bytes::from(leftover));
    let task = async move {
        websocket::run(stream, &shared, &mut sink).await;
        shared.end();
        sink.event(TransportEvent::Closed);
        sink.flush();
    };
    (connection, task)
}
