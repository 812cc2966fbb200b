//! What is on its way to the peer: filled by the owner of a connection, emptied by its task.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::websocket::{Io, Written};

/// Bytes that may wait for the network before a message counts as accepted only once it is written. Below it the
/// sender is told at once, so that sending in turn costs no round trip to another thread.
pub const HIGH_WATER: usize = 1024 * 1024;

/// A message sent so long after the one before is written at once by its sender, which saves waking another thread.
/// Messages in closer succession are queued, so that the task writes many of them together.
const BURST_GAP: Duration = Duration::from_micros(50);
/// The longest message, in bytes, that is written at once.
const MAX_DIRECT: usize = 16 * 1024;

/// What became of a message that was to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is queued, and the queue is short.
    Now,
    /// It is queued; an [`Event::Written`](super::Event::Written) will count it.
    Later,
    /// The connection is closing or has ended; nothing was queued.
    No,
}

/// A connection as its owner holds it. Dropping it abandons the connection.
pub struct Connection {
    shared: Arc<Shared>,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Queues a binary message.
    #[must_use]
    pub fn send_binary(&self, bytes: &[u8]) -> Accepted {
        self.shared.push(Message::Binary(Bytes::copy_from_slice(bytes)))
    }

    /// Queues a binary message without copying it.
    #[must_use]
    pub fn send_owned(&self, bytes: Vec<u8>) -> Accepted {
        self.shared.push(Message::Binary(Bytes::from(bytes)))
    }

    /// Queues a ping.
    #[must_use]
    pub fn ping(&self) -> Accepted {
        self.shared.push(Message::Ping(Bytes::new()))
    }

    /// Queues a text message.
    #[must_use]
    pub fn send_text(&self, text: &str) -> Accepted {
        self.shared.push(Message::Text(Utf8Bytes::from(text)))
    }

    /// A second way to send.
    #[must_use]
    pub fn outlet(&self) -> Outlet {
        Outlet {
            shared: Arc::downgrade(&self.shared),
        }
    }

    /// Starts the closing handshake (a close frame without a code) behind what is queued.
    pub fn close(&self) {
        self.shared.lock().closing = true;
        self.shared.waker.wake();
    }

    /// Ends the connection at once and without another event.
    pub fn abort(&self) {
        self.shared.aborted.store(true, Ordering::Release);
        self.shared.waker.wake();
    }
}

/// Sends through a connection without owning it.
pub struct Outlet {
    shared: Weak<Shared>,
}

impl Outlet {
    /// Queues the binary message that `make` gives, which the connection accepts for certain; of it no event tells. Says
    /// whether there was one. `make` is not called where the connection is closing, or waits for the network with much to
    /// send already.
    pub fn send_with(&self, make: impl FnOnce() -> Option<Vec<u8>>) -> bool {
        let Some(shared) = self.shared.upgrade() else {
            return false;
        };
        let mut outbox = shared.lock();
        if outbox.closing || outbox.ended || outbox.buffered > HIGH_WATER {
            return false;
        }
        let Some(message) = make() else { return false };
        outbox.buffered += message.len();
        outbox.queue.push_back(Message::Binary(Bytes::from(message)));
        drop(outbox);
        shared.waker.wake();
        true
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.abort();
    }
}

/// The meeting place of owner and task.
#[derive(Default)]
pub(super) struct Shared {
    outbox: Mutex<Outbox>,
    /// The connection, while it is open. Locked after `outbox` only where that cannot wait.
    io: Mutex<Option<Io>>,
    /// Wakes the task. Taken by the first wake, put back when the task runs: many sends in one tick wake it once.
    pub(super) waker: AtomicWaker,
    aborted: AtomicBool,
}

