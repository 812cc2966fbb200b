//! Checks received frames against RFC 6455 before tungstenite parses them.
//!
//! tungstenite finds the same violations, but later (at the end of a frame instead of its header), and distinguishes
//! fewer of them. Baileys' users see the messages and codes of `ws`, which name the violated rule. Therefore the rules
//! are checked here. Bytes before a violation are passed on. The violation is then reported as an [`io::Error`] with a
//! [`Stop`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::memory;

/// Maximum length of a message in bytes, with all its fragments. It is the default of `ws`.
pub const MAX_MESSAGE: u64 = 100 * 1024 * 1024;
/// Maximum number of fragments of a message. It is the default of `ws`.
const MAX_FRAGMENTS: u32 = 16 * 1024;
/// Maximum payload length of a control frame in bytes (RFC 6455, section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;
/// JavaScript's `Number.MAX_SAFE_INTEGER`. It is the maximum payload length in `ws`.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

const OPCODE_CONTINUATION: u8 = 0;
const OPCODE_TEXT: u8 = 1;
const OPCODE_BINARY: u8 = 2;
const OPCODE_CLOSE: u8 = 8;
const OPCODE_PING: u8 = 9;
const OPCODE_PONG: u8 = 10;

/// A violation of RFC 6455 or of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The second or third reserved bit is set.
    #[error("RSV2 and RSV3 must be clear")]
    ReservedBits23,
    /// The first reserved bit is set, but no compression was negotiated.
    #[error("RSV1 must be clear")]
    ReservedBit1,
    /// The opcode is unknown, or it is a data frame instead of a continuation, or a continuation without a first frame.
    #[error("invalid opcode {0}")]
    Opcode(u8),
    /// A control frame is fragmented.
    #[error("FIN must be set")]
    FragmentedControl,
    /// A control frame is too long, or a close frame has a payload of one byte. The field is the 7-bit length.
    #[error("invalid payload length {0}")]
    ControlLength(u8),
    /// The frame is masked. Servers must not mask.
    #[error("MASK must be clear")]
    Masked,
    /// The length is larger than JavaScript can represent.
    #[error("Unsupported WebSocket frame: payload length > 2^53 - 1")]
    LengthOverflow,
    /// The message is longer than [`MAX_MESSAGE`].
    #[error("Max payload size exceeded")]
    MessageTooLong,
    /// The message has too many fragments.
    #[error("Too many message fragments")]
    TooManyFragments,
    /// The status code of a close frame is not allowed.
    #[error("invalid status code {0}")]
    CloseCode(u16),
    /// A text message or a close reason is not UTF-8.
    #[error("invalid UTF-8 sequence")]
    Utf8,
}

impl Violation {
    /// The status code for our close frame (RFC 6455, section 7.4.1).
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Self::LengthOverflow | Self::MessageTooLong => 1009,
            Self::TooManyFragments => 1008,
            Self::Utf8 => 1007,
            _ => 1002,
        }
    }
}

/// Why no more bytes are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    /// The peer's close frame was received. It is not passed on, because tungstenite would answer it at once. The owner
    /// does not know of it yet and may still send messages before it answers with its own
    /// close frame.
    #[error("the peer has closed")]
    Closed,
    /// A rule was violated.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// tungstenite would not get the memory for the next frame.
    #[error("out of memory")]
    OutOfMemory,
}

/// The peer's close frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReceivedClose {
    /// The status code. 1005 if the frame had none.
    pub(super) code: u16,
    /// The reason in UTF-8.
    pub(super) reason: Vec<u8>,
}

/// The position of the next byte in a frame.
#[derive(Debug)]
enum ParserState {
    /// In the header. `have` bytes are known.
    Header { have: usize },
    /// In the payload of a data frame, a ping or a pong.
    Payload { remaining: u64 },
    /// In the payload of a close frame. The payload is stored.
    Close { remaining: usize },
}

/// The state of the check. It accepts the stream in chunks of any size.
#[derive(Debug)]
struct Checker {
    state: ParserState,
    header: [u8; 10],
    /// Opcode of the message that is being received in fragments.
    fragmented: Option<u8>,
    message_length: u64,
    /// Capacity of the buffer in which tungstenite joins the fragments.
    joined: u64,
    fragments: u32,
    /// Length of the longest payload since the last [`CheckedStream::forget_size`].
    longest: u64,
    close_payload: Vec<u8>,
    close: Option<ReceivedClose>,
}

