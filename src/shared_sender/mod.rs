//! The sending half of a connection whose frames JavaScript seals, for an I/O side that keeps the connection alive while
//! JavaScript does not run.
//!
//! A frame's counter is the number of frames sealed before it, and the peer opens them in that order. So there is one
//! [`Sender`], here, behind one lock, and the I/O side seals a frame of its own only while every frame that JavaScript has
//! sealed is on its way: what is sealed is remembered by its authentication tag until the socket is given the very frame.
//! Anything else that is given to the socket (a frame out of its turn, one of somebody else) says that the wire is not
//! what we think; then the I/O side keeps quiet for good, and JavaScript's frames are what they would be without it.

use std::collections::VecDeque;

use crate::binary::{Dialect, Node, NodeContent};
use crate::noise::{NoiseError, Sender, TAG_LEN};
use crate::wire::{SealError, seal_frame};

/// Milliseconds on the caller's clock, which only goes forward.
pub type Millis = u64;

/// The shortest keep-alive interval that is stood in for. With a shorter one a thread that is merely busy would look
/// like one that is blocked.
pub const MIN_INTERVAL: Millis = 200;

/// Frames that may be sealed and not yet sent. A caller that leaves more of them sends them elsewhere.
const MAX_UNSENT: usize = 1024;

/// The server, as the address of a stanza.
const SERVER: &str = "@s.whatsapp.net";

/// How the I/O side stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Milliseconds between the client's own keep-alive queries.
    pub interval: Millis,
    /// What the ids of our queries begin with. Nobody else may know it.
    pub id_prefix: String,
}

impl Policy {
    /// JavaScript counts as blocked once it has not run for so long.
    const fn blocked(&self) -> Millis {
        self.interval / 4
    }

    /// How long the client's own query may be late.
    const fn grace(&self) -> Millis {
        self.interval / 16
    }
}

/// One connection's sending half.
#[derive(Debug, Default)]
pub struct SharedSender {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Nobody wants anything of it.
    #[default]
    Idle,
    /// A handler sends its handshake here.
    Linked(Policy),
    /// It seals the handler's frames.
    Open(Box<Line>),
}

#[derive(Debug)]
struct Line {
    sender: Sender,
    dialect: Dialect,
    policy: Policy,
    /// Length and tag of each frame that is sealed and not yet sent.
    unsent: VecDeque<Sealed>,
    standing: Standing,
    last_sent: Millis,
    /// Queries of our own.
    own: u32,
    /// Whether the frame sent last was one.
    own_last: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Sealed {
    length: usize,
    tag: [u8; TAG_LEN],
}

/// Whether the I/O side may seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Not before the handler has sent its first frame here: until then the last one of the handshake may be unsent.
    Waiting,
    /// Yes, where nothing is unsent.
    Ready,
    /// Never again.
    Down,
}

impl SharedSender {
    /// A handler sends its handshake here.
    pub fn link(&mut self, policy: Policy) {
        if matches!(self.state, State::Idle) && policy.interval >= MIN_INTERVAL {
            self.state = State::Linked(policy);
        }
    }

    /// The handshake of a handler is done. Where one is linked, takes the handler's sender, and seals for it from now on;
    /// says whether it does.
    pub fn open(&mut self, take: impl FnOnce() -> Option<Sender>, dialect: Dialect, now: Millis) -> bool {
        let State::Linked(policy) = &self.state else {
            return false;
        };
        let Some(sender) = take() else { return false };
        self.state = State::Open(Box::new(Line {
            sender,
            dialect,
            policy: policy.clone(),
            unsent: VecDeque::new(),
            standing: Standing::Waiting,
            last_sent: now,
            own: 0,
            own_last: false,
        }));
        true
    }

    /// The handler is gone, or has another sender: forgets the keys.
    pub fn close(&mut self) {
        self.state = State::Idle;
    }

