//! Events on their way from the I/O side to JavaScript: one queue an environment, one coalesced wake.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::task::AtomicWaker;

use super::batch::Batch;
use super::link::{Link, Pulse};
use super::totals::{SocketCounters, Stage, loop_waited};
use super::transport_error;
use super::wake::Wake;
use crate::read_ahead::Scratch;
use crate::transport::{Event, EventSink, ResponseHead};

/// Bytes of one connection that may wait for JavaScript before the connection is no longer read.
const HIGH_WATER: usize = 4 * 1024 * 1024;
/// Bytes that are left when it is read again. Well below, so that the two sides do not wake each other for every few
/// messages.
const LOW_WATER: usize = HIGH_WATER / 2;
/// Capacity of a batch without records that is kept, in elements of each part.
pub(super) const KEPT: usize = 64 * 1024;

/// What a record tells. `js/ws/socket.cjs` has the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    /// Payload: a binary message.
    Binary = 0,
    /// Payload: a text message.
    Text = 1,
    Ping = 2,
    Pong = 3,
    /// Value: the status code; payload: the reason.
    CloseFrame = 4,
    /// Value: how many callbacks are due.
    Written = 5,
    Open = 6,
    /// Payload: a response head, see [`head_fields`].
    Upgrade = 7,
    /// Payload: a response head, and the body behind it; value: the head's length.
    UnexpectedResponse = 8,
    /// Payload: JSON, see [`transport_error::to_json`].
    Error = 9,
    Closed = 10,
}

/// How much of one connection waits for JavaScript.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) counters: Arc<SocketCounters>,
    reader: AtomicWaker,
}

impl Flow {
    /// JavaScript has taken records of such a cost.
    pub(super) fn taken(&self, cost: usize) {
        let before = self.counters.waiting.fetch_sub(cost, Ordering::AcqRel);
        if before > LOW_WATER && before - cost <= LOW_WATER {
            self.reader.wake();
        }
    }

    /// Whether something waits.
    pub(super) fn is_waiting(&self) -> bool {
        self.counters.waiting.load(Ordering::Acquire) > 0
    }
}

/// The queue of an environment.
pub(super) struct Inbox {
    state: Mutex<InboxState>,
    wake: Arc<Wake>,
}

#[derive(Debug, Default)]
struct InboxState {
    batch: Batch,
    /// Sessions that have events.
    ready: VecDeque<u32>,
    /// JavaScript was woken and has not yet found the queue empty.
    woken: bool,
    /// When, until it comes.
    woken_at: Option<Instant>,
}

impl Inbox {
    pub(super) fn new(wake: Arc<Wake>) -> Self {
        Self {
            state: Mutex::default(),
            wake,
        }
    }

    fn lock(&self) -> MutexGuard<'_, InboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, batch: &mut Batch) {
        let mut state = self.lock();
        if state.batch.is_empty() {
            std::mem::swap(&mut state.batch, batch);
        } else {
            state.batch.append(batch);
        }
    }

    /// Wakes JavaScript where there is something that it has not been woken for.
    fn flush(&self) {
        let mut state = self.lock();
        let any = !state.batch.is_empty() || !state.ready.is_empty();
        let wake = any && !state.woken;
        state.woken |= wake;
        if wake {
            state.woken_at = Some(Instant::now());
        }
        drop(state);
        if wake {
            self.wake.wake();
        }
    }

    /// A session, which is not among these already, has events to take.
    pub(super) fn ready(&self, session: u32) {
        self.lock().ready.push_back(session);
        self.flush();
    }

    /// JavaScript has come: the milliseconds that it took, where that counts as a stall of its loop, otherwise 0.
    pub(super) fn answered(&self) -> u64 {
        let woken_at = self.lock().woken_at.take();
        woken_at.map_or(0, |woken_at| loop_waited(woken_at.elapsed()))
    }

    /// Takes what is queued into `into` and `ready`, which are empty. Says whether anything was; where nothing, the next
    /// event wakes again.
    pub(super) fn take(&self, into: &mut Batch, ready: &mut VecDeque<u32>) -> bool {
        into.clear(KEPT);
        let mut state = self.lock();
        std::mem::swap(&mut state.batch, into);
        std::mem::swap(&mut state.ready, ready);
        let any = !into.is_empty() || !ready.is_empty();
        state.woken &= any;
        any
    }
}