impl Checker {
    fn new() -> Self {
        Self {
            state: ParserState::Header { have: 0 },
            header: [0; 10],
            fragmented: None,
            message_length: 0,
            joined: 0,
            fragments: 0,
            longest: 0,
            close_payload: Vec::new(),
            close: None,
        }
    }

    /// Checks `bytes`. Returns the number of bytes to pass on, and the reason why no more may follow, if any.
    fn check(&mut self, bytes: &[u8]) -> (usize, Option<Stop>) {
        let mut rest = bytes;
        loop {
            let passed = bytes.len() - rest.len();
            match &mut self.state {
                ParserState::Header { have } => {
                    let Some((&byte, after)) = rest.split_first() else {
                        return (passed, None);
                    };
                    if let Some(slot) = self.header.get_mut(*have) {
                        *slot = byte;
                    }
                    *have += 1;
                    rest = after;
                    if let Err(stop) = self.header_byte() {
                        return (passed, Some(stop));
                    }
                }
                ParserState::Payload { remaining } => {
                    let length = usize::try_from(*remaining).map_or(rest.len(), |wanted| wanted.min(rest.len()));
                    *remaining -= length as u64;
                    if *remaining == 0 {
                        self.state = ParserState::Header { have: 0 };
                    }
                    rest = rest.split_at(length).1;
                    if rest.is_empty() {
                        return (bytes.len(), None);
                    }
                }
                ParserState::Close { remaining } => {
                    let (part, _) = rest.split_at((*remaining).min(rest.len()));
                    *remaining -= part.len();
                    self.close_payload.extend_from_slice(part);
                    if *remaining > 0 {
                        return (bytes.len(), None);
                    }
                    return (passed, Some(self.end_close()));
                }
            }
        }
    }

