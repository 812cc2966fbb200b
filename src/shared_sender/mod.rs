//! The sender of a connection, shared by JavaScript and the I/O thread.
//!
//! JavaScript seals the frames. While JavaScript is blocked, the I/O thread seals keep-alive queries.
//!
//! The counter of a frame is the number of frames that were sealed before it. The peer opens frames in this order.
//! Therefore both sides use one [`Sender`] with a lock. The I/O thread only seals while the socket has accepted all
//! frames that JavaScript has sealed. To know this, each sealed frame is stored by its authentication tag until the
//! socket is given the same frame.
//!
//! If the socket is given other data (a frame out of order, or a frame of another sender), the order on the wire is
//! unknown. The I/O thread then never seals again on this connection. The frames of JavaScript are not changed.
//!
//! The socket writes messages in the order in which it accepts them. This also applies to messages that it holds until
//! the end of the event loop's turn. Therefore an accepted frame counts as sent.

use std::collections::VecDeque;

use crate::binary::Dialect;
use crate::noise::{NoiseError, Sender, TAG_LEN};
use crate::wire::{SealError, keep_alive_query, seal_frame};

/// Milliseconds on the caller's monotonic clock.
pub type MonotonicMillis = u64;

/// Minimum keep-alive interval for queries of the I/O thread, in milliseconds. With a shorter interval, a busy thread
/// would count as blocked.
pub const MIN_INTERVAL: MonotonicMillis = 200;

/// Maximum number of sealed frames that were not sent. If there are more, they are probably sent on another connection.
const MAX_UNSENT: usize = 1024;

/// The timing and the ids of the keep-alive queries of the I/O thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepAliveConfig {
    /// Time between the client's own keep-alive queries in milliseconds.
    pub interval: MonotonicMillis,
    /// The prefix of the ids of the I/O thread's queries. It must be unpredictable.
    pub id_prefix: String,
}

impl KeepAliveConfig {
    /// A configuration with ids in the form of Baileys' ids. `random` must be 128 random bits, so that no other id has
    /// the same prefix.
    #[must_use]
    pub fn new(interval: MonotonicMillis, random: u128) -> Self {
        let id_prefix = format!("{}.{}-", random >> 64, random & u128::from(u64::MAX));
        Self { interval, id_prefix }
    }

    /// JavaScript counts as blocked after this time without a heartbeat, in milliseconds.
    const fn blocked(&self) -> MonotonicMillis {
        self.interval / 4
    }

    /// Tolerated delay of the client's own query, in milliseconds.
    const fn grace(&self) -> MonotonicMillis {
        self.interval / 16
    }
}

/// The shared sender of one connection.
#[derive(Debug, Default)]
pub struct SharedSender {
    state: SharedSenderState,
}

#[derive(Debug, Default)]
enum SharedSenderState {
    /// No noise handler uses it.
    #[default]
    Idle,
    /// A noise handler is in its handshake on this connection.
    Linked(KeepAliveConfig),
    /// The shared sender seals the frames of the noise handler.
    Open(Box<OpenSender>),
}

#[derive(Debug)]
struct OpenSender {
    sender: Sender,
    dialect: Dialect,
    config: KeepAliveConfig,
    /// Sealed frames that were not sent yet.
    unsent: VecDeque<SealedFrame>,
    permission: SealPermission,
    last_sent: MonotonicMillis,
    /// Number of queries that the I/O thread has sealed.
    sealed_queries: u32,
    /// Whether the last sent frame was one of these queries.
    last_is_own: bool,
}

/// What identifies a sealed frame: its length and its authentication tag.
#[derive(Debug, PartialEq, Eq)]
struct SealedFrame {
    length: usize,
    tag: [u8; TAG_LEN],
}

/// Whether the I/O thread may seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SealPermission {
    /// Not yet, because JavaScript has not sent its first frame. Until then, the last handshake frame can be unsent.
    Pending,
    /// Yes, while no frame is unsent.
    Granted,
    /// No, permanently.
    Withdrawn,
}

impl SharedSender {
    /// A noise handler starts its handshake on this connection.
    pub fn link(&mut self, config: KeepAliveConfig) {
        if matches!(self.state, SharedSenderState::Idle) && config.interval >= MIN_INTERVAL {
            self.state = SharedSenderState::Linked(config);
        }
    }

    /// The handshake is complete. If a noise handler is linked, this takes its sender and seals for it. Returns true in
    /// this case.
    pub fn open(&mut self, take: impl FnOnce() -> Option<Sender>, dialect: Dialect, now: MonotonicMillis) -> bool {
        let SharedSenderState::Linked(config) = &self.state else {
            return false;
        };
        let Some(sender) = take() else { return false };
        self.state = SharedSenderState::Open(Box::new(OpenSender {
            sender,
            dialect,
            config: config.clone(),
            unsent: VecDeque::new(),
            permission: SealPermission::Pending,
            last_sent: now,
            sealed_queries: 0,
            last_is_own: false,
        }));
        true
    }

