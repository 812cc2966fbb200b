//! The state of a `makeNoiseHandler` object: handshake, transport ciphers and framing.

use std::sync::Arc;

use super::connection_state::ConnectionState;
use crate::binary::Dialect;
use crate::frame::{FrameDecoder, FrameError, Preamble, encode_frame};
use crate::noise::{Channel, NoiseError, PROTOCOL_XX};
use crate::read_ahead::{KeepAliveReplies, ReadAhead};
use crate::shared_sender::{KeepAliveConfig, MonotonicMillis};
use crate::tape::{TapeWriter, Tapes};
use crate::wire::{OpenError, Opener, SealError, seal_frame};

/// Why the next frame was not opened.
#[derive(Debug, thiserror::Error)]
pub enum FrameOpenError {
    /// The stream violates the framing.
    #[error(transparent)]
    Stream(#[from] FrameError),
    /// The frame cannot be opened.
    #[error(transparent)]
    Frame(#[from] OpenError),
}

/// The next frame of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// There are no more bytes.
    None,
    /// Only the beginning of a frame was received.
    Partial,
    /// A frame of the handshake, unchanged.
    Handshake,
    /// A stanza.
    Stanza,
    /// A stanza that JavaScript must not see: a reply to a keep-alive query of the I/O thread.
    Hidden,
}

/// One noise handler.
#[derive(Debug)]
pub struct NoiseHandler {
    /// The keys and the handshake state.
    pub channel: Channel,
    /// The received stream.
    pub frames: FrameDecoder,
    /// The Baileys release of the handler.
    pub dialect: Dialect,
    preamble: Preamble,
    /// Number of handshake frames that were taken.
    handshake_frames: u64,
    /// The shared state and the number of the socket. `None` if the socket is not a native one.
    connection: Option<(Arc<ConnectionState>, u32)>,
    /// Whether the shared sender seals the frames. The I/O thread can then seal keep-alive queries between them.
    is_shared: bool,
}

impl Drop for NoiseHandler {
    fn drop(&mut self) {
        self.unshare();
    }
}

impl NoiseHandler {
    /// Creates a handler at the start of its handshake.
    ///
    /// # Errors
    /// Fails if the key or the routing info is not valid.
    pub fn new(
        dialect: Dialect,
        header: &[u8],
        public_key: &[u8],
        routing_info: Option<&[u8]>,
    ) -> Result<Self, SealError> {
        Ok(Self {
            channel: Channel::new(PROTOCOL_XX, header, public_key)?,
            frames: FrameDecoder::new(),
            preamble: Preamble::new(header, routing_info)?,
            dialect,
            handshake_frames: 0,
            connection: None,
            is_shared: false,
        })
    }

    /// Connects the handler with socket number `socket` and its state. Returns true if the I/O thread can open frames
    /// before JavaScript asks for them. `config` is called once in this case.
    pub fn link<E>(
        &mut self,
        socket: u32,
        state: Option<Arc<ConnectionState>>,
        config: impl FnOnce() -> Result<KeepAliveConfig, E>,
    ) -> Result<bool, E> {
        let fresh = !self.channel.is_transport() && self.handshake_frames == 0 && self.frames.buffered() == 0;
        if self.connection.is_none()
            && fresh
            && let Some(state) = state
            && state.read_ahead.link()
        {
            state.shared_sender().link(config()?);
            self.connection = Some((state, socket));
        }
        Ok(self.connection.is_some())
    }

    /// Ends the handshake. Returns true if the I/O thread now opens frames before JavaScript asks for them.
    ///
    /// # Errors
    /// Fails if the keys cannot be derived.
    pub fn finish_init(&mut self, now: MonotonicMillis) -> Result<bool, NoiseError> {
        let first = !self.channel.is_transport();
        self.channel.finish_init()?;
        self.unshare();
        let Some((state, _)) = &self.connection else {
            return Ok(false);
        };
        if first {
            let (_, receiver) = self.channel.derive_transport()?;
            let (handshake_frames, dialect) = (self.handshake_frames, self.dialect);
            state
                .read_ahead
                .add_request(move |read_ahead| read_ahead.open(receiver, handshake_frames, dialect));
            let channel = &mut self.channel;
            self.is_shared = state.shared_sender().open(|| channel.take_sender(), self.dialect, now);
        } else {
            state.read_ahead.add_request(ReadAhead::close);
        }
        Ok(first)
    }

