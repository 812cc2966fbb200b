//! An open WebSocket: one task moves messages both ways until the connection has ended.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{FutureExt, Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::error::TransportError;
use super::guard::{Guard, MAX_MESSAGE, Stop, Violation};
use super::outbox::Shared;
use super::stream::NetStream;
use super::{Event, EventSink, rest};

/// How long the closing handshake may take before the connection is dropped: `ws`' `closeTimeout`.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);
/// Stands for a close frame without a status code (RFC 6455, section 7.1.5).
const NO_STATUS: u16 = 1005;
/// Messages taken in before the task lets others run.
const BURST: usize = 128;
/// SharedSender bytes that are gathered before a write; a flush follows every batch of sends anyway.
const WRITE_BUFFER: usize = 16 * 1024;

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Messages go both ways (after our own close frame: only in).
    Open,
    /// The peer's close frame has come. Its answer goes out behind what the owner of the connection sends until it says
    /// that it is done.
    Answering,
    /// Close frames were exchanged, or a violation ended the exchange: what is queued goes out, then our half of the
    /// connection is shut.
    Flushing,
    /// Waiting for the peer to shut its half.
    Draining,
    /// Over.
    Ended,
}

/// The connection and what is on its way out. The task has it locked while it runs; between, a sender may write.
pub(super) struct Io {
    ws: WebSocketStream<Guard<NetStream>>,
    /// Messages taken from the outbox and not yet given to tungstenite.
    pending: VecDeque<Message>,
    /// Bytes given to tungstenite since the last complete flush.
    unflushed: usize,
    needs_flush: bool,
    close_sent: bool,
    /// The close frame that answers the peer's.
    answer: Option<CloseFrame>,
    /// A write failed: the connection is lost.
    failed: bool,
    /// All that has come was read and taken in.
    drained: bool,
}

/// What became of a message that was written without the task.
pub(super) enum Written {
    /// The operating system has it.
    Whole,
    /// Part of it, or the failure of it, is left to the task.
    Rest,
}

impl Io {
    async fn new(mut stream: Guard<NetStream>) -> Self {
        let mut config = WebSocketConfig::default();
        config.read_buffer_size = stream.unchecked().read_size();
        config.write_buffer_size = WRITE_BUFFER;
        let limit = usize::try_from(MAX_MESSAGE).ok();
        config.max_frame_size = limit;
        config.max_message_size = limit;
        Self {
            ws: WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await,
            pending: VecDeque::new(),
            unflushed: 0,
            needs_flush: false,
            close_sent: false,
            answer: None,
            failed: false,
            drained: false,
        }
    }

    /// Whether tungstenite's buffers, which never shrink, have grown and hold nothing.
    fn is_outgrown(&self) -> bool {
        let is_idle = self.drained && !self.needs_flush && !self.close_sent && !self.failed;
        is_idle && self.ws.get_ref().has_passed(self.ws.get_config().read_buffer_size)
    }

    /// The same connection with buffers of the usual size.
    fn renewed(self) -> Option<Self> {
        let pending = self.pending;
        let mut stream = self.ws.into_inner();
        stream.forget_size();
        Self::new(stream).now_or_never().map(|io| Self { pending, ..io })
    }

    /// Writes a message at once where nothing is before it; gives it back where something is.
    pub(super) fn write_now(&mut self, message: Message) -> Result<Written, Message> {
        if self.needs_flush || self.close_sent || self.failed || !self.pending.is_empty() {
            return Err(message);
        }
        self.unflushed = message.len();
        self.needs_flush = true;
        if Pin::new(&mut self.ws).start_send(message).is_err() {
            self.failed = true;
            return Ok(Written::Rest);
        }
        // Where it cannot be written whole the task flushes again, and is then the one to be woken.
        match Pin::new(&mut self.ws).poll_flush(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => {
                self.needs_flush = false;
                self.unflushed = 0;
                Ok(Written::Whole)
            }
            Poll::Ready(Err(_)) => {
                self.failed = true;
                Ok(Written::Rest)
            }
            Poll::Pending => Ok(Written::Rest),
        }
    }

    /// Hands what is queued to tungstenite and flushes it, as far as the connection takes it. Returns how many messages
    /// are to be reported as written, and whether our close frame was sent.
    fn poll_outbound(&mut self, shared: &Shared, cx: &mut Context<'_>) -> Result<(u32, bool), WsError> {
        if self.failed {
            return Err(WsError::ConnectionClosed);
        }
        let close = loop {
            if self.pending.is_empty() {
                let close = shared.take(&mut self.pending);
                if self.pending.is_empty() {
                    break close;
                }
            }
            if self.close_sent {
                // Came too late: a violation of the peer's was answered before it was seen here.
                self.pending.clear();
                continue;
            }
            while !self.pending.is_empty() {
                let Poll::Ready(ready) = Pin::new(&mut self.ws).poll_ready(cx) else {
                    return Ok((0, false));
                };
                ready?;
                if let Some(message) = self.pending.pop_front() {
                    self.unflushed += message.len();
                    self.needs_flush = true;
                    Pin::new(&mut self.ws).start_send(message)?;
                }
            }
        };
        let closed = close && !self.close_sent && {
            let answer = self.answer.take();
            self.send_close(answer)?;
            true
        };
        let mut written = 0;
        if self.needs_flush && Pin::new(&mut self.ws).poll_flush(cx)?.is_ready() {
            self.needs_flush = false;
            written = shared.written(std::mem::take(&mut self.unflushed));
        }
        Ok((written, closed))
    }

    /// Queues our close frame, once.
    fn send_close(&mut self, frame: Option<CloseFrame>) -> Result<(), WsError> {
        if std::mem::replace(&mut self.close_sent, true) {
            return Ok(());
        }
        self.needs_flush = true;
        Pin::new(&mut self.ws).start_send(Message::Close(frame))
    }
}

