//! The owner's side of a connection, and the state that the owner and the task share.

use std::sync::{Arc, PoisonError, Weak};

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::loop_turn::{Held, Timing, TurnSender};
use super::options::KeepAliveProbes;
use super::send_queue::{Accepted, MAX_WRITE, SendQueue, SharedQueue};
use super::tcp::{self, TcpEndpoints};
use super::writer::Writer;
use crate::sync::{AtomicBool, AtomicUsize, AtomicWaker, Mutex, MutexGuard, Ordering};

/// The owner's side of a connection. Dropping it aborts the connection.
pub struct Connection {
    shared: Arc<SharedConnection>,
}

impl Connection {
    pub(super) fn new(shared: Arc<SharedConnection>) -> Self {
        Self { shared }
    }

    /// Queues a binary message.
    #[must_use]
    pub fn send_binary(&self, bytes: &[u8], timing: Timing) -> Accepted {
        self.shared.push(Message::Binary(Bytes::copy_from_slice(bytes)), timing)
    }

    /// Queues a binary message without copying it.
    #[must_use]
    pub fn send_owned(&self, bytes: Vec<u8>, timing: Timing) -> Accepted {
        self.shared.push(Message::Binary(Bytes::from(bytes)), timing)
    }

    /// Queues a ping. Its payload has at most [`MAX_CONTROL_PAYLOAD`](super::MAX_CONTROL_PAYLOAD) bytes.
    #[must_use]
    pub fn ping(&self, payload: &[u8]) -> Accepted {
        self.shared
            .push(Message::Ping(Bytes::copy_from_slice(payload)), Timing::Now)
    }

    /// Queues an unsolicited pong. Its payload has the same limit as that of [`ping`](Self::ping).
    #[must_use]
    pub fn pong(&self, payload: &[u8]) -> Accepted {
        self.shared
            .push(Message::Pong(Bytes::copy_from_slice(payload)), Timing::Now)
    }

    /// Number of accepted bytes that were not passed to the operating system yet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.shared.queue.lock().buffered()
    }

    /// The ends of the TCP connection, while the WebSocket is open.
    #[must_use]
    pub fn endpoints(&self) -> Option<TcpEndpoints> {
        self.with_tcp(|stream| tcp::endpoints(stream).ok()).flatten()
    }

    /// Starts or stops TCP keep-alive. Has no effect if the WebSocket is not open.
    pub fn set_probes(&self, probes: Option<KeepAliveProbes>) {
        // If the option cannot be set, the connection is lost. The next read reports it.
        self.with_tcp(|stream| tcp::set_probes(stream, probes).ok());
    }

    /// Sets TCP_NODELAY: small packets are sent at once. Has no effect if the WebSocket is not open.
    pub fn set_no_delay(&self, is_on: bool) {
        // As in `set_probes`.
        self.with_tcp(|stream| stream.set_nodelay(is_on).ok());
    }

    fn with_tcp<R>(&self, act: impl FnOnce(&TcpStream) -> R) -> Option<R> {
        self.shared.writer().as_ref().and_then(Writer::tcp).map(act)
    }

    /// Queues a text message.
    #[must_use]
    pub fn send_text(&self, text: &str, timing: Timing) -> Accepted {
        self.shared.push(Message::Text(Utf8Bytes::from(text)), timing)
    }

    /// Access to the messages that were not written yet.
    #[must_use]
    pub fn unwritten(&self) -> Unwritten {
        Unwritten(Arc::clone(&self.shared))
    }

    /// Creates a sender that does not keep the connection alive.
    #[must_use]
    pub fn weak_sender(&self) -> WeakSender {
        WeakSender {
            shared: Arc::downgrade(&self.shared),
        }
    }

    /// Starts the closing handshake after all queued messages are sent. The close frame has no code.
    pub fn close(&self) {
        self.shared.queue.lock().close();
        self.shared.waker.wake();
    }

    /// Ends the connection at once, without another event. Queued messages are dropped.
    pub fn abort(&self) {
        // First, so that the task finds nothing to write.
        self.shared.queue.lock().end();
        self.shared.abort();
    }

    /// As [`abort`](Self::abort), but queued messages are written first, as far as the operating system accepts data.
    /// Returns the messages if the task has to write them because it is running.
    pub fn destroy(&self) -> Option<Unwritten> {
        self.shared.queue.lock().stop();
        let is_running = match self.shared.writer.try_lock() {
            Ok(mut writer) => {
                if let Some(writer) = writer.as_mut() {
                    writer.write_all(&self.shared.queue);
                }
                false
            }
            Err(_) => true,
        };
        self.shared.abort();
        is_running.then(|| self.unwritten())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.shared.is_aborted() {
            self.abort();
        }
    }
}

