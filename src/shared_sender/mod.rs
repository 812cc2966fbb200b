//! The sending half of a connection that JavaScript and the I/O side share.
//!
//! JavaScript seals the frames. While JavaScript is blocked, the I/O side seals keep-alive queries.
//!
//! The counter of a frame is the number of frames sealed before it, and the peer opens frames in that order. Therefore both
//! sides use one [`Sender`], behind one lock. The I/O side seals only while the socket has accepted every frame that
//! JavaScript has sealed: each sealed frame is remembered by its authentication tag until the socket is given exactly that
//! frame. If the socket is given anything else (a frame out of order, or one of another sender), the order on the wire is
//! unknown, and the I/O side never seals again on this connection. JavaScript's frames are not changed by any of this.
//!
//! The socket writes messages in the order in which it accepts them, also those that it holds until the end of an event
//! loop's turn. So an accepted frame counts as sent.

use std::collections::VecDeque;

use crate::binary::{Dialect, Node, NodeContent};
use crate::noise::{NoiseError, Sender, TAG_LEN};
use crate::wire::{SealError, seal_frame};

/// Milliseconds on the caller's clock, which only goes forward.
pub type Millis = u64;

/// The shortest interval, in milliseconds, for which the I/O side sends queries. With a shorter one a busy thread would
/// look like a blocked one.
pub const MIN_INTERVAL: Millis = 200;

/// The most frames that may be sealed and not sent. If there are more, they are probably sent elsewhere.
const MAX_UNSENT: usize = 1024;

/// The address of the server in a stanza.
const SERVER: &str = "@s.whatsapp.net";

/// When the I/O side sends keep-alive queries, and how they are recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Milliseconds between the client's own keep-alive queries.
    pub interval: Millis,
    /// The prefix of the ids of the I/O side's queries. It must not be guessable.
    pub id_prefix: String,
}

impl Policy {
    /// JavaScript counts as blocked after this time without a heartbeat.
    const fn blocked(&self) -> Millis {
        self.interval / 4
    }

    /// How late the client's own query may be.
    const fn grace(&self) -> Millis {
        self.interval / 16
    }
}

/// The sending half of one connection.
#[derive(Debug, Default)]
pub struct SharedSender {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// No noise handler uses it.
    #[default]
    Idle,
    /// A noise handler sends its handshake through this connection.
    Linked(Policy),
    /// It seals the frames of the noise handler.
    Open(Box<OpenSender>),
}

#[derive(Debug)]
struct OpenSender {
    sender: Sender,
    dialect: Dialect,
    policy: Policy,
    /// The frames that are sealed and not sent.
    unsent: VecDeque<SealedFrame>,
    permission: SealPermission,
    last_sent: Millis,
    /// Queries sealed by the I/O side.
    own_queries: u32,
    /// Whether the frame sent last was one of these.
    last_is_own: bool,
}

/// What identifies a sealed frame.
#[derive(Debug, PartialEq, Eq)]
struct SealedFrame {
    length: usize,
    tag: [u8; TAG_LEN],
}

/// Whether the I/O side may seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SealPermission {
    /// Not before JavaScript has sent a first frame: until then the last frame of the handshake may not be sent.
    Pending,
    /// While no frame is unsent.
    Granted,
    /// Never again.
    Withdrawn,
}

impl SharedSender {
    /// A noise handler sends its handshake through this connection.
    pub fn link(&mut self, policy: Policy) {
        if matches!(self.state, State::Idle) && policy.interval >= MIN_INTERVAL {
            self.state = State::Linked(policy);
        }
    }

    /// The handshake is done. If a noise handler is linked, takes its sender and seals for it from now on. Returns whether
    /// that is the case.
    pub fn open(&mut self, take: impl FnOnce() -> Option<Sender>, dialect: Dialect, now: Millis) -> bool {
        let State::Linked(policy) = &self.state else {
            return false;
        };
        let Some(sender) = take() else { return false };
        self.state = State::Open(Box::new(OpenSender {
            sender,
            dialect,
            policy: policy.clone(),
            unsent: VecDeque::new(),
            permission: SealPermission::Pending,
            last_sent: now,
            own_queries: 0,
            last_is_own: false,
        }));
        true
    }

