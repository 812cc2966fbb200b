//! Frames that the I/O thread opens before JavaScript asks for them.
//!
//! A [`ReadAhead`] reads the byte stream of a connection in parallel to the connection's noise handler. For a WebSocket
//! message of complete frames, it makes the same tapes as the handler, and gives the counter of the first frame. A
//! handler with the same counter takes the tapes and continues after them.
//!
//! The handler opens all other messages itself: frames that span messages, messages with a payload that is not a
//! stanza, and messages with too much content. It also does this if it was given other bytes. After a frame that cannot
//! be decrypted it opens everything itself. The read-ahead has its own receiver and never changes the handler's
//! receiver. Therefore it can save work, but cannot change a result.

mod keep_alive_replies;

pub use keep_alive_replies::KeepAliveReplies;

use crate::binary::Dialect;
use crate::frame::{FrameDecoder, split_frame};
use crate::noise::Receiver;
use crate::tape::{TapeWriter, Tapes};
use crate::wire::{KEEP_PER_THREAD, OpenError, Opener};

/// Buffers that are shared by all connections of a thread.
#[derive(Debug, Default)]
pub struct ThreadBuffers {
    opener: Opener,
}

/// Size of the tapes of a message, in bytes, above which no more frames are opened (8 MiB). One message can have
/// hundreds of frames that inflate to 16 MiB each, and back-pressure only works between messages.
const MAX_TAPES: usize = 8 * 1024 * 1024;
/// Length of the decompressed payloads of a message, in bytes, above which no more frames are opened (8 MiB). A payload
/// can have megabytes after its stanza. They need time, but no tape.
const MAX_PAYLOADS: usize = 8 * 1024 * 1024;

/// The tapes of one message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct OpenedMessage {
    /// The counter of the first frame.
    pub counter: u64,
    /// The number of frames, at least one.
    pub frames: u32,
}

/// The read-ahead of one connection.
#[derive(Debug, Default)]
pub struct ReadAhead {
    state: ReadAheadState,
}

#[derive(Debug, Default)]
enum ReadAheadState {
    /// No message was received, and no handler is linked.
    #[default]
    Fresh,
    /// A handler is in its handshake on this connection. Frames are counted, so that their counters are known later.
    Counting { frames: FrameDecoder, seen: u64 },
    /// The handler's keys are known.
    Open(Box<Stream>),
    /// The handler opens all frames.
    Off,
}

#[derive(Debug)]
struct Stream {
    frames: FrameDecoder,
    receiver: Receiver,
    dialect: Dialect,
    /// Recognizes the stanzas that JavaScript must not see.
    hidden: Option<KeepAliveReplies>,
}

impl ReadAhead {
    /// Starts to follow the stream. Returns false if a message was already received.
    pub fn link(&mut self) -> bool {
        if matches!(self.state, ReadAheadState::Fresh) {
            self.state = ReadAheadState::Counting {
                frames: FrameDecoder::new(),
                seen: 0,
            };
        }
        matches!(self.state, ReadAheadState::Counting { .. })
    }

    /// Starts to open frames. `receiver` has counter 0. `handshake` is the number of handshake frames.
    pub fn open(&mut self, receiver: Receiver, handshake: u64, dialect: Dialect) {
        self.state = match std::mem::replace(&mut self.state, ReadAheadState::Off) {
            ReadAheadState::Counting { frames, seen } => match seen.checked_sub(handshake) {
                Some(skipped) => ReadAheadState::Open(Box::new(Stream {
                    frames,
                    receiver: receiver.skip(skipped),
                    dialect,
                    hidden: None,
                })),
                None => ReadAheadState::Off,
            },
            _ => ReadAheadState::Off,
        };
    }

    /// Hides these replies from JavaScript.
    pub fn hide(&mut self, replies: KeepAliveReplies) {
        if let ReadAheadState::Open(stream) = &mut self.state {
            stream.hidden.get_or_insert(replies);
        }
    }

    /// Stops opening frames.
    pub fn close(&mut self) {
        self.state = ReadAheadState::Off;
    }