/// The messages of a connection that were not written yet. It does not keep the connection alive.
pub struct Unwritten(Arc<SharedConnection>);

impl Unwritten {
    /// Writes the messages on this thread, and a requested close frame, as far as the operating system accepts data. It
    /// waits while the task reads a message. It is for the end of the process: the task may not run again.
    pub fn write(&self) {
        self.0.waiting.fetch_add(1, Ordering::Release);
        if let Some(writer) = self.0.writer().as_mut()
            && self.exist()
        {
            writer.write_all(&self.0.queue);
        }
        self.0.waiting.fetch_sub(1, Ordering::Release);
        // After the subtraction: the task does not run again before this wake.
        self.0.waker.wake();
    }

    /// Whether there can be such messages. There are none after the connection was aborted or its task has ended. Until
    /// then, the task can hold messages that it has taken from the queue.
    #[must_use]
    pub fn exist(&self) -> bool {
        !self.0.queue.lock().is_dropped()
    }
}

/// Sends on a connection without keeping it alive.
pub struct WeakSender {
    shared: Weak<SharedConnection>,
}

impl WeakSender {
    /// Queues the binary message that `make` returns. It is not counted in
    /// [`TransportEvent::Written`](super::TransportEvent::Written). Returns true if a message was queued. `make` is not
    /// called if the connection is closing or has ended, or if more than [`HIGH_WATER`](super::HIGH_WATER) bytes are
    /// queued.
    pub fn send_with(&self, make: impl FnOnce() -> Option<Vec<u8>>) -> bool {
        let Some(shared) = self.shared.upgrade() else {
            return false;
        };
        let mut queue = shared.queue.lock();
        if !queue.is_open() || queue.is_full() {
            return false;
        }
        let Some(message) = make() else { return false };
        queue.push_uncounted(Message::Binary(Bytes::from(message)));
        drop(queue);
        shared.waker.wake();
        true
    }
}

/// The state that the owner and the task share.
#[derive(Default)]
pub(super) struct SharedConnection {
    pub(super) queue: SharedQueue,
    /// The writer, while the connection is open. A thread that holds the queue's lock only tries to lock the writer,
    /// because the task takes the locks in the opposite order.
    writer: Mutex<Option<Writer>>,
    /// Number of threads in [`Unwritten::write`]. The task leaves the lock of the writer to them. Otherwise a peer that
    /// sends without a pause could keep them from it.
    waiting: AtomicUsize,
    /// The event loop of the owner.
    turn: Option<TurnSender>,
    /// Wakes the task. The first wake removes the waker, and the task registers it again. Therefore many sends in one
    /// tick wake the task once.
    pub(super) waker: AtomicWaker,
    aborted: AtomicBool,
}

impl SharedConnection {
    pub(super) fn new(turn: Option<TurnSender>) -> Self {
        Self {
            turn,
            ..Self::default()
        }
    }

    fn push(self: &Arc<Self>, message: Message, timing: Timing) -> Accepted {
        let mut queue = self.queue.lock();
        if !queue.is_open() {
            return Accepted::No;
        }
        let turn = self.turn.as_ref().filter(|_| timing == Timing::EndOfTurn);
        let is_long = message.len() > MAX_WRITE;
        let holds = turn.is_some_and(|turn| !turn.is_first() && !is_long);
        if holds && !queue.is_empty() && !queue.fits(message.len()) {
            self.write(&mut queue);
        }
        // If other messages are queued, the task writes faster than this thread.
        let is_direct = !holds && !is_long && queue.is_empty();
        let accepted = queue.push(message);
        match turn {
            Some(turn) if holds && queue.allows_direct_write() => {
                if !queue.set_held(true) {
                    turn.hold(Arc::clone(self) as Arc<dyn Held>);
                }
            }
            _ if is_direct => self.write(&mut queue),
            _ => self.waker.wake(),
        }
        accepted
    }

