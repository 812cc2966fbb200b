//! The writing side of an open WebSocket. It owns the stream; `websocket.rs` reads through it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use futures_util::{FutureExt, Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::coop::unconstrained;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::frame_check::{CheckedStream, MAX_MESSAGE, ReceivedClose};
use super::send_queue::{SendQueue, SharedQueue};
use super::stream::NetStream;

/// Size of the buffer for outgoing frames in bytes. Each batch of messages is flushed anyway.
const WRITE_BUFFER: usize = 16 * 1024;
/// Maximum number of pongs that wait because the peer does not read. It is the `maxPendingAutoPongs` of `ws`.
const MAX_PENDING_PONGS: u32 = 60;

/// The WebSocket and its outgoing messages. The connection's task locks it while it runs. At other times, a sending
/// thread can lock it and write.
pub(super) struct Writer {
    ws: WebSocketStream<CheckedStream<NetStream>>,
    /// Messages that were taken from the queue and not yet given to tungstenite.
    pending: VecDeque<Message>,
    /// Number of bytes that were given to tungstenite since the last complete flush.
    unflushed: usize,
    needs_flush: bool,
    close_sent: bool,
    /// Number of pongs since the last complete flush.
    pongs: u32,
    /// The close frame that answers the peer's close frame. `None` if the peer's frame has no code.
    answer: Option<CloseFrame>,
    /// What [`write_all`](Self::write_all) has written and the task has not reported yet.
    unreported: WriteProgress,
    /// A write has failed: the connection is lost.
    failed: bool,
}

/// The result of [`Writer::poll_write`].
#[derive(Debug, Default)]
pub(super) struct WriteProgress {
    /// Number of messages to report as written.
    pub(super) written: u32,
    /// Whether our close frame was given to tungstenite in this call.
    pub(super) closed: bool,
}