    /// The noise handler is gone or has another sender: drops the keys.
    pub fn close(&mut self) {
        self.state = State::Idle;
    }

    /// Appends `payload` to `out` as a sealed frame. `None` if the sender of the noise handler is not here.
    pub fn seal_frame(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Option<Result<(), SealError>> {
        let open = self.open_sender()?;
        let start = out.len();
        let sealed = seal_frame(&mut open.sender, payload, out);
        if sealed.is_ok() {
            open.remember(out.get(start..).unwrap_or_default());
        }
        Some(sealed)
    }

    /// Appends a message that is not a frame to `out`, sealed. It is not known where it is sent, so the I/O side seals
    /// nothing from now on.
    pub fn seal_loose(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Option<Result<(), NoiseError>> {
        let open = self.open_sender()?;
        open.withdraw();
        Some(open.sender.seal(plaintext, out))
    }

    /// The socket has accepted a message from JavaScript.
    pub fn sent(&mut self, message: &[u8], now: Millis) {
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

    /// When to call [`keep_alive`](Self::keep_alive) next. `None` if no query will be sent any more.
    #[must_use]
    pub fn due(&self, now: Millis, last_heartbeat: Millis) -> Option<Millis> {
        let State::Open(open) = &self.state else { return None };
        match open.permission {
            SealPermission::Withdrawn => None,
            SealPermission::Granted if open.unsent.is_empty() => Some(open.due(last_heartbeat)),
            _ => Some(now.saturating_add(open.policy.blocked())),
        }
    }

    /// Appends a keep-alive query to `out` as a sealed frame if one is due, and returns whether it was. The frame must be
    /// given to the socket before the lock on this sender is released.
    pub fn keep_alive(&mut self, now: Millis, last_heartbeat: Millis, out: &mut Vec<u8>) -> bool {
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

    /// The prefix of the ids of the I/O side's queries.
    #[must_use]
    pub fn id_prefix(&self) -> Option<&str> {
        match &self.state {
            State::Open(open) => Some(&open.policy.id_prefix),
            _ => None,
        }
    }

    /// The number of queries that the I/O side has sealed.
    #[must_use]
    pub fn own_queries(&self) -> u32 {
        match &self.state {
            State::Open(open) => open.own_queries,
            _ => 0,
        }
    }

    fn open_sender(&mut self) -> Option<&mut OpenSender> {
        match &mut self.state {
            State::Open(open) => Some(open),
            _ => None,
        }
    }
}

impl OpenSender {
    /// When the next query is due: the connection has been silent for an interval, and JavaScript is blocked.
    fn due(&self, last_heartbeat: Millis) -> Millis {
        let grace = if self.last_is_own { 0 } else { self.policy.grace() };
        let silent = self.last_sent.saturating_add(self.policy.interval + grace);
        silent.max(last_heartbeat.saturating_add(self.policy.blocked()))
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
        let id = format!("{}{}", self.policy.id_prefix, self.own_queries.checked_add(1)?);
        let mut payload = vec![0];
        query(&id).encode(self.dialect, &mut payload).ok()?;
        seal_frame(&mut self.sender, &payload, out).ok()?;
        self.own_queries += 1;
        Some(())
    }
}

impl SealedFrame {
    /// Whether `message` is this frame.
    fn is(&self, message: &[u8]) -> bool {
        message.len() == self.length && message.ends_with(&self.tag)
    }
}

/// The keep-alive query (source: Baileys 7.0.0-rc14, socket).
fn query(id: &str) -> Node {
    let attrs = [("id", id), ("to", SERVER), ("type", "get"), ("xmlns", "w:p")];
    let ping = Node {
        tag: "ping".to_owned(),
        ..Node::default()
    };
    Node {
        tag: "iq".to_owned(),
        attrs: attrs.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        content: NodeContent::List(vec![ping]),
    }
}
