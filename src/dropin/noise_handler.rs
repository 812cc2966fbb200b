//! The state of one `makeNoiseHandler`: handshake, transport ciphers and framing.

use std::sync::Arc;

use super::connection_state::ConnectionState;
use crate::binary::Dialect;
use crate::frame::{FrameDecoder, FrameError, Intro, encode_frame};
use crate::noise::{Channel, NoiseError, PROTOCOL_XX};
use crate::read_ahead::KeepAliveReplies;
use crate::shared_sender::{Millis, Policy};
use crate::tape::TapeWriter;
use crate::wire::{OpenError, Opener, SealError, seal_frame};

/// Why the next frame was not opened.
#[derive(Debug, thiserror::Error)]
pub enum FrameOpenError {
    /// The stream is not one of frames.
    #[error(transparent)]
    Stream(#[from] FrameError),
    /// The frame cannot be opened.
    #[error(transparent)]
    Frame(#[from] OpenError),
}

/// The next frame of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// Nothing is left.
    None,
    /// Only the beginning of a frame is left.
    Partial,
    /// A frame of the handshake, as it came.
    Handshake,
    /// A stanza.
    Stanza,
    /// A stanza that JavaScript must not see: the reply to a keep-alive query of the I/O side.
    Hidden,
}

/// One noise handler.
#[derive(Debug)]
pub struct NoiseHandler {
    /// Keys and handshake state.
    pub channel: Channel,
    /// The stream that was received.
    pub frames: FrameDecoder,
    /// The release of Baileys that it serves.
    pub dialect: Dialect,
    intro: Intro,
    /// Handshake frames taken so far.
    handshake_frames: u64,
    /// The state shared with its socket if that is one of ours, and the number of the socket.
    connection: Option<(Arc<ConnectionState>, u32)>,
    /// Whether its frames are sealed by the shared sender, so that the I/O side can seal between them.
    is_shared: bool,
}

impl Drop for NoiseHandler {
    fn drop(&mut self) {
        self.unshare();
    }
}

impl NoiseHandler {
    /// A handler at the start of its handshake.
    ///
    /// # Errors
    /// If the key or the routing info is not valid.
    pub fn new(
        dialect: Dialect,
        header: &[u8],
        public_key: &[u8],
        routing_info: Option<&[u8]>,
    ) -> Result<Self, SealError> {
        Ok(Self {
            channel: Channel::new(PROTOCOL_XX, header, public_key)?,
            frames: FrameDecoder::new(),
            intro: Intro::new(header, routing_info)?,
            dialect,
            handshake_frames: 0,
            connection: None,
            is_shared: false,
        })
    }

    /// The frames of this handler go through socket number `socket`, which has this state. Returns true if the I/O side
    /// can open its frames ahead of JavaScript. `policy` is called once, if so.
    pub fn link<E>(
        &mut self,
        socket: u32,
        state: Option<Arc<ConnectionState>>,
        policy: impl FnOnce() -> Result<Policy, E>,
    ) -> Result<bool, E> {
        let fresh = !self.channel.is_transport() && self.handshake_frames == 0 && self.frames.buffered() == 0;
        if self.connection.is_none()
            && fresh
            && let Some(state) = state
            && state.read_ahead().link()
        {
            state.shared_sender().link(policy()?);
            self.connection = Some((state, socket));
        }
        Ok(self.connection.is_some())
    }

    /// The handshake is done. Returns whether the I/O side opens frames ahead of JavaScript from now on.
    ///
    /// # Errors
    /// If the keys cannot be derived.
    pub fn finish_init(&mut self, now: Millis) -> Result<bool, NoiseError> {
        let first = !self.channel.is_transport();
        self.channel.finish_init()?;
        self.unshare();
        let Some((state, _)) = &self.connection else {
            return Ok(false);
        };
        if first {
            let (_, receiver) = self.channel.derive_transport()?;
            state.read_ahead().open(receiver, self.handshake_frames, self.dialect);
            let channel = &mut self.channel;
            self.is_shared = state.shared_sender().open(|| channel.take_sender(), self.dialect, now);
        } else {
            state.read_ahead().close();
        }
        Ok(first)
    }

    /// The number of the socket whose connection the I/O side can keep alive.
    #[must_use]
    pub fn shared_socket(&self) -> Option<u32> {
        self.connection
            .as_ref()
            .filter(|_| self.is_shared)
            .map(|(_, socket)| *socket)
    }

    /// From now on the handler seals by itself, or no longer at all.
    fn unshare(&mut self) {
        if std::mem::take(&mut self.is_shared)
            && let Some((state, _)) = &self.connection
        {
            state.shared_sender().close();
        }
    }

    /// Appends `data` encrypted to `output`. For data that is not the payload of a frame.
    ///
    /// # Errors
    /// If it cannot be encrypted.
    pub fn encrypt(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), NoiseError> {
        let shared = self.connection.as_ref().filter(|_| self.is_shared);
        shared
            .and_then(|(state, _)| state.shared_sender().seal_loose(data, output))
            .unwrap_or_else(|| self.channel.encrypt(data, output))
    }

    /// Appends `data` as a frame to `output`: sealed after the handshake, and behind the intro the first time.
    ///
    /// # Errors
    /// If `data` is too long or cannot be encrypted.
    pub fn frame(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SealError> {
        let Self {
            channel,
            intro,
            connection,
            ..
        } = self;
        let shared = connection.as_ref().filter(|_| self.is_shared);
        intro.write_before(output, |output| {
            if !channel.is_transport() {
                return Ok(encode_frame(data, output)?);
            }
            let sealed = shared.and_then(|(state, _)| state.shared_sender().seal_frame(data, output));
            match sealed {
                Some(sealed) => sealed,
                None => seal_frame(channel.sender_mut().ok_or(NoiseError::SenderTaken)?, data, output),
            }
        })
    }

    /// Takes the next frame of the stream. A stanza replaces that in `tape`; a frame of the handshake replaces the content of
    /// `raw`.
    ///
    /// # Errors
    /// If the stream is not valid or the frame cannot be opened.
    pub fn open(
        &mut self,
        opener: &mut Opener,
        tape: &mut TapeWriter,
        raw: &mut Vec<u8>,
    ) -> Result<Frame, FrameOpenError> {
        let Some(frame) = self.frames.next()? else {
            let is_partial = self.frames.buffered() > 0;
            return Ok(if is_partial { Frame::Partial } else { Frame::None });
        };
        let Some(receiver) = self.channel.receiver_mut() else {
            self.handshake_frames += 1;
            raw.clear();
            raw.extend_from_slice(frame);
            tape.clear();
            return Ok(Frame::Handshake);
        };
        opener.open(frame, receiver, self.dialect, tape, |_| ()).map(drop)?;
        let is_hidden = self
            .keep_alive_replies()
            .is_some_and(|replies| replies.contains(tape, self.dialect));
        Ok(if is_hidden { Frame::Hidden } else { Frame::Stanza })
    }

    /// Recognises the replies to keep-alive queries of the I/O side, if it has sent any.
    fn keep_alive_replies(&self) -> Option<KeepAliveReplies> {
        let (state, _) = self.connection.as_ref().filter(|_| self.is_shared)?;
        let shared_sender = state.shared_sender();
        let id_prefix = shared_sender.id_prefix().filter(|_| shared_sender.own_queries() > 0)?;
        Some(KeepAliveReplies::new(id_prefix.to_owned()))
    }
}
