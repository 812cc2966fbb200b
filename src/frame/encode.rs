//! Writing frames.

use super::{FrameError, HEADER_LEN, MAX_FRAME_LEN};

/// The 3 bytes before a frame of `length` bytes.
///
/// # Errors
/// [`FrameError::TooLarge`] above [`MAX_FRAME_LEN`].
pub fn frame_header(length: usize) -> Result<[u8; HEADER_LEN], FrameError> {
    match u32::try_from(length).map(u32::to_be_bytes) {
        Ok([0, high, middle, low]) => Ok([high, middle, low]),
        _ => Err(FrameError::TooLarge {
            length,
            limit: MAX_FRAME_LEN,
        }),
    }
}

/// Appends `payload` as a frame to `out`.
///
/// # Errors
/// [`FrameError::TooLarge`] above [`MAX_FRAME_LEN`]; `out` is then as before.
pub fn encode_frame(payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    let header = frame_header(payload.len())?;
    out.reserve(HEADER_LEN + payload.len());
    out.extend_from_slice(&header);
    out.extend_from_slice(payload);
    Ok(())
}

/// A frame that is being written in place: [`begin`](Self::begin) leaves room for its length, the caller appends the
/// payload to the same buffer, [`finish`](Self::finish) fills the length in.
#[derive(Debug)]
#[must_use = "a frame that is not finished has no length"]
pub struct OpenFrame {
    start: usize,
}

impl OpenFrame {
    /// Begins a frame at the end of `out`.
    pub fn begin(out: &mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_LEN]);
        Self { start }
    }

    /// Ends the frame at the end of `out`, which must be the buffer that it began in.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`] above [`MAX_FRAME_LEN`]; the frame is then taken from `out` again.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        let length = out.len().saturating_sub(self.start + HEADER_LEN);
        match frame_header(length) {
            Ok(header) => {
                if let Some(place) = out.get_mut(self.start..self.start + HEADER_LEN) {
                    place.copy_from_slice(&header);
                }
                Ok(())
            }
            Err(error) => {
                self.abandon(out);
                Err(error)
            }
        }
    }

    /// Takes what was written of the frame from `out` again.
    pub fn abandon(self, out: &mut Vec<u8>) {
        out.truncate(self.start);
    }
}
