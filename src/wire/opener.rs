//! Defines [`Opener`].

use super::OpenError;
use crate::binary::{self, Dialect, NodeSink};
use crate::noise::Receiver;

use super::PayloadError;

/// A finished step of [`Opener::open`], for a caller that measures time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenStep {
    /// The frame is decrypted.
    Decrypted,
    /// The payload is decompressed.
    Inflated,
    /// The stanza is walked.
    Walked,
}

/// Decrypts frames, decompresses their payloads and decodes the stanzas. It owns only buffers, so one opener can serve
/// many connections.
#[derive(Debug, Default)]
pub struct Opener {
    plain: Vec<u8>,
    inflated: Vec<u8>,
}

/// An opened frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedFrame<'a> {
    /// The decompressed payload without its flag byte. It can be longer than the stanza.
    pub payload: &'a [u8],
    /// Length of the stanza in `payload`, in bytes.
    pub stanza_len: usize,
}

impl Opener {
    /// Opens a connection's next frame and reports its stanza to `sink`. `progress` is called after each step.
    ///
    /// # Errors
    /// Fails if the frame cannot be decrypted or its payload is not a stanza. The data in `sink` is then incomplete.
    pub fn open(
        &mut self,
        frame: &[u8],
        receiver: &mut Receiver,
        dialect: Dialect,
        sink: &mut impl NodeSink,
        mut progress: impl FnMut(OpenStep),
    ) -> Result<OpenedFrame<'_>, OpenError> {
        self.plain.clear();
        receiver.open(frame, &mut self.plain)?;
        progress(OpenStep::Decrypted);
        let payload = binary::unpack(&self.plain, &mut self.inflated).map_err(PayloadError::from)?;
        progress(OpenStep::Inflated);
        let stanza_len = binary::decode(payload, dialect, sink).map_err(PayloadError::from)?;
        progress(OpenStep::Walked);
        Ok(OpenedFrame { payload, stanza_len })
    }

    /// Frees capacity above `keep` bytes in each buffer.
    pub fn trim(&mut self, keep: usize) {
        for buffer in [&mut self.plain, &mut self.inflated] {
            buffer.clear();
            buffer.shrink_to(keep);
        }
    }

    /// The allocated memory in bytes.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.plain.capacity() + self.inflated.capacity()
    }
}
