//! An open WebSocket. One task moves messages in both directions until the connection has ended.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::task::coop::unconstrained;
use tokio::task::yield_now;
use tokio::time::{Sleep, sleep};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::connection::SharedConnection;
use super::error::TransportError;
use super::event::{EventSink, TransportEvent};
use super::frame_check::{CheckedStream, Stop, Violation};
use super::idle;
use super::stream::NetStream;
use super::writer::{WriteProgress, Writer};

/// Time limit of the closing handshake. It is the `closeTimeout` of `ws`.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);
/// The code for a close frame without a status code (RFC 6455, section 7.1.5).
const NO_STATUS: u16 = 1005;
/// Maximum number of messages that are read before the task yields.
const BURST: usize = 128;
/// Time after which the task yields although more messages can be read. A compressed message of some kilobytes can take
/// half a second (docs/security.md). The timers and the other connections of the thread wait for that time only.
pub(super) const BURST_TIME: Duration = Duration::from_millis(10);
/// The time is checked after messages of at least this length in bytes. Shorter ones take less time, and most messages
/// are shorter.
pub(super) const LONG_MESSAGE: usize = 256;

/// The phase of an open connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SocketPhase {
    /// Messages are sent and received. After our close frame, they are only received.
    Open,
    /// The peer's close frame was received. The answer is sent when the owner closes the connection, after all queued
    /// messages.
    Answering,
    /// Both close frames were exchanged, or a protocol violation was reported to the peer. Queued data is written, then
    /// the sending direction is shut down.
    Flushing,
    /// The task waits until the peer shuts down its sending direction.
    Draining,
    /// The connection has ended.
    Ended,
}

/// The state of the task.
struct OpenSocket<'a, S> {
    shared: &'a SharedConnection,
    sink: &'a mut S,
    phase: SocketPhase,
    /// The end of the time for the closing handshake.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether all received data was read.
    drained: bool,
}

/// Moves messages until the connection has ended. Reports all events except [`TransportEvent::Closed`].
pub(super) async fn run<S: EventSink>(stream: CheckedStream<NetStream>, shared: &SharedConnection, sink: &mut S) {
    *shared.writer() = Some(Writer::new(stream).await);
    // Reported after the writer is set, so that a message can be written directly at once.
    sink.event(TransportEvent::Open);
    sink.flush();
    let mut socket = OpenSocket {
        shared,
        sink,
        phase: SocketPhase::Open,
        deadline: None,
        drained: false,
    };
    std::future::poll_fn(|cx| {
        shared.waker.register(cx.waker());
        if shared.is_awaited() {
            return Poll::Pending;
        }
        let mut place = shared.writer();
        let mut outcome = socket.poll(&mut place, cx);
        let has_large_buffers = socket.drained && place.as_ref().is_some_and(Writer::has_large_buffers);
        if outcome.is_pending() && has_large_buffers {
            *place = place.take().and_then(Writer::with_fresh_buffers);
            idle::released();
            // The new writer has to register the task's waker.
            outcome = socket.poll(&mut place, cx);
        }
        outcome
    })
    .await;
    socket.sink.flush();
}

