//! Messages that wait to be written: filled by the owner of a connection, emptied by its task.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::Message;

/// Bytes that may wait for the network before a message counts as accepted only once it is written. Below it the
/// sender is told at once, so that sending in turn costs no round trip to another thread.
pub const HIGH_WATER: usize = 1024 * 1024;

/// A message sent within this time after the one before is queued, so that the task writes many together. A later one is
/// written at once by its sender, which saves waking another thread.
const BURST_GAP: Duration = Duration::from_micros(50);

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
    closing: bool,
    ended: bool,
    last_sent: Option<Instant>,
}

impl SendQueue {
    /// Whether messages are taken.
    pub(super) fn is_open(&self) -> bool {
        !self.closing && !self.ended
    }

    /// Whether more than [`HIGH_WATER`] bytes wait for the network.
    pub(super) fn is_full(&self) -> bool {
        self.buffered > HIGH_WATER
    }

    /// Notes that a message is sent now. Returns whether its sender may write it: nothing waits before it, and it does not
    /// follow closely on another.
    pub(super) fn allows_direct_write(&mut self) -> bool {
        let now = Instant::now();
        let is_lone = self
            .last_sent
            .replace(now)
            .is_none_or(|last| now.duration_since(last) > BURST_GAP);
        is_lone && self.messages.is_empty() && self.unreported == 0
    }

    /// Counts a message that was given to the connection without being queued, but is not written whole.
    pub(super) fn add_unwritten(&mut self, bytes: usize) {
        self.buffered += bytes;
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
        std::mem::swap(&mut queue.messages, into);
        queue.closing
    }

    /// Whether the closing handshake was asked for.
    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Notes that the operating system has taken `bytes`. Returns how many messages are to be reported as written.
    pub(super) fn written(&self, bytes: usize) -> u32 {
        let mut queue = self.lock();
        queue.buffered = queue.buffered.saturating_sub(bytes);
        if queue.buffered > HIGH_WATER / 2 {
            0
        } else {
            std::mem::take(&mut queue.unreported)
        }
    }
}