/// The task's state.
struct OpenSocket<'a, S> {
    shared: &'a Shared,
    sink: &'a mut S,
    phase: Phase,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Moves messages until the connection has ended. Reports everything but [`Event::Closed`].
pub(super) async fn run<S: EventSink>(stream: Guard<NetStream>, shared: &Shared, sink: &mut S) {
    *shared.io() = Some(Io::new(stream).await);
    // Announced only now, so that the first message finds the connection in its place.
    sink.event(Event::Open);
    sink.flush();
    let mut socket = OpenSocket {
        shared,
        sink,
        phase: Phase::Open,
        deadline: None,
    };
    std::future::poll_fn(|cx| {
        shared.waker.register(cx.waker());
        let mut place = shared.io();
        let mut outcome = socket.poll(&mut place, cx);
        if outcome.is_pending() && place.as_ref().is_some_and(Io::is_outgrown) {
            *place = place.take().and_then(Io::renewed);
            rest::released();
            // The new one is to be woken.
            outcome = socket.poll(&mut place, cx);
        }
        outcome
    })
    .await;
    socket.sink.flush();
}

impl<S: EventSink> OpenSocket<'_, S> {
    fn poll(&mut self, io: &mut Option<Io>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(io) = io.as_mut().filter(|_| !self.shared.is_aborted()) else {
            return Poll::Ready(());
        };
        self.poll_outbound(io, cx);
        if self.phase == Phase::Open {
            self.poll_inbound(io, cx);
        }
        if self.phase != Phase::Ended && io.needs_flush {
            self.poll_outbound(io, cx);
        }
        if matches!(self.phase, Phase::Flushing | Phase::Draining) {
            self.poll_finish(io, cx);
        }
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            self.phase = Phase::Ended;
        }
        self.sink.flush();
        if self.phase == Phase::Ended {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn poll_outbound(&mut self, io: &mut Io, cx: &mut Context<'_>) {
        match io.poll_outbound(self.shared, cx) {
            Ok((written, closed)) => {
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
            // A write that fails is a lost connection; `ws` reports its end alone.
            Err(_) if self.phase != Phase::Draining => self.phase = Phase::Ended,
            Err(_) => {}
        }
        // As with `ws` the time runs from the call, whatever our close frame waits for.
        if self.deadline.is_none() && !io.pending.is_empty() && self.shared.is_closing() {
            self.start_deadline();
        }
    }

    fn start_deadline(&mut self) {
        if self.deadline.is_none() {
            self.deadline = Some(Box::pin(tokio::time::sleep(CLOSE_TIMEOUT)));
        }
    }

    /// Takes messages in until none is left, the sink is full, or others should run.
    fn poll_inbound(&mut self, io: &mut Io, cx: &mut Context<'_>) {
        io.drained = false;
        for _ in 0..BURST {
            if self.sink.poll_ready(cx).is_pending() {
                return;
            }
            let Poll::Ready(item) = Pin::new(&mut io.ws).poll_next(cx) else {
                io.drained = true;
                return;
            };
            match item {
                Some(Ok(message)) => self.received(io, message),
                Some(Err(error)) => self.failed(io, error),
                None => self.phase = Phase::Ended,
            }
            if self.phase != Phase::Open {
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    fn received(&mut self, io: &mut Io, message: Message) {
        match message {
            Message::Binary(bytes) => self.sink.event(Event::Message { bytes, is_binary: true }),
            Message::Text(text) => self.sink.event(Event::Message {
                bytes: text.into(),
                is_binary: false,
            }),
            Message::Ping(bytes) => {
                // tungstenite has queued the pong.
                io.needs_flush = true;
                self.sink.event(Event::Ping(bytes));
            }
            Message::Pong(bytes) => self.sink.event(Event::Pong(bytes)),
            // The guard lets no close frame pass.
            Message::Close(_) | Message::Frame(_) => {}
        }
    }

    fn failed(&mut self, io: &mut Io, error: WsError) {
        let violation = match error {
            WsError::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Stop>()) {
                Some(Stop::Closed) => return self.peer_closed(io),
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
        self.phase = if io.send_close(Some(frame)).is_ok() {
            Phase::Flushing
        } else {
            Phase::Ended
        };
    }

    /// The peer's close frame has come: either the answer to ours, or to be answered.
    fn peer_closed(&mut self, io: &mut Io) {
        self.start_deadline();
        let Some(close) = io.ws.get_mut().take_close() else {
            return;
        };
        if io.close_sent {
            self.phase = Phase::Flushing;
        } else {
            self.phase = Phase::Answering;
            io.answer = (close.code != NO_STATUS).then(|| CloseFrame {
                code: CloseCode::from(close.code),
                reason: String::from_utf8_lossy(&close.reason).into_owned().into(),
            });
        }
        self.sink.event(Event::CloseFrame {
            code: close.code,
            reason: close.reason,
        });
    }

    /// Shuts our half once all is out, and drops what still comes until the peer has shut its own.
    fn poll_finish(&mut self, io: &mut Io, cx: &mut Context<'_>) {
        if self.phase == Phase::Flushing && !io.needs_flush {
            match Pin::new(io.ws.get_mut()).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.phase = Phase::Draining,
                Poll::Ready(Err(_)) => self.phase = Phase::Ended,
                Poll::Pending => {}
            }
        }
        let mut scratch = [0; 1024];
        while self.phase != Phase::Ended {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(io.ws.get_mut().unchecked()).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => self.phase = Phase::Ended,
                Poll::Pending => return,
            }
        }
    }
}