impl Writer {
    pub(super) async fn new(mut stream: CheckedStream<NetStream>) -> Self {
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
            pongs: 0,
            answer: None,
            unreported: WriteProgress::default(),
            failed: false,
        }
    }

    /// Whether nothing is being written and tungstenite's buffers have grown above their usual size. They never shrink.
    pub(super) fn has_large_buffers(&self) -> bool {
        let is_idle = !self.needs_flush && !self.close_sent && !self.failed;
        is_idle && self.ws.get_ref().has_passed(self.ws.get_config().read_buffer_size)
    }

    /// Returns the same connection with buffers of the usual size.
    pub(super) fn with_fresh_buffers(self) -> Option<Self> {
        let Self {
            ws,
            pending,
            answer,
            unreported,
            ..
        } = self;
        let mut stream = ws.into_inner();
        stream.forget_size();
        Self::new(stream).now_or_never().map(|writer| Self {
            pending,
            answer,
            unreported,
            ..writer
        })
    }

    /// Writes the queued messages at once, on the sender's thread. Returns false if the task must be woken: earlier
    /// data is waiting, the operating system does not accept all data, or the task must report the messages.
    pub(super) fn write_now(&mut self, queue: &mut SendQueue) -> bool {
        let is_free = !self.needs_flush && !self.close_sent && !self.failed && self.pending.is_empty();
        if !is_free || !queue.allows_direct_write() {
            return false;
        }
        queue.take(&mut self.pending);
        self.needs_flush = true;
        // If the data cannot be written completely, the task writes the rest. The write then wakes the task, not this
        // thread.
        match self.poll_pending(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => {
                // The count is always zero here, because direct writes are only allowed if no message has to be
                // reported.
                let _ = queue.written(self.flushed());
                true
            }
            Poll::Ready(Err(_)) => {
                self.failed = true;
                false
            }
            Poll::Pending => false,
        }
    }

    /// Writes all queued messages at once on the caller's thread, and a requested close frame, as far as the operating
    /// system accepts data. The task must be woken afterwards: it reports the progress and writes the rest.
    pub(super) fn write_all(&mut self, queue: &SharedQueue) {
        match self.poll_write(queue, &mut Context::from_waker(Waker::noop())) {
            Ok(progress) => self.unreported = progress,
            Err(_) => self.failed = true,
        }
    }

    /// A flush is complete. Returns the number of bytes that were given to tungstenite since the one before.
    fn flushed(&mut self) -> usize {
        self.needs_flush = false;
        self.pongs = 0;
        std::mem::take(&mut self.unflushed)
    }

    /// Gives the pending messages to tungstenite and flushes it.
    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        while !self.pending.is_empty() {
            ready!(Pin::new(&mut self.ws).poll_ready(cx))?;
            if let Some(message) = self.pending.pop_front() {
                self.unflushed += message.len();
                self.needs_flush = true;
                Pin::new(&mut self.ws).start_send(message)?;
            }
        }
        Pin::new(&mut self.ws).poll_flush(cx)
    }

    /// Gives the queued messages to tungstenite and flushes it, as far as the network accepts data. If the owner has
    /// requested the closing handshake, a close frame follows the last message. The frame is the
    /// [answer](Self::set_answer), or a frame without a code.
    pub(super) fn poll_write(&mut self, queue: &SharedQueue, cx: &mut Context<'_>) -> Result<WriteProgress, WsError> {
        if self.failed {
            return Err(WsError::ConnectionClosed);
        }
        let WriteProgress {
            mut written,
            mut closed,
        } = std::mem::take(&mut self.unreported);
        let mut was_blocked = self.is_blocked();
        let wants_close = loop {
            if self.pending.is_empty() {
                let wants_close = queue.take(&mut self.pending);
                if self.pending.is_empty() {
                    break wants_close;
                }
            }
            if self.close_sent {
                // These messages were queued before the owner knew of the peer's violation. The violation was already
                // answered with a close frame.
                self.pending.clear();
                continue;
            }
            while !self.pending.is_empty() {
                let Poll::Ready(ready) = Pin::new(&mut self.ws).poll_ready(cx) else {
                    return Ok(WriteProgress { written, closed });
                };
                ready?;
                if std::mem::take(&mut was_blocked) {
                    // tungstenite was full. It accepts messages again only after a complete flush, which includes the
                    // pongs.
                    self.pongs = 0;
                }
                if let Some(message) = self.pending.pop_front() {
                    self.unflushed += message.len();
                    self.needs_flush = true;
                    Pin::new(&mut self.ws).start_send(message)?;
                }
            }
        };
        if wants_close && !self.close_sent {
            let answer = self.answer.take();
            self.send_close(answer)?;
            closed = true;
        }
        if self.needs_flush && Pin::new(&mut self.ws).poll_flush(cx)?.is_ready() {
            written += queue.written(self.flushed());
        }
        Ok(WriteProgress { written, closed })
    }

    /// Sets the close frame that answers the peer's close frame.
    pub(super) fn set_answer(&mut self, answer: Option<CloseFrame>) {
        self.answer = answer;
    }

    /// The TCP connection beneath.
    pub(super) fn tcp(&self) -> Option<&TcpStream> {
        self.ws.get_ref().get_ref().tcp()
    }

    /// Queues our close frame. Further calls do nothing.
    pub(super) fn send_close(&mut self, frame: Option<CloseFrame>) -> Result<(), WsError> {
        if std::mem::replace(&mut self.close_sent, true) {
            return Ok(());
        }
        self.needs_flush = true;
        Pin::new(&mut self.ws).start_send(Message::Close(frame))
    }

    /// Whether our close frame was given to tungstenite.
    pub(super) fn is_close_sent(&self) -> bool {
        self.close_sent
    }

    /// Whether tungstenite has data that the operating system has not accepted yet.
    pub(super) fn needs_flush(&self) -> bool {
        self.needs_flush
    }

    /// Records that tungstenite has queued a pong for a received ping. Returns false if more than
    /// [`MAX_PENDING_PONGS`] wait because the peer does not read them: tungstenite queues pongs without a limit.
    pub(super) fn accepts_pong(&mut self, cx: &mut Context<'_>) -> bool {
        self.needs_flush = true;
        if self.close_sent {
            // tungstenite does not answer pings after the close frame.
            return true;
        }
        self.pongs += 1;
        if self.pongs <= MAX_PENDING_PONGS {
            return true;
        }
        // tungstenite has tried to write each pong. The count may be high because nothing has flushed it since then, or
        // because tokio's cooperative budget is used up.
        let ws = &mut self.ws;
        let mut flush = pin!(unconstrained(poll_fn(|cx| Pin::new(&mut *ws).poll_flush(cx))));
        let is_flushed = flush.as_mut().poll(cx).is_ready();
        if is_flushed {
            self.pongs = 0;
        }
        is_flushed
    }

    /// Whether messages are waiting because tungstenite's buffer is full.
    pub(super) fn is_blocked(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The next message from the peer.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsError>>> {
        Pin::new(&mut self.ws).poll_next(cx)
    }

    /// The peer's close frame, if it was received.
    pub(super) fn take_close(&mut self) -> Option<ReceivedClose> {
        self.ws.get_mut().take_close()
    }

    /// Shuts down the sending direction.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.ws.get_mut()).poll_shutdown(cx)
    }

    /// Discards data that the peer sends after the closing handshake. Ready when the peer has shut down its sending
    /// direction or the connection is lost.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(self.ws.get_mut().unchecked()).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
