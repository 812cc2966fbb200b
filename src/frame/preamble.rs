//! Defines [`Preamble`].

use super::{FrameError, encode::frame_header};

/// The bytes before the length of routing information: `E`, `D`, 0, 1 (source: Baileys 7.0.0-rc14, `noise-handler`).
const ROUTING_PREFIX: [u8; 4] = [b'E', b'D', 0, 1];

/// The bytes that a client sends once before its first frame. They are the WhatsApp header: `W`, `A`, 6, dictionary
/// version. If an earlier connection received routing information, it comes before the header: `E`, `D`, 0, 1, a 3-byte
/// length, the information.
#[derive(Debug)]
pub struct Preamble {
    pending: Option<Vec<u8>>,
}

impl Preamble {
    /// A preamble that was not sent yet. `None` omits the routing information. Empty routing information is written
    /// with length 0.
    ///
    /// # Errors
    /// Fails with [`FrameError::RoutingInfoTooLarge`] if the length does not fit in 3 bytes.
    pub fn new(header: &[u8], routing_info: Option<&[u8]>) -> Result<Self, FrameError> {
        let mut bytes = Vec::new();
        if let Some(info) = routing_info {
            let length =
                frame_header(info.len()).map_err(|_| FrameError::RoutingInfoTooLarge { length: info.len() })?;
            bytes.extend_from_slice(&ROUTING_PREFIX);
            bytes.extend_from_slice(&length);
            bytes.extend_from_slice(info);
        }
        bytes.extend_from_slice(header);
        Ok(Self { pending: Some(bytes) })
    }

    /// The bytes of the preamble. Empty after the preamble was sent.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.pending.as_deref().unwrap_or_default()
    }

    /// Whether the preamble was sent.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        self.pending.is_none()
    }

    /// Appends the preamble, if it was not sent yet, and then the output of `write` to `out`.
    ///
    /// # Errors
    /// Returns the error of `write`. `out` is then unchanged, and the preamble counts as not sent.
    pub fn write_before<E>(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = out.len();
        out.extend_from_slice(self.pending());
        write(out).inspect_err(|_| out.truncate(start))?;
        self.pending = None;
        Ok(())
    }
}
