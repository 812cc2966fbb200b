//! Messages that wait to be written. The owner of a connection adds them; its task or a sending thread takes them.

use std::collections::VecDeque;
use std::sync::PoisonError;

use tokio_tungstenite::tungstenite::Message;

use crate::sync::{Mutex, MutexGuard};

/// Maximum number of unwritten bytes for [`Accepted::Now`]. Below this limit, the sender gets the result at once,
/// without a round trip to another thread.
pub const HIGH_WATER: usize = 1024 * 1024;

/// Maximum number of bytes that are written together: the size of a TLS record. A longer message is written alone.
pub(super) const MAX_WRITE: usize = 16 * 1024;

/// Maximum header length of a WebSocket frame from a client, in bytes.
const MAX_HEADER: usize = 14;

/// The result of sending a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// The message is queued, and the queue is short.
    Now,
    /// The message is queued. A [`TransportEvent::Written`](super::event::TransportEvent::Written) will count it.
    Later,
    /// The connection is closing or has ended. The message is not queued.
    No,
}

/// The queue and the progress of sending.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    messages: VecDeque<Message>,
    /// Number of accepted bytes that were not passed to the operating system yet.
    buffered: usize,
    /// Number of messages with the result [`Accepted::Later`] that were not reported as written yet.
    unreported: u32,
    /// Length of the queued messages with their headers, in bytes.
    queued: usize,
    /// Whether the connection is on the list of connections with held messages.
    is_held: bool,
    closing: bool,
    ended: bool,
    /// Whether nothing more is written.
    dropped: bool,
}

impl SendQueue {
    /// Whether messages are accepted.
    pub(super) fn is_open(&self) -> bool {
        !self.closing && !self.ended
    }

    /// Number of accepted bytes that were not passed to the operating system yet.
    pub(super) const fn buffered(&self) -> usize {
        self.buffered
    }

    /// Whether more than [`HIGH_WATER`] bytes are unwritten.
    pub(super) fn is_full(&self) -> bool {
        self.buffered > HIGH_WATER
    }

    /// Whether no messages are queued.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether a message of this length, in bytes, can be written together with those that are queued.
    pub(super) fn fits(&self, length: usize) -> bool {
        self.queued + length + MAX_HEADER <= MAX_WRITE
    }

    /// Whether nothing more is written, because the connection has ended or was aborted.
    pub(super) const fn is_dropped(&self) -> bool {
        self.dropped
    }

    /// Sets whether the connection has held messages. Returns the previous value.
    pub(super) fn set_held(&mut self, is_held: bool) -> bool {
        std::mem::replace(&mut self.is_held, is_held)
    }

    /// Whether a sender may write the queued messages itself. It may not if the task has to report messages as written,
    /// or has to send a close frame after them.
    pub(super) fn allows_direct_write(&self) -> bool {
        self.unreported == 0 && !self.closing
    }

    /// Moves the queued messages to `into`, which is empty.
    pub(super) fn take(&mut self, into: &mut VecDeque<Message>) {
        std::mem::swap(&mut self.messages, into);
        self.queued = 0;
    }

    /// Records that the operating system has accepted `bytes` bytes. Returns the number of messages to report as
    /// written.
    pub(super) fn written(&mut self, bytes: usize) -> u32 {
        self.buffered = self.buffered.saturating_sub(bytes);
        if self.buffered > HIGH_WATER / 2 {
            0
        } else {
            std::mem::take(&mut self.unreported)
        }
    }

    /// Queues a message.
    pub(super) fn push(&mut self, message: Message) -> Accepted {
        self.push_uncounted(message);
        // If one message is reported later, all messages after it are too, so that the reports are in order.
        if self.unreported > 0 || self.is_full() {
            self.unreported += 1;
            Accepted::Later
        } else {
            Accepted::Now
        }
    }

    /// Queues a message that is not counted in a [`TransportEvent::Written`](super::event::TransportEvent::Written).
    pub(super) fn push_uncounted(&mut self, message: Message) {
        self.buffered += message.len();
        self.queued += message.len() + MAX_HEADER;
        self.messages.push_back(message);
    }

    /// Stops accepting messages. The closing handshake follows the queued messages.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Stops accepting messages. The accepted ones and a requested close frame are still written.
    pub(super) fn stop(&mut self) {
        self.ended = true;
    }

    /// Stops accepting messages and drops the queued ones and the close frame, because the connection has ended.
    pub(super) fn end(&mut self) {
        self.stop();
        self.dropped = true;
        self.closing = false;
        self.messages = VecDeque::new();
    }
}

/// A [`SendQueue`] that owner and task share.
#[derive(Debug, Default)]
pub(super) struct SharedQueue(Mutex<SendQueue>);

impl SharedQueue {
    pub(super) fn lock(&self) -> MutexGuard<'_, SendQueue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the queued messages to `into`, which must be empty. Returns whether the closing handshake must follow.
    pub(super) fn take(&self, into: &mut VecDeque<Message>) -> bool {
        let mut queue = self.lock();
        queue.take(into);
        queue.closing
    }

    /// Whether the closing handshake was requested.
    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// As [`SendQueue::written`].
    pub(super) fn written(&self, bytes: usize) -> u32 {
        self.lock().written(bytes)
    }
}
