//! Events on their way from the I/O side to JavaScript: one queue an environment, one coalesced wake.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use super::transport_error;
use super::wake::Wake;
use crate::inbound::{Bench, Inbound, Opened, Tapes};
use crate::transport::{Event, EventSink, ResponseHead};

/// Bytes of one connection that may wait for JavaScript before the connection is no longer read.
const HIGH_WATER: usize = 4 * 1024 * 1024;
/// What a record costs beside its payload, so that floods of empty messages are bounded as well.
const RECORD_COST: usize = 64;
/// A burst's buffer above this many records is given back when it is empty.
const KEPT_BATCH: usize = 16;
/// Capacity of an empty queue's tapes that is kept, in elements of each part.
const KEPT_TAPES: usize = 64 * 1024;

/// What a record tells. `js/socket/socket.cjs` has the same numbers.
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

/// One event of one connection.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) connection: u32,
    pub(super) value: u32,
    pub(super) payload: Bytes,
    /// Of a binary message that was opened here: its frames, and the lengths of their tapes' three parts.
    pub(super) opened: Option<(Opened, [usize; 3])>,
}

/// Records in order, and the tapes of those that have any, likewise.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) records: VecDeque<Record>,
    pub(super) tapes: Tapes,
}

impl Record {
    fn cost(&self) -> usize {
        let [words, text, bytes] = self.opened.map_or([0; 3], |(_, lengths)| lengths);
        self.payload.len() + words * size_of::<i32>() + text + bytes + RECORD_COST
    }
}

/// How much of one connection waits for JavaScript.
#[derive(Debug, Default)]
pub(super) struct Flow {
    waiting: AtomicUsize,
    reader: AtomicWaker,
}

impl Flow {
    /// JavaScript has taken `record`.
    pub(super) fn taken(&self, record: &Record) {
        let before = self.waiting.fetch_sub(record.cost(), Ordering::AcqRel);
        if before > HIGH_WATER && before - record.cost() <= HIGH_WATER {
            self.reader.wake();
        }
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
    /// JavaScript was woken and has not yet found the queue empty.
    woken: bool,
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
        state.batch.records.append(&mut batch.records);
        state.batch.tapes.append(&mut batch.tapes);
        let wake = !std::mem::replace(&mut state.woken, true);
        drop(state);
        if wake {
            self.wake.wake();
        }
    }

    /// Takes what is queued into `into`, which is empty. Where nothing is, the next event wakes again.
    pub(super) fn take(&self, into: &mut Batch) {
        into.tapes.clear();
        into.tapes.shrink_to(KEPT_TAPES);
        let mut state = self.lock();
        std::mem::swap(&mut state.batch, into);
        if into.records.is_empty() {
            state.woken = false;
        }
    }
}

thread_local! {
    /// What the connections that this thread serves share.
    static BENCH: RefCell<Bench> = RefCell::default();
}

/// A connection's sink: gathers records and hands them to the inbox burst by burst.
pub(super) struct InboxSink {
    pub(super) connection: u32,
    pub(super) inbox: Arc<Inbox>,
    pub(super) flow: Arc<Flow>,
    pub(super) inbound: Arc<Mutex<Inbound>>,
    pub(super) batch: Batch,
}

impl InboxSink {
    fn record(&mut self, kind: Kind, value: u32, payload: Bytes) {
        self.push(Record {
            kind,
            connection: self.connection,
            value,
            payload,
            opened: None,
        });
    }

    fn push(&mut self, record: Record) {
        self.flow.waiting.fetch_add(record.cost(), Ordering::AcqRel);
        self.batch.records.push_back(record);
    }

    /// A binary message: opened here where that can be, and handed on as it is in any case.
    fn binary(&mut self, payload: Bytes) {
        let tapes = &mut self.batch.tapes;
        let [words, text, bytes] = tapes.len();
        let opened = BENCH.with_borrow_mut(|bench| {
            let mut inbound = self.inbound.lock().unwrap_or_else(PoisonError::into_inner);
            inbound.message(&payload, bench, tapes)
        });
        let after = tapes.len();
        self.push(Record {
            kind: Kind::Binary,
            connection: self.connection,
            value: 0,
            payload,
            opened: opened.map(|opened| (opened, [after[0] - words, after[1] - text, after[2] - bytes])),
        });
    }
}

impl EventSink for InboxSink {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.flow.waiting.load(Ordering::Acquire) <= HIGH_WATER {
            return Poll::Ready(());
        }
        self.flow.reader.register(cx.waker());
        // JavaScript may have caught up before the waker was in its place.
        if self.flow.waiting.load(Ordering::Acquire) <= HIGH_WATER {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Message { bytes, is_binary: true } => self.binary(bytes),
            Event::Message {
                bytes,
                is_binary: false,
            } => self.record(Kind::Text, 0, bytes),
            Event::Ping(bytes) => self.record(Kind::Ping, 0, bytes),
            Event::Pong(bytes) => self.record(Kind::Pong, 0, bytes),
            Event::CloseFrame { code, reason } => self.record(Kind::CloseFrame, code.into(), reason.into()),
            Event::Written(count) => self.record(Kind::Written, count, Bytes::new()),
            Event::Open => self.record(Kind::Open, 0, Bytes::new()),
            Event::Upgrade(head) => self.record(Kind::Upgrade, 0, head_fields(&head).into()),
            Event::UnexpectedResponse { head, body } => {
                let mut payload = head_fields(&head);
                let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
                payload.extend_from_slice(&body);
                self.record(Kind::UnexpectedResponse, length, payload.into());
            }
            Event::Error(error) => self.record(Kind::Error, 0, transport_error::to_json(&error).into_bytes().into()),
            Event::Closed => self.record(Kind::Closed, 0, Bytes::new()),
        }
    }

    fn flush(&mut self) {
        if self.batch.records.is_empty() {
            return;
        }
        self.inbox.push(&mut self.batch);
        if self.batch.records.capacity() > KEPT_BATCH {
            self.batch = Batch::default();
        }
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