    /// Handles the next header byte.
    fn header_byte(&mut self) -> Result<(), Stop> {
        let ParserState::Header { have } = self.state else {
            return Ok(());
        };
        let [first, second, ..] = self.header;
        let length = second & 0x7f;
        let needed = match length {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        if have == 2 {
            self.check_head(first, second)?;
        }
        if have < needed {
            return Ok(());
        }
        let [_, _, a, b, c, d, e, f, g, h] = self.header;
        let length = match length {
            126 => u64::from(u16::from_be_bytes([a, b])),
            127 => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            short => u64::from(short),
        };
        self.begin_payload(first & 0x0f, first & 0x80 != 0, length)
    }

    /// Checks the first two bytes of a frame.
    fn check_head(&self, first: u8, second: u8) -> Result<(), Violation> {
        if first & 0x30 != 0 {
            return Err(Violation::ReservedBits23);
        }
        if first & 0x40 != 0 {
            return Err(Violation::ReservedBit1);
        }
        let (opcode, is_final, length) = (first & 0x0f, first & 0x80 != 0, second & 0x7f);
        match opcode {
            OPCODE_CONTINUATION if self.fragmented.is_none() => return Err(Violation::Opcode(opcode)),
            OPCODE_CONTINUATION => {}
            OPCODE_TEXT | OPCODE_BINARY if self.fragmented.is_some() => return Err(Violation::Opcode(opcode)),
            OPCODE_TEXT | OPCODE_BINARY => {}
            OPCODE_CLOSE | OPCODE_PING | OPCODE_PONG => {
                if !is_final {
                    return Err(Violation::FragmentedControl);
                }
                if usize::from(length) > MAX_CONTROL_PAYLOAD || (opcode == OPCODE_CLOSE && length == 1) {
                    return Err(Violation::ControlLength(length));
                }
            }
            _ => return Err(Violation::Opcode(opcode)),
        }
        if second & 0x80 != 0 {
            return Err(Violation::Masked);
        }
        Ok(())
    }

    /// Handles a complete header.
    fn begin_payload(&mut self, opcode: u8, is_final: bool, length: u64) -> Result<(), Stop> {
        if length > MAX_SAFE_INTEGER {
            return Err(Violation::LengthOverflow.into());
        }
        if opcode == OPCODE_CLOSE {
            self.state = ParserState::Close {
                remaining: usize::try_from(length).unwrap_or(0),
            };
            return if length == 0 { Err(self.end_close()) } else { Ok(()) };
        }
        if opcode < OPCODE_CLOSE {
            self.message_length = self.message_length.saturating_add(length);
            self.fragments += 1;
            if self.message_length > MAX_MESSAGE {
                return Err(Violation::MessageTooLong.into());
            }
            if self.fragments > MAX_FRAGMENTS {
                return Err(Violation::TooManyFragments.into());
            }
            if !self.has_memory(is_final, length) {
                return Err(Stop::OutOfMemory);
            }
            if is_final {
                self.fragmented = None;
                self.message_length = 0;
                self.joined = 0;
                self.fragments = 0;
            } else if self.fragmented.is_none() {
                self.fragmented = Some(opcode);
            }
        }
        self.longest = self.longest.max(length);
        self.state = if length == 0 {
            ParserState::Header { have: 0 }
        } else {
            ParserState::Payload { remaining: length }
        };
        Ok(())
    }

    /// Whether tungstenite will get the memory for a data frame: one buffer for the frame, and a larger one for all
    /// fragments if they do not fit into the present one. This buffer grows as a `Vec`.
    ///
    /// If the buffer of an earlier long frame is too small, tungstenite allocates twice its capacity, or the frame and
    /// what was read before it. The capacity is at most twice the longest payload, and less than this frame.
    fn has_memory(&mut self, is_final: bool, length: u64) -> bool {
        let mut needed = length + length.min(2 * self.longest);
        let is_fragment = !is_final || self.fragmented.is_some();
        if is_fragment && self.message_length > self.joined {
            self.joined = self.message_length.max(2 * self.joined);
            needed += self.joined;
        }
        usize::try_from(needed).is_ok_and(memory::is_available)
    }

    /// Handles a complete close frame.
    fn end_close(&mut self) -> Stop {
        let payload = std::mem::take(&mut self.close_payload);
        let (code, reason) = match payload.split_first_chunk::<2>() {
            None => (1005, &[][..]),
            Some((code, reason)) => {
                let code = u16::from_be_bytes(*code);
                if !is_valid_close_code(code) {
                    return Violation::CloseCode(code).into();
                }
                if std::str::from_utf8(reason).is_err() {
                    return Violation::Utf8.into();
                }
                (code, reason)
            }
        };
        self.close = Some(ReceivedClose {
            code,
            reason: reason.to_vec(),
        });
        Stop::Closed
    }
}

/// Whether a close frame may have this code (RFC 6455, section 7.4, and the IANA registry of close codes).
fn is_valid_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// A stream that checks its received bytes.
#[derive(Debug)]
pub(super) struct CheckedStream<S> {
    stream: S,
    /// Bytes that were read together with the response head.
    leftover: Bytes,
    checker: Checker,
    stop: Option<Stop>,
}

impl<S> CheckedStream<S> {
    pub(super) fn new(stream: S, leftover: Bytes) -> Self {
        Self {
            stream,
            leftover,
            checker: Checker::new(),
            stop: None,
        }
    }

    /// The peer's close frame, if it was received.
    pub(super) fn take_close(&mut self) -> Option<ReceivedClose> {
        self.checker.close.take()
    }

    /// Whether a frame with a payload of more than `size` bytes was received, and no message is incomplete.
    pub(super) fn has_passed(&self, size: usize) -> bool {
        let between =
            matches!(self.checker.state, ParserState::Header { have: 0 }) && self.checker.fragmented.is_none();
        between && self.checker.longest > size as u64
    }

    /// Resets the length of the longest payload.
    pub(super) fn forget_size(&mut self) {
        self.checker.longest = 0;
    }

    /// The stream beneath.
    pub(super) const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream without checks, for the data after the closing handshake.
    pub(super) fn unchecked(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CheckedStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        loop {
            if let Some(stop) = this.stop {
                return Poll::Ready(Err(io::Error::other(stop)));
            }
            if this.leftover.has_remaining() {
                let length = this.leftover.len().min(buf.remaining());
                buf.put_slice(&this.leftover.split_to(length));
            } else {
                ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            }
            let fresh = buf.filled().split_at(before).1;
            if fresh.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let (passed, stop) = this.checker.check(fresh);
            this.stop = stop;
            buf.set_filled(before + passed);
            if passed > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CheckedStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