    /// Handles a received message. If it can be opened, its tapes are appended to `tapes`.
    pub fn message(
        &mut self,
        mut message: &[u8],
        buffers: &mut ThreadBuffers,
        tapes: &mut Tapes,
    ) -> Option<OpenedMessage> {
        match &mut self.state {
            ReadAheadState::Fresh => self.state = ReadAheadState::Off,
            ReadAheadState::Counting { frames, seen } => {
                while let Ok(Some(_)) = frames.next_of(&mut message) {
                    *seen += 1;
                }
            }
            ReadAheadState::Open(stream) => {
                let start = tapes.len();
                let opened = stream.message(message, buffers, tapes);
                buffers.opener.trim(KEEP_PER_THREAD);
                match opened {
                    Some(opened) if opened.frames > 0 => return Some(opened),
                    Some(_) => tapes.truncate(start),
                    None => {
                        tapes.truncate(start);
                        self.state = ReadAheadState::Off;
                    }
                }
            }
            ReadAheadState::Off => {}
        }
        None
    }
}

impl Stream {
    /// Opens the frames of a message of complete frames. For other messages, for too much content and for a payload
    /// that is not a stanza, the frames are only counted, and the result has 0 frames. Returns `None` if a frame cannot
    /// be decrypted.
    fn message(&mut self, mut message: &[u8], buffers: &mut ThreadBuffers, tapes: &mut Tapes) -> Option<OpenedMessage> {
        let counter = self.receiver.counter();
        let start = tapes.size();
        let (mut count, mut payloads) = (0, 0);
        let mut all_stanzas = true;
        if self.frames.buffered() == 0 && has_whole_frames(message) {
            while all_stanzas
                && tapes.size() - start < MAX_TAPES
                && payloads < MAX_PAYLOADS
                && let Some((frame, rest)) = split_frame(message)
            {
                all_stanzas = match self.open_frame(frame, buffers, tapes) {
                    Ok(length) => {
                        payloads += length;
                        true
                    }
                    Err(OpenError::Payload(_)) => false,
                    Err(OpenError::Noise(_)) => return None,
                };
                count += 1;
                message = rest;
            }
        }
        let is_complete = all_stanzas && message.is_empty();
        while self.frames.next_of(&mut message).ok()?.is_some() {
            self.receiver.advance(1);
        }
        Some(OpenedMessage {
            counter,
            frames: if is_complete { count } else { 0 },
        })
    }

    /// Opens a frame. Returns the length of its decompressed payload.
    fn open_frame(&mut self, frame: &[u8], buffers: &mut ThreadBuffers, tapes: &mut Tapes) -> Result<usize, OpenError> {
        let start = tapes.len();
        let mut writer = TapeWriter::new(tapes);
        let opened = buffers
            .opener
            .open(frame, &mut self.receiver, self.dialect, &mut writer, |_| ())?;
        let length = opened.payload.len();
        let tape = writer.finish();
        if let Some(replies) = &self.hidden
            && replies.contains(tape, self.dialect)
        {
            tapes.truncate(start);
            // A tape without operations is a frame that JavaScript skips. It fits into the memory of the dropped tape.
            TapeWriter::new(tapes).finish();
        }
        Ok(length)
    }
}

/// Whether the last frame ends at the end of the message.
fn has_whole_frames(mut message: &[u8]) -> bool {
    while let Some((_, rest)) = split_frame(message) {
        message = rest;
    }
    message.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::encode_frame;
    use crate::noise::Sender;

    #[test]
    fn the_memory_of_a_large_message_is_freed_for_each_kind() {
        let key = [9; 32];
        let text = [&[0, 248, 2, 19, 254, 0, 16, 0, 0][..], &[b'x'; 1 << 20]].concat();
        let no_node = [&[0, 255][..], &[0; 1 << 20]].concat();
        for (payload, opens) in [(text, true), (no_node, false)] {
            let (mut sealed, mut message) = (Vec::new(), Vec::new());
            Sender::new(&key).unwrap().seal(&payload, &mut sealed).unwrap();
            encode_frame(&sealed, &mut message).unwrap();
            let (mut read_ahead, mut buffers) = (ReadAhead::default(), ThreadBuffers::default());
            assert!(read_ahead.link());
            read_ahead.open(Receiver::new(&key).unwrap(), 0, Dialect::V7);
            let opened = read_ahead.message(&message, &mut buffers, &mut Tapes::default());
            assert_eq!(opened.is_some(), opens);
            let held = buffers.opener.capacity();
            assert!(held <= 2 * KEEP_PER_THREAD, "{held}");
        }
    }
}