thread_local! {
    /// What the connections that this thread serves share: none keeps memory of its own between events.
    static SCRATCH: RefCell<(Scratch, Batch)> = RefCell::default();
}

/// A connection's sink.
pub(super) struct InboxSink {
    pub(super) connection: u32,
    pub(super) inbox: Arc<Inbox>,
    pub(super) link: Arc<Link>,
    pub(super) pulse: Arc<Pulse>,
    /// When the first came of what the peer has sent since the last flush.
    pub(super) began: Option<Instant>,
}

impl InboxSink {
    /// The work is done before the queue is locked, so that JavaScript never waits for it.
    fn record(&mut self, kind: Kind, value: u32, payload: &[u8]) {
        let counters = &self.link.flow.counters;
        if matches!(kind, Kind::Binary | Kind::Text | Kind::Ping | Kind::Pong) {
            self.began.get_or_insert_with(Instant::now);
        }
        if matches!(kind, Kind::Binary | Kind::Text) {
            counters.messages_in.add(1);
            counters.bytes_in.add(payload.len() as u64);
        }
        SCRATCH.with_borrow_mut(|(scratch, batch)| {
            let cost = if kind == Kind::Binary {
                let (frames, cost) = batch.message(
                    kind as u32,
                    self.connection,
                    payload,
                    &mut self.link.read_ahead(),
                    scratch,
                );
                counters.frames_opened.add(frames.into());
                cost
            } else {
                batch.push(kind as u32, self.connection, value, payload)
            };
            counters.wait(cost);
            self.inbox.push(batch);
            batch.clear(KEPT);
        });
    }
}

impl EventSink for InboxSink {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.link.flow.counters.waiting.load(Ordering::Acquire) <= HIGH_WATER {
            return Poll::Ready(());
        }
        self.link.flow.reader.register(cx.waker());
        // JavaScript may have caught up before the waker was in its place.
        if self.link.flow.counters.waiting.load(Ordering::Acquire) <= LOW_WATER {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Message { bytes, is_binary } => {
                self.record(if is_binary { Kind::Binary } else { Kind::Text }, 0, &bytes);
            }
            Event::Ping(bytes) => self.record(Kind::Ping, 0, &bytes),
            Event::Pong(bytes) => self.record(Kind::Pong, 0, &bytes),
            Event::CloseFrame { code, reason } => {
                self.link.flow.counters.reach(Stage::Closing);
                self.record(Kind::CloseFrame, code.into(), &reason);
            }
            Event::Written(count) => self.record(Kind::Written, count, &[]),
            Event::Open => {
                self.link.flow.counters.reach(Stage::Open);
                self.record(Kind::Open, 0, &[]);
            }
            Event::Upgrade(head) => self.record(Kind::Upgrade, 0, &head_fields(&head)),
            Event::UnexpectedResponse { head, body } => {
                let mut payload = head_fields(&head);
                let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
                payload.extend_from_slice(&body);
                self.record(Kind::UnexpectedResponse, length, &payload);
            }
            Event::Error(error) => self.record(Kind::Error, 0, transport_error::to_json(&error).as_bytes()),
            Event::Closed => {
                self.link.flow.counters.reach(Stage::Closed);
                self.record(Kind::Closed, 0, &[]);
            }
        }
    }

    fn flush(&mut self) {
        if let Some(began) = self.began.take() {
            self.link.hear(self.pulse.now());
            let busy = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.link.flow.counters.busy.add(busy);
        }
        self.inbox.flush();
    }
}

/// A response head as fields between zero bytes, which HTTP allows in none: minor version, status, reason, then names
/// and values.
fn head_fields(head: &ResponseHead) -> Vec<u8> {
    let mut fields = format!("{}\0{}\0", head.minor_version, head.status).into_bytes();
    fields.extend_from_slice(&head.reason);
    for (name, value) in &head.headers {
        for part in [name, value] {
            fields.push(0);
            fields.extend_from_slice(part);
        }
    }
    fields
}
