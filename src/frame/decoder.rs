//! [`FrameDecoder`].

use std::fmt;

use super::{FrameError, HEADER_LEN, MAX_FRAME_LEN};

/// The frame at the front of `bytes`, and what follows it; `None` where it is not whole.
#[must_use]
pub fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[high, middle, low], rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
    rest.split_at_checked(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
}

/// The most bytes of buffer that a decoder keeps while it holds less than that, 16 KiB: enough that usual traffic
/// never reallocates, little enough that ten thousand idle connections after a large frame each do not matter.
pub const RETAINED_CAPACITY: usize = 16 * 1024;

/// Splits a byte stream into frames: any chunks in, whole frames out.
///
/// [`feed`](Self::feed) a chunk, then call [`next`](Self::next) until it gives `None`. The frames are the same for
/// every way of cutting the stream into chunks. A frame of length zero is a frame.
///
/// A length is a claim: nothing is allocated for it before its bytes are there. What is held is at most what was fed
/// and not yet taken, so a caller that drains after each chunk holds less than one frame and one chunk; no byte is
/// moved more than a constant number of times on average.
///
/// An error ends the decoder: it forgets what it holds, ignores what it is fed, and gives the error again.
pub struct FrameDecoder {
    buffer: Vec<u8>,
    /// Where the first byte not yet taken lies in `buffer`.
    cursor: usize,
    limit: usize,
    failed: Option<FrameError>,
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FrameDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameDecoder")
            .field("buffered", &self.buffered())
            .field("limit", &self.limit)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl FrameDecoder {
    /// A decoder that accepts every frame that can be expressed, so up to [`MAX_FRAME_LEN`] bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            cursor: 0,
            limit: MAX_FRAME_LEN,
            failed: None,
        }
    }

    /// A decoder that refuses frames of more than `limit` bytes; above [`MAX_FRAME_LEN`] the limit has no effect.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit: limit.min(MAX_FRAME_LEN),
            ..Self::new()
        }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        // Moving the rest is paid for by at least as many bytes taken, so each byte moves at most once on average.
        if self.cursor > 0 && self.cursor >= self.buffered() {
            self.compact();
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole frame, without its length, in place; `None` until more is fed.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`] as soon as the length of a frame above the limit is there, and ever after.
    #[expect(
        clippy::should_implement_trait,
        reason = "a frame borrows from the decoder, which no Iterator can give"
    )]
    pub fn next(&mut self) -> Result<Option<&mut [u8]>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(length) = self.next_length() else {
            self.release();
            return Ok(None);
        };
        if length > self.limit {
            let error = FrameError::TooLarge {
                length,
                limit: self.limit,
            };
            self.buffer = Vec::new();
            self.cursor = 0;
            self.failed = Some(error);
            return Err(error);
        }
        let (start, end) = (self.cursor + HEADER_LEN, self.cursor + HEADER_LEN + length);
        if end > self.buffer.len() {
            self.release();
            return Ok(None);
        }
        self.cursor = end;
        Ok(self.buffer.get_mut(start..end))
    }

    /// The next whole frame of the stream that goes on with `input`: in place where `input` holds all of it, otherwise as
    /// [`feed`](Self::feed) and [`next`](Self::next) give it. What is taken is removed from the front of `input`.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn next_of<'d, 'i: 'd>(&'d mut self, input: &mut &'i [u8]) -> Result<Option<&'d [u8]>, FrameError> {
        if self.failed.is_none()
            && self.buffered() == 0
            && let Some((frame, rest)) = split_frame(input)
            && frame.len() <= self.limit
        {
            *input = rest;
            return Ok(Some(frame));
        }
        self.feed(std::mem::take(input));
        self.next().map(|frame| frame.map(|frame| &*frame))
    }

    /// The number of bytes fed and not yet taken.
    #[must_use]
    pub const fn buffered(&self) -> usize {
        self.buffer.len() - self.cursor
    }

    /// The bytes of memory held; at most [`RETAINED_CAPACITY`] once [`next`](Self::next) gave `None` and less than
    /// that is buffered.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    fn next_length(&self) -> Option<usize> {
        let header = self.buffer.get(self.cursor..)?.first_chunk::<HEADER_LEN>()?;
        let [high, middle, low] = header.map(usize::from);
        Some(high << 16 | middle << 8 | low)
    }

    /// Gives memory back where little of it is in use.
    fn release(&mut self) {
        if self.cursor == self.buffer.len() {
            self.buffer.clear();
            self.cursor = 0;
        }
        if self.buffer.capacity() > RETAINED_CAPACITY && self.buffered() <= RETAINED_CAPACITY {
            self.compact();
            self.buffer.shrink_to(RETAINED_CAPACITY);
        }
    }

    fn compact(&mut self) {
        self.buffer.drain(..self.cursor);
        self.cursor = 0;
    }
}
