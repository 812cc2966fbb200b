//! Events of a socket's transport, written as records for JavaScript.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::batch::Batch;
use super::connection_state::ConnectionState;
use super::counters::SocketState;
use super::inbox::{Inbox, KEPT};
use super::loop_monitor::LoopMonitor;
use crate::read_ahead::Scratch;
use crate::transport::{self, Event, ResponseHead, TransportError};

/// The kind of a record. `js/ws/socket.cjs` has the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Payload: a binary message.
    Binary = 0,
    /// Payload: a text message.
    Text = 1,
    /// Payload: the ping's.
    Ping = 2,
    /// Payload: the pong's.
    Pong = 3,
    /// Value: the status code; payload: the reason.
    CloseFrame = 4,
    /// Value: how many callbacks are due.
    Written = 5,
    /// Messages may be sent.
    Open = 6,
    /// Payload: a response head, see `head_fields`.
    Upgrade = 7,
    /// Payload: a response head and the body; value: the length of the head.
    UnexpectedResponse = 8,
    /// Payload: the description of the error.
    Error = 9,
    /// The connection is gone.
    Closed = 10,
}

/// Describes an error to JavaScript.
pub type DescribeError = fn(&TransportError) -> String;

thread_local! {
    /// Memory shared by the connections that a thread serves, so that none keeps memory of its own between events.
    static SCRATCH: RefCell<(Scratch, Batch)> = RefCell::default();
}

/// The event sink of one socket.
#[derive(Debug)]
pub struct EventSink {
    connection: u32,
    inbox: Arc<Inbox>,
    state: Arc<ConnectionState>,
    monitor: Arc<LoopMonitor>,
    describe_error: DescribeError,
    /// When the first message since the last flush was received.
    began: Option<Instant>,
}

impl EventSink {
    /// A sink that writes records of `connection` into `inbox`.
    #[must_use]
    pub fn new(
        connection: u32,
        inbox: Arc<Inbox>,
        state: Arc<ConnectionState>,
        monitor: Arc<LoopMonitor>,
        describe_error: DescribeError,
    ) -> Self {
        Self {
            connection,
            inbox,
            state,
            monitor,
            describe_error,
            began: None,
        }
    }

    /// Writes the record before the queue is locked, so that JavaScript never waits for it.
    fn record(&mut self, kind: Kind, value: u32, payload: &[u8]) {
        let flow = &self.state.flow;
        let counters = flow.counters();
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
                    &mut self.state.read_ahead(),
                    scratch,
                );
                counters.frames_opened.add(frames.into());
                cost
            } else {
                batch.push(kind as u32, self.connection, value, payload)
            };
            flow.add(cost);
            self.inbox.push(batch);
            batch.clear(KEPT);
        });
    }
}

impl transport::EventSink for EventSink {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.state.flow.poll_ready(cx)
    }

    fn event(&mut self, event: Event) {
        let counters = self.state.flow.counters();
        match event {
            Event::Message { bytes, is_binary } => {
                self.record(if is_binary { Kind::Binary } else { Kind::Text }, 0, &bytes);
            }
            Event::Ping(bytes) => self.record(Kind::Ping, 0, &bytes),
            Event::Pong(bytes) => self.record(Kind::Pong, 0, &bytes),
            Event::CloseFrame { code, reason } => {
                counters.reach(SocketState::Closing);
                self.record(Kind::CloseFrame, code.into(), &reason);
            }
            Event::Written(count) => self.record(Kind::Written, count, &[]),
            Event::Open => {
                counters.reach(SocketState::Open);
                self.record(Kind::Open, 0, &[]);
            }
            Event::Upgrade(head) => self.record(Kind::Upgrade, 0, &head_fields(&head)),
            Event::UnexpectedResponse { head, body } => {
                let mut payload = head_fields(&head);
                let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
                payload.extend_from_slice(&body);
                self.record(Kind::UnexpectedResponse, length, &payload);
            }
            Event::Error(error) => {
                let description = (self.describe_error)(&error);
                self.record(Kind::Error, 0, description.as_bytes());
            }
            Event::Closed => {
                counters.reach(SocketState::Closed);
                self.record(Kind::Closed, 0, &[]);
            }
        }
    }

    fn flush(&mut self) {
        if let Some(began) = self.began.take() {
            self.state.received(self.monitor.now());
            let busy = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.state.flow.counters().busy.add(busy);
        }
        self.inbox.flush();
    }
}

/// A response head as fields between zero bytes, which HTTP does not allow inside a field: minor version, status, reason,
/// then names and values.
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
