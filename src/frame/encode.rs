//! Encoding of frames.

use super::{FrameError, HEADER_LEN, MAX_FRAME_LEN};

/// The 3-byte length of a frame with a payload of `length` bytes.
///
/// # Errors
/// Fails with [`FrameError::TooLarge`] above [`MAX_FRAME_LEN`].
pub fn frame_header(length: usize) -> Result<[u8; HEADER_LEN], FrameError> {
    match u32::try_from(length).map(u32::to_be_bytes) {
        Ok([0, high, middle, low]) => Ok([high, middle, low]),
        _ => Err(FrameError::TooLarge {
            length,
            limit: MAX_FRAME_LEN,
        }),
    }
}

/// Appends `payload` to `out` as a frame.
///
/// # Errors
/// Fails with [`FrameError::TooLarge`] above [`MAX_FRAME_LEN`]. `out` is then unchanged.
pub fn encode_frame(payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    let header = frame_header(payload.len())?;
    out.reserve(HEADER_LEN + payload.len());
    out.extend_from_slice(&header);
    out.extend_from_slice(payload);
    Ok(())
}