#[derive(Debug, Default)]
struct Outbox {
    queue: VecDeque<Message>,
    /// Bytes accepted and not yet handed to the operating system.
    buffered: usize,
    /// Messages that were [`Accepted::Later`] and not yet reported as written.
    owed: u32,
    closing: bool,
    ended: bool,
    /// When a message was last sent.
    last: Option<Instant>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, message: Message) -> Accepted {
        let mut outbox = self.lock();
        if outbox.closing || outbox.ended {
            return Accepted::No;
        }
        let length = message.len();
        let message = match self.write_now(&mut outbox, message) {
            Ok(Written::Whole) => return Accepted::Now,
            Ok(Written::Rest) => {
                outbox.buffered += length;
                drop(outbox);
                self.waker.wake();
                return Accepted::Now;
            }
            Err(message) => message,
        };
        outbox.buffered += length;
        outbox.queue.push_back(message);
        // Once one waits, all behind it do, so that they are reported in order.
        let accepted = if outbox.owed > 0 || outbox.buffered > HIGH_WATER {
            Accepted::Later
        } else {
            Accepted::Now
        };
        if accepted == Accepted::Later {
            outbox.owed += 1;
        }
        drop(outbox);
        self.waker.wake();
        accepted
    }

    /// Writes a message without the task where nothing is queued before it and it is not one of many.
    fn write_now(&self, outbox: &mut Outbox, message: Message) -> Result<Written, Message> {
        let now = Instant::now();
        let is_lone = outbox
            .last
            .replace(now)
            .is_none_or(|last| now.duration_since(last) > BURST_GAP);
        if !is_lone || !outbox.queue.is_empty() || outbox.owed > 0 || message.len() > MAX_DIRECT {
            return Err(message);
        }
        // The task, where it runs just now, has it: it will look into the queue.
        let Ok(mut io) = self.io.try_lock() else {
            return Err(message);
        };
        match io.as_mut() {
            Some(io) => io.write_now(message),
            None => Err(message),
        }
    }

    /// The connection, while it is open.
    pub(super) fn io(&self) -> MutexGuard<'_, Option<Io>> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the queue into `into`, which is empty; returns whether the closing handshake is to follow.
    pub(super) fn take(&self, into: &mut VecDeque<Message>) -> bool {
        let mut outbox = self.lock();
        std::mem::swap(&mut outbox.queue, into);
        outbox.closing
    }

    /// Whether the closing handshake was asked for.
    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// `bytes` went out. Returns how many messages are to be reported as written.
    pub(super) fn written(&self, bytes: usize) -> u32 {
        let mut outbox = self.lock();
        outbox.buffered = outbox.buffered.saturating_sub(bytes);
        if outbox.buffered > HIGH_WATER / 2 {
            0
        } else {
            std::mem::take(&mut outbox.owed)
        }
    }

    /// The connection has ended; nothing more is accepted.
    pub(super) fn end(&self) {
        *self.io() = None;
        let mut outbox = self.lock();
        outbox.ended = true;
        outbox.queue = VecDeque::new();
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;

    use super::{Accepted, Connection, HIGH_WATER, Shared};

    #[test]
    fn a_full_queue_defers_until_half_of_it_is_out() {
        let shared = Arc::new(Shared::default());
        let connection = Connection::new(Arc::clone(&shared));
        assert_eq!(connection.send_binary(&vec![0; HIGH_WATER]), Accepted::Now);
        assert_eq!(connection.send_binary(&[0]), Accepted::Later);
        assert_eq!(connection.send_text("x"), Accepted::Later);
        assert_eq!(shared.written(1), 0);
        assert_eq!(shared.written(HIGH_WATER), 2);
        assert_eq!(connection.send_binary(&[0]), Accepted::Now);
    }

    #[test]
    fn nothing_is_accepted_behind_a_close() {
        let shared = Arc::new(Shared::default());
        let connection = Connection::new(Arc::clone(&shared));
        assert_eq!(connection.send_binary(&[1]), Accepted::Now);
        connection.close();
        assert_eq!(connection.send_binary(&[2]), Accepted::No);
        let mut queue = VecDeque::new();
        assert!(shared.take(&mut queue));
        assert_eq!(queue.len(), 1);
    }
}