    /// Appends `payload` to `out` as a sealed frame; `None` where the handler's sender is not here.
    pub fn seal_frame(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Option<Result<(), SealError>> {
        let line = self.line()?;
        let start = out.len();
        let sealed = seal_frame(&mut line.sender, payload, out);
        if sealed.is_ok() {
            line.remember(out.get(start..).unwrap_or_default());
        }
        Some(sealed)
    }

    /// Appends a message that is not a frame to `out`, sealed. It is not known where it is sent, so the I/O side seals
    /// nothing from now on.
    pub fn seal_loose(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Option<Result<(), NoiseError>> {
        let line = self.line()?;
        line.stand_down();
        Some(line.sender.seal(plaintext, out))
    }

    /// The socket has accepted a message of JavaScript's.
    pub fn sent(&mut self, message: &[u8], now: Millis) {
        let Some(line) = self.line() else { return };
        line.last_sent = now;
        line.own_last = false;
        if line.standing == Standing::Down {
            return;
        }
        let expected = line.unsent.pop_front();
        if expected.is_some_and(|sealed| sealed.is(message)) {
            line.standing = Standing::Ready;
        } else {
            line.stand_down();
        }
    }

    /// When to ask [`keep_alive`](Self::keep_alive), where JavaScript was last seen at `seen`; `None` where there will
    /// be nothing to do any more.
    #[must_use]
    pub fn due(&self, now: Millis, seen: Millis) -> Option<Millis> {
        let State::Open(line) = &self.state else { return None };
        match line.standing {
            Standing::Down => None,
            Standing::Ready if line.unsent.is_empty() => Some(line.due(seen)),
            _ => Some(now.saturating_add(line.policy.blocked())),
        }
    }

    /// Appends a keep-alive query to `out` as a sealed frame if one is due, and returns whether it was. The frame must be
    /// sent before the lock on this sender is released.
    pub fn keep_alive(&mut self, now: Millis, seen: Millis, out: &mut Vec<u8>) -> bool {
        let Some(line) = self.line() else { return false };
        if line.standing != Standing::Ready || !line.unsent.is_empty() || now < line.due(seen) {
            return false;
        }
        if line.seal_query(out).is_none() {
            line.stand_down();
            return false;
        }
        line.last_sent = now;
        line.own_last = true;
        true
    }

    /// What the ids of our queries begin with.
    #[must_use]
    pub fn id_prefix(&self) -> Option<&str> {
        match &self.state {
            State::Open(line) => Some(&line.policy.id_prefix),
            _ => None,
        }
    }

    /// The queries of our own, so far.
    #[must_use]
    pub fn own(&self) -> u32 {
        match &self.state {
            State::Open(line) => line.own,
            _ => 0,
        }
    }

    fn line(&mut self) -> Option<&mut Line> {
        match &mut self.state {
            State::Open(line) => Some(line),
            _ => None,
        }
    }
}

impl Line {
    fn due(&self, seen: Millis) -> Millis {
        let grace = if self.own_last { 0 } else { self.policy.grace() };
        let quiet = self.last_sent.saturating_add(self.policy.interval + grace);
        quiet.max(seen.saturating_add(self.policy.blocked()))
    }

    fn remember(&mut self, frame: &[u8]) {
        if self.standing == Standing::Down {
            return;
        }
        let length = frame.len();
        match frame.last_chunk() {
            Some(&tag) if self.unsent.len() < MAX_UNSENT => self.unsent.push_back(Sealed { length, tag }),
            _ => self.stand_down(),
        }
    }

    fn stand_down(&mut self) {
        self.standing = Standing::Down;
        self.unsent = VecDeque::new();
    }

    fn seal_query(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let id = format!("{}{}", self.policy.id_prefix, self.own.checked_add(1)?);
        let mut payload = vec![0];
        query(&id).encode(self.dialect, &mut payload).ok()?;
        seal_frame(&mut self.sender, &payload, out).ok()?;
        self.own += 1;
        Some(())
    }
}

impl Sealed {
    /// Whether a message is this very frame.
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
