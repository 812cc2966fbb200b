//! Converts events of a socket's transport to records for JavaScript.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::batch::Batch;
use super::connection_state::ConnectionState;
use super::counters::SocketState;
use super::inbox::{Inbox, KEPT};
use super::loop_monitor::LoopMonitor;
use crate::abi::socket_event;
use crate::read_ahead::{ReadAhead, ThreadBuffers};
use crate::transport::{self, ResponseHead, TransportError, TransportEvent};

/// Converts an error to its JSON description for JavaScript.
pub type DescribeError = fn(&TransportError) -> String;

thread_local! {
    /// Buffers that are shared by all connections of a thread, so that a connection keeps no buffers between events.
    static BUFFERS: RefCell<(ThreadBuffers, Batch)> = RefCell::default();
}

/// The event sink of one socket.
#[derive(Debug)]
pub struct SocketSink {
    connection: u32,
    inbox: Arc<Inbox>,
    state: Arc<ConnectionState>,
    monitor: Arc<LoopMonitor>,
    describe_error: DescribeError,
    read_ahead: ReadAhead,
    /// The time of the first message since the last flush.
    began: Option<Instant>,
    /// The records since the last flush. Their buffers belong to the thread.
    pending: Batch,
    /// There was not enough memory for a record.
    is_exhausted: bool,
}

impl SocketSink {
    /// A sink that writes the records of `connection` to `inbox`.
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
            read_ahead: ReadAhead::default(),
            began: None,
            pending: Batch::default(),
            is_exhausted: false,
        }
    }

    /// Adds a record to the batch of the next flush. This does not lock the queue, so JavaScript never waits for it.
    fn record(&mut self, kind: u32, value: u32, payload: &[u8]) {
        let flow = &self.state.flow;
        let counters = flow.counters();
        if matches!(
            kind,
            socket_event::BINARY | socket_event::TEXT | socket_event::PING | socket_event::PONG
        ) {
            self.began.get_or_insert_with(Instant::now);
        }
        if matches!(kind, socket_event::BINARY | socket_event::TEXT) {
            counters.messages_in.add(1);
            counters.bytes_in.add(payload.len() as u64);
        }
        BUFFERS.with_borrow_mut(|(buffers, spare)| {
            let batch = &mut self.pending;
            if batch.is_empty() {
                std::mem::swap(batch, spare);
            }
            let added = if kind == socket_event::BINARY {
                self.state.read_ahead.apply(&mut self.read_ahead);
                batch.message(kind, self.connection, payload, &mut self.read_ahead, buffers)
            } else {
                batch.push(kind, self.connection, value, payload).map(|cost| (0, cost))
            };
            let Some((frames, cost)) = added else {
                self.is_exhausted = true;
                return;
            };
            counters.frames_opened.add(frames.into());
            flow.add(cost);
        });
    }
}

impl transport::EventSink for SocketSink {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.state.flow.poll_ready(cx)
    }

    fn event(&mut self, event: TransportEvent) {
        let counters = self.state.flow.counters();
        match event {
            TransportEvent::Message { bytes, is_binary } => {
                self.record(
                    if is_binary {
                        socket_event::BINARY
                    } else {
                        socket_event::TEXT
                    },
                    0,
                    &bytes,
                );
            }
            TransportEvent::Ping(bytes) => self.record(socket_event::PING, 0, &bytes),
            TransportEvent::Pong(bytes) => self.record(socket_event::PONG, 0, &bytes),
            TransportEvent::CloseFrame { code, reason } => {
                counters.reach(SocketState::Closing);
                self.record(socket_event::CLOSE_FRAME, code.into(), &reason);
            }
            TransportEvent::Written(count) => self.record(socket_event::WRITTEN, count, &[]),
            TransportEvent::Open => {
                counters.reach(SocketState::Open);
                // The silence of the peer is counted from here.
                self.state.received(self.monitor.now());
                self.record(socket_event::OPEN, 0, &[]);
            }
            TransportEvent::Upgrade(head) => self.record(socket_event::UPGRADE, 0, &head_fields(&head)),
            TransportEvent::UnexpectedResponse { head, body } => {
                let mut payload = head_fields(&head);
                let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
                payload.extend_from_slice(&body);
                self.record(socket_event::UNEXPECTED_RESPONSE, length, &payload);
            }
            TransportEvent::Error(error) => {
                let description = (self.describe_error)(&error);
                self.record(socket_event::ERROR, 0, description.as_bytes());
            }
            TransportEvent::Closed => {
                counters.reach(SocketState::Closed);
                self.record(socket_event::CLOSED, 0, &[]);
            }
        }
    }

    fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    fn flush(&mut self) {
        if let Some(began) = self.began.take() {
            self.state.received(self.monitor.now());
            let busy = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.state.flow.counters().busy.add(busy);
        }
        if !self.pending.is_empty() {
            self.is_exhausted |= self.inbox.push(&mut self.pending).is_err();
            self.pending.clear(KEPT);
            BUFFERS.with_borrow_mut(|(_, spare)| *spare = std::mem::take(&mut self.pending));
        }
    }
}

/// The fields of a response head, separated by zero bytes. HTTP does not allow zero bytes in fields. The fields are:
/// minor version, status, reason, then names and values.
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
