//! An open WebSocket: one task moves messages both ways until the connection has ended.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::error::TransportError;
use super::guard::{Guard, MAX_MESSAGE, Violation};
use super::outbox::Shared;
use super::stream::NetStream;
use super::{Event, EventSink};

/// How long the closing handshake may take before the connection is dropped: `ws`' `closeTimeout`.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);
/// Messages taken in before the task lets others run.
const BURST: usize = 128;
/// Read buffer of each connection, allocated as long as it lives; a read takes at most this much.
const READ_BUFFER: usize = 4096;
/// Outbound bytes that are gathered before a write; a flush follows every batch of sends anyway.
const WRITE_BUFFER: usize = 16 * 1024;

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Messages go both ways (after our own close frame: only in).
    Open,
    /// The peer's close frame, or a violation, ended the exchange: what is queued goes out, then our half of the
    /// connection is shut.
    Flushing,
    /// Waiting for the peer to shut its half.
    Draining,
    /// Over.
    Ended,
}

/// The task's state.
pub(super) struct OpenSocket<'a, S> {
    ws: WebSocketStream<Guard<NetStream>>,
    shared: Arc<Shared>,
    sink: &'a mut S,
    phase: Phase,
    /// Messages taken from the outbox and not yet given to tungstenite.
    pending: VecDeque<Message>,
    /// Bytes given to tungstenite since the last complete flush.
    unflushed: usize,
    needs_flush: bool,
    close_sent: bool,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Moves messages until the connection has ended. Reports everything but [`Event::Closed`].
pub(super) async fn run<S: EventSink>(stream: Guard<NetStream>, shared: Arc<Shared>, sink: &mut S) {
    let mut config = WebSocketConfig::default();
    config.read_buffer_size = READ_BUFFER;
    config.write_buffer_size = WRITE_BUFFER;
    let limit = usize::try_from(MAX_MESSAGE).ok();
    config.max_frame_size = limit;
    config.max_message_size = limit;
    let ws = WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await;
    let mut socket = OpenSocket {
        ws,
        shared,
        sink,
        phase: Phase::Open,
        pending: VecDeque::new(),
        unflushed: 0,
        needs_flush: false,
        close_sent: false,
        deadline: None,
    };
    std::future::poll_fn(|cx| socket.poll(cx)).await;
}

impl<S: EventSink> OpenSocket<'_, S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.waker.register(cx.waker());
        if self.shared.is_aborted() {
            return Poll::Ready(());
        }
        self.poll_outbound(cx);
        if self.phase == Phase::Open {
            self.poll_inbound(cx);
        }
        if self.phase != Phase::Ended && self.needs_flush {
            self.poll_outbound(cx);
        }
        if matches!(self.phase, Phase::Flushing | Phase::Draining) {
            self.poll_finish(cx);
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

    /// Hands what is queued to tungstenite and flushes it, as far as the connection takes it.
    fn poll_outbound(&mut self, cx: &mut Context<'_>) {
        match self.try_outbound(cx) {
            Ok(()) => {}
            // A write that fails is a lost connection; `ws` reports its end alone.
            Err(_) if self.phase == Phase::Open || self.phase == Phase::Flushing => self.phase = Phase::Ended,
            Err(_) => {}
        }
    }

    fn try_outbound(&mut self, cx: &mut Context<'_>) -> Result<(), WsError> {
        let close = loop {
            if self.pending.is_empty() {
                let close = self.shared.take(&mut self.pending);
                if self.pending.is_empty() {
                    break close;
                }
            }
            if self.close_sent {
                // Came too late: the peer's close frame was answered before it was seen here.
                self.pending.clear();
                continue;
            }
            while !self.pending.is_empty() {
                let Poll::Ready(ready) = Pin::new(&mut self.ws).poll_ready(cx) else {
                    return Ok(());
                };
                ready?;
                if let Some(message) = self.pending.pop_front() {
                    self.unflushed += message.len();
                    self.needs_flush = true;
                    Pin::new(&mut self.ws).start_send(message)?;
                }
            }
        };
        if close {
            self.send_close(None)?;
        }
        if self.needs_flush && Pin::new(&mut self.ws).poll_flush(cx)?.is_ready() {
            self.needs_flush = false;
            let written = self.shared.written(std::mem::take(&mut self.unflushed));
            if written > 0 {
                self.sink.event(Event::Written(written));
            }
        }
        Ok(())
    }

    /// Queues our close frame, once.
    fn send_close(&mut self, frame: Option<CloseFrame>) -> Result<(), WsError> {
        if self.close_sent {
            return Ok(());
        }
        self.close_sent = true;
        self.needs_flush = true;
        self.start_deadline();
        Pin::new(&mut self.ws).start_send(Message::Close(frame))
    }

    fn start_deadline(&mut self) {
        if self.deadline.is_none() {
            self.deadline = Some(Box::pin(tokio::time::sleep(CLOSE_TIMEOUT)));
        }
    }

    /// Takes messages in until none is left, the sink is full, or others should run.
    fn poll_inbound(&mut self, cx: &mut Context<'_>) {
        for _ in 0..BURST {
            if self.sink.poll_ready(cx).is_pending() {
                return;
            }
            let Poll::Ready(item) = Pin::new(&mut self.ws).poll_next(cx) else {
                return;
            };
            match item {
                Some(Ok(message)) => self.received(message),
                Some(Err(error)) => self.failed(error),
                None => self.phase = Phase::Ended,
            }
            if self.phase != Phase::Open {
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    fn received(&mut self, message: Message) {
        match message {
            Message::Binary(bytes) => self.sink.event(Event::Message { bytes, is_binary: true }),
            Message::Text(text) => self.sink.event(Event::Message {
                bytes: text.into(),
                is_binary: false,
            }),
            Message::Ping(bytes) => {
                // tungstenite has queued the pong.
                self.needs_flush = true;
                self.sink.event(Event::Ping(bytes));
            }
            Message::Pong(bytes) => self.sink.event(Event::Pong(bytes)),
            Message::Close(_) => {
                // Likewise the answer, unless this is the answer to ours.
                self.close_sent = true;
                self.needs_flush = true;
                self.phase = Phase::Flushing;
                self.start_deadline();
                if let Some(close) = self.ws.get_mut().take_close() {
                    self.sink.event(Event::CloseFrame {
                        code: close.code,
                        reason: close.reason,
                    });
                }
            }
            Message::Frame(_) => {}
        }
    }

    fn failed(&mut self, error: WsError) {
        let violation = match error {
            WsError::Io(error) => error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<Violation>())
                .copied(),
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
        self.phase = match self.send_close(Some(frame)) {
            Ok(()) => Phase::Flushing,
            Err(_) => Phase::Ended,
        };
    }

    /// Shuts our half once all is out, and drops what still comes until the peer has shut its own.
    fn poll_finish(&mut self, cx: &mut Context<'_>) {
        if self.phase == Phase::Flushing && !self.needs_flush {
            match Pin::new(self.ws.get_mut()).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.phase = Phase::Draining,
                Poll::Ready(Err(_)) => self.phase = Phase::Ended,
                Poll::Pending => {}
            }
        }
        let mut scratch = [0; 1024];
        while self.phase != Phase::Ended {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(self.ws.get_mut().unchecked()).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => self.phase = Phase::Ended,
                Poll::Pending => return,
            }
        }
    }
}
