//! Ways for tests and fuzz targets into the transport, over memory instead of a network.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::DuplexStream;

use super::connection::{Connection, SharedConnection};
use super::event::{EventSink, TransportEvent};
use super::frame_check::CheckedStream;
use super::http::{self, ResponseError, ResponseHead};
use super::proxy::{self, Proxy};
use super::stream::NetStream;
use super::verify::Verifier;
use super::websocket;

/// Reads a response head from the beginning of `bytes`: the head and its length, or nothing while it is incomplete.
///
/// # Errors
/// If the bytes are not HTTP.
pub fn parse_response(bytes: &[u8]) -> Result<Option<(ResponseHead, usize)>, ResponseError> {
    http::parse_response(bytes)
}

/// Verifies the certificates of a server, the server's own first. `given`: the certificates that the caller trusts.
/// `now`: in seconds since 1970.
///
/// # Errors
/// Returns the reason as text.
pub fn verify_certificates(chain: &[&[u8]], given: &[&[u8]], name: &str, now: u64) -> Result<(), String> {
    let der = |bytes: &&[u8]| CertificateDer::from(bytes.to_vec());
    let (leaf, intermediates) = chain.split_first().ok_or("no certificate")?;
    let given = given.iter().map(der).filter(Verifier::takes).collect();
    let verifier = Verifier::new(&[], given, true, &rustls::crypto::ring::default_provider())?;
    let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
    let intermediates: Vec<_> = intermediates.iter().map(der).collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    verifier
        .verify_server_cert(&der(leaf), &intermediates, &name, &[], now)
        .map(drop)
        .map_err(|error| error.to_string())
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
