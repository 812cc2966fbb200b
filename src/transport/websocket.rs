//! An open WebSocket: one task moves messages both ways until the connection has ended.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::coop::unconstrained;
use tokio::time::{Sleep, sleep};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::connection::Shared;
use super::error::TransportError;
use super::event::{Event, EventSink};
use super::frame_check::{CheckedStream, Stop, Violation};
use super::idle;
use super::stream::NetStream;
use super::writer::{Progress, Writer};

/// How long the closing handshake may take before the connection is dropped: `ws`' `closeTimeout`.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);
/// Stands for a close frame without a status code (RFC 6455, section 7.1.5).
const NO_STATUS: u16 = 1005;
/// Messages taken in before the task lets others run.
const BURST: usize = 128;

/// How far the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Messages go both ways (after our own close frame: only in).
    Open,
    /// The peer's close frame has come. Its answer goes out behind what the owner of the connection sends until it closes
    /// the connection.
    Answering,
    /// Close frames were exchanged, or a violation ended the exchange. What is queued goes out, then our half of the
    /// connection is shut.
    Flushing,
    /// Waiting for the peer to shut its half.
    Draining,
    /// Over.
    Ended,
}

/// The task's state.
struct OpenSocket<'a, S> {
    shared: &'a Shared,
    sink: &'a mut S,
    phase: Phase,
    /// When the closing handshake has taken too long.
    deadline: Option<Pin<Box<Sleep>>>,
    /// The close frame that answers the peer's.
    answer: Option<CloseFrame>,
    /// Whether all that has come was read.
    drained: bool,
}

/// Moves messages until the connection has ended. Reports everything but [`Event::Closed`].
pub(super) async fn run<S: EventSink>(stream: CheckedStream<NetStream>, shared: &Shared, sink: &mut S) {
    *shared.writer() = Some(Writer::new(stream).await);
    // Announced only now, so that a message sent at once can be written at once.
    sink.event(Event::Open);
    sink.flush();
    let mut socket = OpenSocket {
        shared,
        sink,
        phase: Phase::Open,
        deadline: None,
        answer: None,
        drained: false,
    };
    std::future::poll_fn(|cx| {
        shared.waker.register(cx.waker());
        let mut place = shared.writer();
        let mut outcome = socket.poll(&mut place, cx);
        let is_outgrown = socket.drained && place.as_ref().is_some_and(Writer::is_outgrown);
        if outcome.is_pending() && is_outgrown {
            *place = place.take().and_then(Writer::renewed);
            idle::released();
            // The new one must know whom to wake.
            outcome = socket.poll(&mut place, cx);
        }
        outcome
    })
    .await;
    socket.sink.flush();
}

