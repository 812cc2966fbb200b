//! Defines [`seal_frame`].

use super::SealError;
use crate::frame::{HEADER_LEN, frame_header};
use crate::noise::{Sender, TAG_LEN};

/// Encrypts and frames `payload`, and appends the frame to `out`.
///
/// # Errors
/// Fails if the payload is too long or the sender is exhausted. `out` is then unchanged, and no counter value is used.
pub fn seal_frame(sender: &mut Sender, payload: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
    // The length is checked first: an encrypted frame uses a counter value, so it must be sent.
    let header = frame_header(payload.len().saturating_add(TAG_LEN))?;
    let start = out.len();
    out.reserve(HEADER_LEN + payload.len() + TAG_LEN);
    out.extend_from_slice(&header);
    sender.seal(payload, out).inspect_err(|_| out.truncate(start))?;
    Ok(())
}
