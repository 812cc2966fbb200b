//! Messages that wait to be written: filled by the owner of a connection, emptied by its task.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_tungstenite::tungstenite::Message;

/// Bytes that may wait for the network before a message counts as accepted only once it is written. Below it the
/// sender is told at once, so that sending in turn costs no round trip to another thread.
pub const HIGH_WATER: usize = 1024 * 1024;

/// Bytes that are written together: what one TLS record holds. A longer message is written by itself.
pub(super) const MAX_WRITE: usize = 16 * 1024;

/// The longest header of a WebSocket frame from a client, in bytes.
const MAX_HEADER: usize = 14;

/// What became of a message that was to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is queued, and the queue is short.
    Now,
    /// It is queued; an [`Event::Written`](super::event::Event::Written) will count it.
    Later,
    /// The connection is closing or has ended; nothing was queued.
    No,
}

/// The queue, and how far the sending has come.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    messages: VecDeque<Message>,
    /// Bytes accepted and not yet handed to the operating system.
    buffered: usize,
    /// Messages that were [`Accepted::Later`] and not yet reported as written.
    unreported: u32,
    /// Bytes of the queued messages with their headers.
    queued: usize,
    /// The connection is on the list of those with held messages.
    is_held: bool,
    closing: bool,
    ended: bool,
}

impl SendQueue {
    /// Whether messages are taken.
    pub(super) fn is_open(&self) -> bool {
        !self.closing && !self.ended
    }

    /// Bytes accepted and not yet handed to the operating system.
    pub(super) const fn buffered(&self) -> usize {
        self.buffered
    }

    /// Whether more than [`HIGH_WATER`] bytes wait for the network.
    pub(super) fn is_full(&self) -> bool {
        self.buffered > HIGH_WATER
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether a message of this length, in bytes, can be written together with those that are queued.
    pub(super) fn fits(&self, length: usize) -> bool {
        self.queued + length + MAX_HEADER <= MAX_WRITE
    }

    /// Marks the connection as one with held messages, or as one without. Returns what it was.
    pub(super) fn set_held(&mut self, is_held: bool) -> bool {
        std::mem::replace(&mut self.is_held, is_held)
    }

    /// Whether a sender may write the queued messages itself. Not if the task must report some of them as written, or send
    /// a close frame behind them.
    pub(super) fn allows_direct_write(&self) -> bool {
        self.unreported == 0 && !self.closing
    }

    /// Moves the queued messages to `into`, which is empty.
    pub(super) fn take(&mut self, into: &mut VecDeque<Message>) {
        std::mem::swap(&mut self.messages, into);
        self.queued = 0;
    }

    /// Notes that the operating system has taken `bytes`. Returns how many messages are to be reported as written.
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
        // Once one waits, all behind it do, so that they are reported in order.
        if self.unreported > 0 || self.is_full() {
            self.unreported += 1;
            Accepted::Later
        } else {
            Accepted::Now
        }
    }

    /// Queues a message that no [`Event::Written`](super::event::Event::Written) counts.
    pub(super) fn push_uncounted(&mut self, message: Message) {
        self.buffered += message.len();
        self.queued += message.len() + MAX_HEADER;
        self.messages.push_back(message);
    }

    /// Takes no more messages; the closing handshake follows those that are queued.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Takes no more messages and drops those that are queued: the connection has ended.
    pub(super) fn end(&mut self) {
        self.ended = true;
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

    /// Moves the queued messages to `into`, which is empty. Returns whether the closing handshake is to follow.
    pub(super) fn take(&self, into: &mut VecDeque<Message>) -> bool {
        let mut queue = self.lock();
        queue.take(into);
        queue.closing
    }

    /// Whether the closing handshake was asked for.
    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// As [`SendQueue::written`].
    pub(super) fn written(&self, bytes: usize) -> u32 {
        self.lock().written(bytes)
    }
}