    /// The noise handler was removed or uses another sender. Drops the keys.
    pub fn close(&mut self) {
        self.state = SharedSenderState::Idle;
    }

    /// Seals `payload` and appends it to `out` as a frame. Returns `None` if this object does not have the sender of
    /// the noise handler.
    pub fn seal_frame(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Option<Result<(), SealError>> {
        let open = self.open_sender()?;
        let start = out.len();
        let sealed = seal_frame(&mut open.sender, payload, out);
        if sealed.is_ok() {
            open.remember(out.get(start..).unwrap_or_default());
        }
        Some(sealed)
    }

    /// Encrypts data that is not the payload of a frame, and appends it to `out`. It is unknown where this data is
    /// sent, so the I/O thread seals nothing after that.
    pub fn encrypt_unframed(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Option<Result<(), NoiseError>> {
        let open = self.open_sender()?;
        open.withdraw();
        Some(open.sender.seal(plaintext, out))
    }

    /// The socket has accepted a message of JavaScript.
    pub fn sent(&mut self, message: &[u8], now: MonotonicMillis) {
        let Some(open) = self.open_sender() else { return };
        open.last_sent = now;
        open.last_is_own = false;
        if open.permission == SealPermission::Withdrawn {
            return;
        }
        let expected = open.unsent.pop_front();
        if expected.is_some_and(|frame| frame.is(message)) {
            open.permission = SealPermission::Granted;
        } else {
            open.withdraw();
        }
    }

    /// The time for the next call of [`keep_alive`](Self::keep_alive). `None` if no more queries will be sent.
    #[must_use]
    pub fn due(&self, now: MonotonicMillis, last_heartbeat: MonotonicMillis) -> Option<MonotonicMillis> {
        let SharedSenderState::Open(open) = &self.state else {
            return None;
        };
        match open.permission {
            SealPermission::Withdrawn => None,
            SealPermission::Granted if open.unsent.is_empty() => Some(open.due(last_heartbeat)),
            _ => Some(now.saturating_add(open.config.blocked())),
        }
    }

    /// If a keep-alive query is due, seals it and appends it to `out` as a frame. Returns true in this case. The frame
    /// must be given to the socket before the lock of this sender is released.
    pub fn keep_alive(&mut self, now: MonotonicMillis, last_heartbeat: MonotonicMillis, out: &mut Vec<u8>) -> bool {
        let Some(open) = self.open_sender() else { return false };
        let may_seal = open.permission == SealPermission::Granted && open.unsent.is_empty();
        if !may_seal || now < open.due(last_heartbeat) {
            return false;
        }
        if open.seal_query(out).is_none() {
            open.withdraw();
            return false;
        }
        open.last_sent = now;
        open.last_is_own = true;
        true
    }

    /// The prefix of the ids of the I/O thread's queries.
    #[must_use]
    pub fn id_prefix(&self) -> Option<&str> {
        match &self.state {
            SharedSenderState::Open(open) => Some(&open.config.id_prefix),
            _ => None,
        }
    }

    /// The number of queries that the I/O thread has sealed.
    #[must_use]
    pub fn sealed_queries(&self) -> u32 {
        match &self.state {
            SharedSenderState::Open(open) => open.sealed_queries,
            _ => 0,
        }
    }

    fn open_sender(&mut self) -> Option<&mut OpenSender> {
        match &mut self.state {
            SharedSenderState::Open(open) => Some(open),
            _ => None,
        }
    }
}

impl OpenSender {
    /// The time of the next query: the connection was silent for an interval, and JavaScript is blocked.
    fn due(&self, last_heartbeat: MonotonicMillis) -> MonotonicMillis {
        let grace = if self.last_is_own { 0 } else { self.config.grace() };
        let silent = self.last_sent.saturating_add(self.config.interval + grace);
        silent.max(last_heartbeat.saturating_add(self.config.blocked()))
    }

    fn remember(&mut self, frame: &[u8]) {
        if self.permission == SealPermission::Withdrawn {
            return;
        }
        let length = frame.len();
        match frame.last_chunk() {
            Some(&tag) if self.unsent.len() < MAX_UNSENT => self.unsent.push_back(SealedFrame { length, tag }),
            _ => self.withdraw(),
        }
    }

    fn withdraw(&mut self) {
        self.permission = SealPermission::Withdrawn;
        self.unsent = VecDeque::new();
    }

    fn seal_query(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let id = format!("{}{}", self.config.id_prefix, self.sealed_queries.checked_add(1)?);
        let mut payload = vec![0];
        keep_alive_query(&id).encode(self.dialect, &mut payload).ok()?;
        seal_frame(&mut self.sender, &payload, out).ok()?;
        self.sealed_queries += 1;
        Some(())
    }
}

impl SealedFrame {
    /// Whether `message` is this frame.
    fn is(&self, message: &[u8]) -> bool {
        message.len() == self.length && message.ends_with(&self.tag)
    }
}
