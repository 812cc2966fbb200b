//! The events of a connection.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::error::TransportError;
use super::http::ResponseHead;

/// An event of a connection. Events are in order. The last one is [`Closed`](Self::Closed), except after
/// [`Connection::abort`](super::Connection::abort).
#[derive(Debug)]
pub enum TransportEvent {
    /// The peer accepts the upgrade. [`Open`](Self::Open) or an error follows.
    Upgrade(ResponseHead),
    /// The peer or the proxy sent a different response. The connection is dropped. As in `ws`, nothing more happens
    /// until the handshake timeout.
    UnexpectedResponse {
        /// The head of the response.
        head: ResponseHead,
        /// The part of the body that was received with the head.
        body: Bytes,
    },
    /// The connection is open: messages can be sent.
    Open,
    /// A complete message.
    Message {
        /// The payload. It is UTF-8 for a text message.
        bytes: Bytes,
        /// Whether it is a binary message.
        is_binary: bool,
    },
    /// A ping. It is answered automatically.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The peer's close frame. No message follows. [`Connection::close`](super::Connection::close) sends the answer,
    /// after all messages that were queued before it.
    CloseFrame {
        /// The status code. 1005 if the frame had none.
        code: u16,
        /// The reason in UTF-8.
        reason: Vec<u8>,
    },
    /// The number of messages with the result [`Accepted::Later`](super::Accepted::Later) that are now written.
    Written(u32),
    /// The connection failed. Only [`Closed`](Self::Closed) follows.
    Error(TransportError),
    /// The connection has ended.
    Closed,
}

/// Receives the events of a connection. Its methods are called on the connection's task.
pub trait EventSink: Send + 'static {
    /// Whether the sink accepts another message. If not, the sink wakes the task when it does.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    /// The task is about to write. The owner may no longer allow that, and drop the connection here.
    fn before_write(&mut self) {}
    /// Handles an event.
    fn event(&mut self, event: TransportEvent);
    /// No more events follow for now. The sink should pass on the events that it has collected.
    fn flush(&mut self);
    /// Whether an event was lost because there was not enough memory. The connection then ends with
    /// [`TransportError::OutOfMemory`].
    fn is_exhausted(&self) -> bool {
        false
    }
}
