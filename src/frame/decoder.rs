//! Defines [`FrameDecoder`].

use std::fmt;

use super::{FrameError, HEADER_LEN};

/// Splits the first frame off `bytes`. Returns its payload without the length, and the bytes after it. Returns `None`
/// if the frame is incomplete.
#[must_use]
pub fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[high, middle, low], rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
    rest.split_at_checked(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
}

/// Buffer capacity that a decoder keeps between messages, in bytes (16 KiB). Usual traffic then needs no reallocation,
/// and ten thousand idle connections use at most 160 MiB.
pub const RETAINED_CAPACITY: usize = 16 * 1024;

/// Splits a byte stream into frames.
///
/// Give a chunk to [`feed`](Self::feed), then call [`next`](Self::next) until it returns `None`.
/// [`next_of`](Self::next_of) does both, and does not copy a frame that is complete in the chunk. The frames do not
/// depend on how the stream is cut into chunks. A frame can be empty.
///
/// The decoder allocates no memory for an announced length before the bytes are received. It stores only bytes that
/// were fed and not yet returned. On average, each byte is moved a constant number of times.
///
/// After an error the decoder ignores its input and returns the same error again.
pub struct FrameDecoder {
    buffer: Vec<u8>,
    /// Index in `buffer` of the first byte that was not returned yet.
    cursor: usize,
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
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl FrameDecoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            cursor: 0,
            failed: None,
        }
    }

    /// Adds the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        // Compact only if the consumed part is at least as long as the rest. So on average each byte is moved at most
        // once.
        if self.cursor > 0 && self.cursor >= self.buffered() {
            self.compact();
        }
        if self.buffer.try_reserve(chunk.len()).is_err() {
            self.buffer = Vec::new();
            self.cursor = 0;
            self.failed = Some(FrameError::OutOfMemory);
            return;
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// Returns the next complete frame without its length. Returns `None` if more bytes are needed.
    ///
    /// # Errors
    /// Fails with [`FrameError::OutOfMemory`] if an earlier [`feed`](Self::feed) could not store its bytes.
    #[expect(
        clippy::should_implement_trait,
        reason = "a frame borrows from the decoder, which an Iterator cannot express"
    )]
    pub fn next(&mut self) -> Result<Option<&mut [u8]>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(length) = self.next_length() else {
            self.release();
            return Ok(None);
        };
        let (start, end) = (self.cursor + HEADER_LEN, self.cursor + HEADER_LEN + length);
        if end > self.buffer.len() {
            self.release();
            return Ok(None);
        }
        self.cursor = end;
        Ok(self.buffer.get_mut(start..end))
    }

    /// Returns the next complete frame of the stream that continues with `input`. A frame that is complete in `input`
    /// is not copied; otherwise the result is that of [`feed`](Self::feed) and [`next`](Self::next). Used bytes are
    /// removed from the front of `input`.
    ///
    /// # Errors
    /// Same errors as [`next`](Self::next).
    pub fn next_of<'d, 'i: 'd>(&'d mut self, input: &mut &'i [u8]) -> Result<Option<&'d [u8]>, FrameError> {
        if self.failed.is_none()
            && self.buffered() == 0
            && let Some((frame, rest)) = split_frame(input)
        {
            *input = rest;
            return Ok(Some(frame));
        }
        self.feed(std::mem::take(input));
        self.next().map(|frame| frame.map(|frame| &*frame))
    }

    /// The number of bytes that were fed and not returned yet.
    #[must_use]
    pub const fn buffered(&self) -> usize {
        self.buffer.len() - self.cursor
    }

    /// The allocated memory in bytes. After [`next`](Self::next) has returned `None`, it is at most
    /// [`RETAINED_CAPACITY`], unless more bytes are buffered.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    fn next_length(&self) -> Option<usize> {
        let header = self.buffer.get(self.cursor..)?.first_chunk::<HEADER_LEN>()?;
        let [high, middle, low] = header.map(usize::from);
        Some(high << 16 | middle << 8 | low)
    }

    /// Frees memory if little of it is in use.
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