    /// Writes the queued messages, on this thread if possible.
    fn write(&self, queue: &mut SendQueue) {
        // If the task holds the lock, it is running. It checks the queue again before it stops.
        let is_written = match self.writer.try_lock() {
            Ok(mut writer) => writer.as_mut().is_some_and(|writer| writer.write_now(queue)),
            Err(_) => false,
        };
        if !is_written {
            self.waker.wake();
        }
    }

    /// The writer, while the connection is open.
    pub(super) fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the task must leave the writer to another thread, which wakes the task afterwards.
    pub(super) fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// Drops the connection and the queued messages. No more messages are accepted.
    pub(super) fn end(&self) {
        *self.writer() = None;
        self.queue.lock().end();
    }

    /// Ends the task.
    fn abort(&self) {
        self.aborted.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }

    /// Whether the owner has ended the connection and dropped its messages. A destroyed connection still writes them.
    pub(super) fn is_dropped(&self) -> bool {
        self.is_aborted() && self.queue.lock().is_dropped()
    }
}

impl Held for SharedConnection {
    fn flush(&self) {
        let mut queue = self.queue.lock();
        queue.set_held(false);
        if !queue.is_empty() {
            self.write(&mut queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;

    use super::super::send_queue::HIGH_WATER;
    use super::{Accepted, Connection, SharedConnection, Timing};

    #[test]
    fn a_full_queue_defers_until_half_of_it_is_written() {
        let shared = Arc::new(SharedConnection::default());
        let connection = Connection::new(Arc::clone(&shared));
        assert_eq!(connection.send_binary(&vec![0; HIGH_WATER], Timing::Now), Accepted::Now);
        assert_eq!(connection.send_binary(&[0], Timing::Now), Accepted::Later);
        assert_eq!(connection.send_text("x", Timing::Now), Accepted::Later);
        assert_eq!(shared.queue.written(1), 0);
        assert_eq!(shared.queue.written(HIGH_WATER), 2);
        assert_eq!(connection.send_binary(&[0], Timing::Now), Accepted::Now);
    }

    #[test]
    fn nothing_is_accepted_after_a_close_frame() {
        let shared = Arc::new(SharedConnection::default());
        let connection = Connection::new(Arc::clone(&shared));
        assert_eq!(connection.send_binary(&[1], Timing::Now), Accepted::Now);
        connection.close();
        assert_eq!(connection.send_binary(&[2], Timing::Now), Accepted::No);
        let mut queue = VecDeque::new();
        assert!(shared.queue.take(&mut queue));
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn a_destroyed_connection_can_have_unwritten_messages_until_its_task_ends() {
        let shared = Arc::new(SharedConnection::default());
        let connection = Connection::new(Arc::clone(&shared));
        assert_eq!(connection.send_binary(&[1], Timing::Now), Accepted::Now);
        // The task takes the message and has not written it yet.
        let writer = shared.writer();
        shared.queue.take(&mut VecDeque::new());
        let unwritten = connection.destroy().unwrap();
        drop(writer);
        assert!(unwritten.exist());
        shared.end();
        assert!(!unwritten.exist());
    }

    #[test]
    fn a_weak_sender_does_not_keep_the_connection_and_stops_at_a_full_queue() {
        let shared = Arc::new(SharedConnection::default());
        let connection = Connection::new(Arc::clone(&shared));
        let sender = connection.weak_sender();
        assert!(!sender.send_with(|| None));
        assert!(sender.send_with(|| Some(vec![0; HIGH_WATER + 1])));
        assert!(!sender.send_with(|| panic!("called with a full queue")));
        assert_eq!(shared.queue.written(HIGH_WATER + 1), 0);
        drop((connection, shared));
        assert!(!sender.send_with(|| panic!("called without a connection")));
    }
}
