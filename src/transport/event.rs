//! What happens on a connection.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::error::TransportError;
use super::http::ResponseHead;

/// What happens on a connection, in order. The last is always [`Closed`](Self::Closed), except after
/// [`Connection::abort`](super::Connection::abort).
#[derive(Debug)]
pub enum Event {
    /// The peer agrees to leave HTTP. [`Open`](Self::Open) follows, or an error where the answer is not valid.
    Upgrade(ResponseHead),
    /// The peer, or the proxy on the way to it, answered with something else. The connection has been dropped; as with
    /// `ws`, whose user holds the response, nothing more happens until the handshake times out.
    UnexpectedResponse {
        /// Its head.
        head: ResponseHead,
        /// The part of the body that came together with the head.
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
    /// The peer's close frame. No message follows. It is answered once [`Connection::close`](super::Connection::close) is
    /// called, behind what has been sent until then.
    CloseFrame {
        /// The status code; 1005 where the frame held none.
        code: u16,
        /// The reason, UTF-8.
        reason: Vec<u8>,
    },
    /// The number of [`Accepted::Later`](super::Accepted::Later) messages that are now written.
    Written(u32),
    /// The connection failed. Only [`Closed`](Self::Closed) follows.
    Error(TransportError),
    /// The connection is gone.
    Closed,
}

/// Receives a connection's events, on the task that serves it.
pub trait EventSink: Send + 'static {
    /// Whether another message may come; if not, the task is woken when it may.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    /// Something happened.
    fn event(&mut self, event: Event);
    /// No event follows for now: events that the sink holds back should be passed on.
    fn flush(&mut self);
}