impl<S: EventSink> OpenSocket<'_, S> {
    fn poll(&mut self, writer: &mut Option<Writer>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(writer) = writer else {
            return Poll::Ready(());
        };
        if self.shared.is_aborted() {
            // The owner of a destroyed connection could not write while this task was running.
            if !self.shared.is_dropped() {
                writer.write_all(&self.shared.queue);
            }
            return Poll::Ready(());
        }
        // Checked first, so that a peer that sends without a pause cannot delay the deadline.
        self.poll_deadline(cx);
        if self.phase != SocketPhase::Ended {
            self.poll_outbound(writer, cx);
        }
        if self.phase == SocketPhase::Open {
            self.poll_inbound(writer, cx);
        }
        if self.phase != SocketPhase::Ended && writer.needs_flush() {
            self.poll_outbound(writer, cx);
        }
        if matches!(self.phase, SocketPhase::Flushing | SocketPhase::Draining) {
            self.poll_finish(writer, cx);
        }
        // Checked again for a deadline that was set in this call.
        self.poll_deadline(cx);
        self.sink.flush();
        if self.phase != SocketPhase::Ended && self.sink.is_exhausted() {
            self.sink.event(TransportEvent::Error(TransportError::OutOfMemory));
            self.phase = SocketPhase::Ended;
        }
        if self.phase == SocketPhase::Ended {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Ends the connection if the closing handshake takes too long. The timer ignores tokio's cooperative budget,
    /// because reading can have used up the budget.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) {
        if let Some(deadline) = &mut self.deadline
            && Pin::new(&mut unconstrained(deadline.as_mut())).poll(cx).is_ready()
        {
            self.phase = SocketPhase::Ended;
        }
    }

    fn start_deadline(&mut self) {
        if self.deadline.is_none() {
            self.deadline = Some(Box::pin(sleep(CLOSE_TIMEOUT)));
        }
    }

    fn poll_outbound(&mut self, writer: &mut Writer, cx: &mut Context<'_>) {
        self.sink.before_write();
        if self.shared.is_dropped() {
            // That has woken this task.
            return;
        }
        match writer.poll_write(&self.shared.queue, cx) {
            Ok(WriteProgress { written, closed }) => {
                if written > 0 {
                    self.sink.event(TransportEvent::Written(written));
                }
                if closed {
                    self.start_deadline();
                    if self.phase == SocketPhase::Answering {
                        self.phase = SocketPhase::Flushing;
                    }
                }
            }
            // A failed write means that the connection is lost. As in `ws`, only its end is reported.
            Err(_) if self.phase != SocketPhase::Draining => self.phase = SocketPhase::Ended,
            Err(_) => {}
        }
        // As in `ws`, the time starts with the call of `close`, even if messages are still queued before the close
        // frame.
        if self.deadline.is_none() && writer.is_blocked() && self.shared.queue.is_closing() {
            self.start_deadline();
        }
    }

    /// Reads messages until no more are available, the sink is full, another thread waits for the writer, the owner has
    /// ended the connection, or the task should yield.
    fn poll_inbound(&mut self, writer: &mut Writer, cx: &mut Context<'_>) {
        self.drained = false;
        // Set before the first long message: most bursts have none, and reading the clock takes time.
        let mut start = None;
        for _ in 0..BURST {
            // A read also writes: the pongs, and before them what tungstenite still holds.
            if self.shared.is_awaited() || self.sink.poll_ready(cx).is_pending() || self.shared.is_aborted() {
                return;
            }
            let Poll::Ready(item) = writer.poll_next(cx) else {
                self.drained = true;
                return;
            };
            let mut is_slow = false;
            let is_ping = matches!(item, Some(Ok(Message::Ping(_))));
            match item {
                Some(Ok(message)) if message.len() >= LONG_MESSAGE => {
                    let start = start.get_or_insert_with(Instant::now);
                    self.received(message);
                    is_slow = start.elapsed() >= BURST_TIME;
                }
                Some(Ok(message)) => self.received(message),
                Some(Err(error)) => self.failed(writer, error),
                None => self.phase = SocketPhase::Ended,
            }
            if is_ping {
                self.sink.before_write();
                // As in `ws`, too many pongs that the peer does not read end the connection without an error.
                if !self.shared.is_aborted() && !writer.accepts_pong(cx) {
                    self.phase = SocketPhase::Ended;
                }
            }
            if self.phase != SocketPhase::Open {
                return;
            }
            if is_slow {
                // Unlike `wake_by_ref`, this wakes the task only after timers and sockets were polled. It is pending at
                // its first poll.
                let _ = pin!(yield_now()).poll(cx);
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    fn received(&mut self, message: Message) {
        match message {
            Message::Binary(bytes) => self.sink.event(TransportEvent::Message { bytes, is_binary: true }),
            Message::Text(text) => self.sink.event(TransportEvent::Message {
                bytes: text.into(),
                is_binary: false,
            }),
            Message::Ping(bytes) => self.sink.event(TransportEvent::Ping(bytes)),
            Message::Pong(bytes) => self.sink.event(TransportEvent::Pong(bytes)),
            // Close frames do not arrive here: the frame check handles them.
            Message::Close(_) | Message::Frame(_) => {}
        }
    }

    fn failed(&mut self, writer: &mut Writer, error: WsError) {
        let violation = match error {
            WsError::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Stop>()) {
                Some(Stop::Closed) => return self.peer_closed(writer),
                Some(Stop::Violation(violation)) => Some(*violation),
                Some(Stop::OutOfMemory) => {
                    self.sink.event(TransportEvent::Error(TransportError::OutOfMemory));
                    None
                }
                None => None,
            },
            WsError::Utf8(_) => Some(Violation::Utf8),
            WsError::Capacity(_) => Some(Violation::MessageTooLong),
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            other => {
                self.sink
                    .event(TransportEvent::Error(TransportError::Internal(other.to_string())));
                None
            }
        };
        let Some(violation) = violation else {
            // The connection was lost, or ended without a closing handshake.
            self.phase = SocketPhase::Ended;
            return;
        };
        self.sink.event(TransportEvent::Error(violation.into()));
        self.sink.before_write();
        if self.shared.is_aborted() {
            return;
        }
        let frame = CloseFrame {
            code: CloseCode::from(violation.close_code()),
            reason: Utf8Bytes::default(),
        };
        self.start_deadline();
        self.phase = if writer.send_close(Some(frame)).is_ok() {
            SocketPhase::Flushing
        } else {
            SocketPhase::Ended
        };
    }

    /// Handles the peer's close frame. It answers our close frame, or it has to be answered.
    fn peer_closed(&mut self, writer: &mut Writer) {
        self.start_deadline();
        let Some(close) = writer.take_close() else {
            return;
        };
        if writer.is_close_sent() {
            self.phase = SocketPhase::Flushing;
        } else {
            self.phase = SocketPhase::Answering;
            writer.set_answer((close.code != NO_STATUS).then(|| CloseFrame {
                code: CloseCode::from(close.code),
                reason: String::from_utf8_lossy(&close.reason).into_owned().into(),
            }));
        }
        self.sink.event(TransportEvent::CloseFrame {
            code: close.code,
            reason: close.reason,
        });
    }

    /// Shuts down the sending direction after all data is written. Discards received data until the peer has shut down
    /// its direction.
    fn poll_finish(&mut self, writer: &mut Writer, cx: &mut Context<'_>) {
        if self.phase == SocketPhase::Flushing && !writer.needs_flush() {
            match writer.poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.phase = SocketPhase::Draining,
                Poll::Ready(Err(_)) => self.phase = SocketPhase::Ended,
                Poll::Pending => {}
            }
        }
        if self.phase != SocketPhase::Ended && writer.poll_discard(cx).is_ready() {
            self.phase = SocketPhase::Ended;
        }
    }
}