impl<S: EventSink> OpenSocket<'_, S> {
    fn poll(&mut self, writer: &mut Option<Writer>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(writer) = writer.as_mut().filter(|_| !self.shared.is_aborted()) else {
            return Poll::Ready(());
        };
        // First, so that a peer that sends without end cannot use up the time of the task before it.
        self.poll_deadline(cx);
        if self.phase != Phase::Ended {
            self.poll_outbound(writer, cx);
        }
        if self.phase == Phase::Open {
            self.poll_inbound(writer, cx);
        }
        if self.phase != Phase::Ended && writer.needs_flush() {
            self.poll_outbound(writer, cx);
        }
        if matches!(self.phase, Phase::Flushing | Phase::Draining) {
            self.poll_finish(writer, cx);
        }
        // Again, for a deadline that was set just now.
        self.poll_deadline(cx);
        self.sink.flush();
        if self.phase == Phase::Ended {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Ends the connection where the closing handshake has taken too long. The timer is polled outside tokio's cooperative
    /// budget, which the reads of one turn may have used up.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) {
        if let Some(deadline) = &mut self.deadline
            && Pin::new(&mut unconstrained(deadline.as_mut())).poll(cx).is_ready()
        {
            self.phase = Phase::Ended;
        }
    }

    fn start_deadline(&mut self) {
        if self.deadline.is_none() {
            self.deadline = Some(Box::pin(sleep(CLOSE_TIMEOUT)));
        }
    }

    fn poll_outbound(&mut self, writer: &mut Writer, cx: &mut Context<'_>) {
        match writer.poll_write(&self.shared.queue, &mut self.answer, cx) {
            Ok(Progress { written, closed }) => {
                if written > 0 {
                    self.sink.event(Event::Written(written));
                }
                if closed {
                    self.start_deadline();
                    if self.phase == Phase::Answering {
                        self.phase = Phase::Flushing;
                    }
                }
            }
            // A failed write is a lost connection; as in `ws`, only its end is reported.
            Err(_) if self.phase != Phase::Draining => self.phase = Phase::Ended,
            Err(_) => {}
        }
        // As in `ws` the time runs from the call, even while messages wait before our close frame.
        if self.deadline.is_none() && writer.is_blocked() && self.shared.queue.is_closing() {
            self.start_deadline();
        }
    }

    /// Takes messages in until none is left, the sink is full, or others should run.
    fn poll_inbound(&mut self, writer: &mut Writer, cx: &mut Context<'_>) {
        self.drained = false;
        for _ in 0..BURST {
            if self.sink.poll_ready(cx).is_pending() {
                return;
            }
            let Poll::Ready(item) = writer.poll_next(cx) else {
                self.drained = true;
                return;
            };
            match item {
                Some(Ok(message)) => self.received(writer, message),
                Some(Err(error)) => self.failed(writer, error),
                None => self.phase = Phase::Ended,
            }
            if self.phase != Phase::Open {
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    fn received(&mut self, writer: &mut Writer, message: Message) {
        match message {
            Message::Binary(bytes) => self.sink.event(Event::Message { bytes, is_binary: true }),
            Message::Text(text) => self.sink.event(Event::Message {
                bytes: text.into(),
                is_binary: false,
            }),
            Message::Ping(bytes) => {
                // tungstenite has queued the pong.
                writer.set_needs_flush();
                self.sink.event(Event::Ping(bytes));
            }
            Message::Pong(bytes) => self.sink.event(Event::Pong(bytes)),
            // The frame check lets no close frame pass.
            Message::Close(_) | Message::Frame(_) => {}
        }
    }

    fn failed(&mut self, writer: &mut Writer, error: WsError) {
        let violation = match error {
            WsError::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Stop>()) {
                Some(Stop::Closed) => return self.peer_closed(writer),
                Some(Stop::Violation(violation)) => Some(*violation),
                None => None,
            },
            WsError::Utf8(_) => Some(Violation::Utf8),
            WsError::Capacity(_) => Some(Violation::MessageTooLong),
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            other => {
                self.sink
                    .event(Event::Error(TransportError::Internal(other.to_string())));
                None
            }
        };
        let Some(violation) = violation else {
            // Lost, or ended without a closing handshake.
            self.phase = Phase::Ended;
            return;
        };
        self.sink.event(Event::Error(violation.into()));
        let frame = CloseFrame {
            code: CloseCode::from(violation.close_code()),
            reason: Utf8Bytes::default(),
        };
        self.start_deadline();
        self.phase = if writer.send_close(Some(frame)).is_ok() {
            Phase::Flushing
        } else {
            Phase::Ended
        };
    }

    /// The peer's close frame has come: either the answer to ours, or to be answered.
    fn peer_closed(&mut self, writer: &mut Writer) {
        self.start_deadline();
        let Some(close) = writer.take_close() else {
            return;
        };
        if writer.is_close_sent() {
            self.phase = Phase::Flushing;
        } else {
            self.phase = Phase::Answering;
            self.answer = (close.code != NO_STATUS).then(|| CloseFrame {
                code: CloseCode::from(close.code),
                reason: String::from_utf8_lossy(&close.reason).into_owned().into(),
            });
        }
        self.sink.event(Event::CloseFrame {
            code: close.code,
            reason: close.reason,
        });
    }

    /// Shuts our half of the connection once all is written, and discards what still comes until the peer has shut its own.
    fn poll_finish(&mut self, writer: &mut Writer, cx: &mut Context<'_>) {
        if self.phase == Phase::Flushing && !writer.needs_flush() {
            match writer.poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.phase = Phase::Draining,
                Poll::Ready(Err(_)) => self.phase = Phase::Ended,
                Poll::Pending => {}
            }
        }
        if self.phase != Phase::Ended && writer.poll_discard(cx).is_ready() {
            self.phase = Phase::Ended;
        }
    }
}