    /// The number of the socket, if the I/O thread can keep its connection alive.
    #[must_use]
    pub fn shared_socket(&self) -> Option<u32> {
        self.connection
            .as_ref()
            .filter(|_| self.is_shared)
            .map(|(_, socket)| *socket)
    }

    /// Stops using the shared sender.
    fn unshare(&mut self) {
        if std::mem::take(&mut self.is_shared)
            && let Some((state, _)) = &self.connection
        {
            state.shared_sender().close();
        }
    }

    /// Encrypts `data` and appends it to `output`. For data that is not the payload of a frame.
    ///
    /// # Errors
    /// Fails if the data cannot be encrypted.
    pub fn encrypt(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), NoiseError> {
        let shared = self.connection.as_ref().filter(|_| self.is_shared);
        shared
            .and_then(|(state, _)| state.shared_sender().encrypt_unframed(data, output))
            .unwrap_or_else(|| self.channel.encrypt(data, output))
    }

    /// Appends `data` to `output` as a frame. After the handshake, the frame is sealed. The first frame follows the
    /// preamble.
    ///
    /// # Errors
    /// Fails if `data` is too long or cannot be encrypted.
    pub fn frame(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SealError> {
        let Self {
            channel,
            preamble,
            connection,
            ..
        } = self;
        let shared = connection.as_ref().filter(|_| self.is_shared);
        preamble.write_before(output, |output| {
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

    /// Takes the next frame of the stream. The tape of a stanza replaces the content of `tapes`. A handshake frame
    /// replaces the content of `raw`.
    ///
    /// # Errors
    /// Fails if the stream is not valid or the frame cannot be opened.
    pub fn open(&mut self, opener: &mut Opener, tapes: &mut Tapes, raw: &mut Vec<u8>) -> Result<Frame, FrameOpenError> {
        tapes.clear();
        let Some(frame) = self.frames.next()? else {
            let is_partial = self.frames.buffered() > 0;
            return Ok(if is_partial { Frame::Partial } else { Frame::None });
        };
        let Some(receiver) = self.channel.receiver_mut() else {
            self.handshake_frames += 1;
            raw.clear();
            raw.try_reserve(frame.len()).map_err(|_| FrameError::OutOfMemory)?;
            raw.extend_from_slice(frame);
            return Ok(Frame::Handshake);
        };
        let mut writer = TapeWriter::new(tapes);
        if let Err(error) = opener.open(frame, receiver, self.dialect, &mut writer, |_| ()) {
            tapes.clear();
            if matches!(error, OpenError::Payload(_))
                && let Some((state, _)) = &self.connection
            {
                state.flow.counters().malformed.add(1);
            }
            return Err(error.into());
        }
        let tape = writer.finish();
        let is_hidden = self
            .keep_alive_replies()
            .is_some_and(|replies| replies.contains(tape, self.dialect));
        Ok(if is_hidden { Frame::Hidden } else { Frame::Stanza })
    }

    /// Recognizes the replies to keep-alive queries of the I/O thread. `None` if it has sent none.
    fn keep_alive_replies(&self) -> Option<KeepAliveReplies> {
        let (state, _) = self.connection.as_ref().filter(|_| self.is_shared)?;
        let shared_sender = state.shared_sender();
        let id_prefix = shared_sender
            .id_prefix()
            .filter(|_| shared_sender.sealed_queries() > 0)?;
        Some(KeepAliveReplies::new(id_prefix.to_owned()))
    }
}
