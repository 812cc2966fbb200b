//! Counters of sockets.

use serde::Serialize;

use crate::session::nanos_as_ms;
use crate::sync::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

/// A counter that one thread writes and other threads read. All accesses are relaxed: a reader accepts an
/// old value, and no other memory depends on it.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to the counter.
    pub fn add(&self, more: u64) {
        self.0
            .store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    /// The current value.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The state of a socket. A socket only moves forward through these states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SocketState {
    /// The connection is not open yet.
    Connecting,
    /// Messages can be sent.
    Open,
    /// The closing handshake has begun.
    Closing,
    /// The connection has ended.
    Closed,
}

/// The counters of one socket. Its I/O task writes the inbound fields, the JavaScript thread the outbound fields.
#[derive(Debug, Default)]
pub struct SocketCounters {
    state: AtomicU8,
    /// Data messages received.
    pub messages_in: Counter,
    /// Bytes of the received data messages.
    pub bytes_in: Counter,
    /// Frames that were opened ahead of JavaScript.
    pub frames_opened: Counter,
    /// Time spent on received messages, in nanoseconds.
    pub busy: Counter,
    /// Data messages sent.
    pub messages_out: Counter,
    /// Bytes of the sent data messages.
    pub bytes_out: Counter,
    /// Authentic frames that could not be decoded as stanzas. The JavaScript thread counts them.
    pub malformed: Counter,
    waiting: AtomicUsize,
    most_waiting: AtomicUsize,
}

impl SocketCounters {
    /// Moves the socket to a later state. An earlier state has no effect. Relaxed, because the state is only displayed.
    pub fn reach(&self, state: SocketState) {
        self.state.fetch_max(state as u8, Ordering::Relaxed);
    }

    /// The state of the socket.
    #[must_use]
    pub fn state(&self) -> SocketState {
        let state = self.state.load(Ordering::Relaxed);
        [SocketState::Connecting, SocketState::Open, SocketState::Closing]
            .into_iter()
            .find(|known| *known as u8 == state)
            .unwrap_or(SocketState::Closed)
    }

    /// Bytes that wait for JavaScript.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Adds bytes that wait for JavaScript. The maximum needs no ordering, because one thread writes it for display only.
    pub(super) fn add_waiting(&self, bytes: usize) {
        let waiting = self.waiting.fetch_add(bytes, Ordering::AcqRel) + bytes;
        if waiting > self.most_waiting.load(Ordering::Relaxed) {
            self.most_waiting.store(waiting, Ordering::Relaxed);
        }
    }

    /// Subtracts bytes that JavaScript has taken. Returns how many bytes waited before.
    pub(super) fn subtract_waiting(&self, bytes: usize) -> usize {
        self.waiting.fetch_sub(bytes, Ordering::AcqRel)
    }
}

/// The sums over many sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketMetrics {
    /// The number of sockets.
    #[serde(rename = "connections")]
    pub sockets: u64,
    /// Data messages received.
    pub messages_in: u64,
    /// Bytes of the received data messages.
    pub bytes_in: u64,
    /// Frames that were opened ahead of JavaScript.
    pub frames_opened: u64,
    /// Time spent on received messages, in nanoseconds.
    #[serde(rename = "inboundMs", serialize_with = "nanos_as_ms")]
    pub busy: u64,
    /// Data messages sent.
    pub messages_out: u64,
    /// Bytes of the sent data messages.
    pub bytes_out: u64,
    /// Authentic frames that could not be decoded as stanzas.
    pub malformed: u64,
    /// Maximum number of bytes of one socket that waited for JavaScript.
    #[serde(rename = "mostWaitingBytes")]
    pub most_waiting: usize,
}

impl SocketMetrics {
    /// Adds the counters of one socket.
    pub fn add(&mut self, socket: &SocketCounters) {
        self.sockets += 1;
        self.messages_in += socket.messages_in.get();
        self.bytes_in += socket.bytes_in.get();
        self.frames_opened += socket.frames_opened.get();
        self.busy += socket.busy.get();
        self.messages_out += socket.messages_out.get();
        self.bytes_out += socket.bytes_out.get();
        self.malformed += socket.malformed.get();
        self.most_waiting = self.most_waiting.max(socket.most_waiting.load(Ordering::Relaxed));
    }
}
