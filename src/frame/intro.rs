//! [`Intro`].

use super::{FrameError, encode::frame_header};

/// What precedes routing information: `ED`, then 0 and 1 (source: Baileys 7.0.0-rc14, noise-handler).
const ROUTING_PREFIX: [u8; 4] = [b'E', b'D', 0, 1];

/// The bytes a client sends once, before its first frame: the WhatsApp header (`W`, `A`, 6, dictionary version), and
/// before that, where an earlier connection got any, the routing information (`ED`, 0, 1, 3-byte length, the
/// information).
#[derive(Debug)]
pub struct Intro {
    pending: Option<Vec<u8>>,
}

impl Intro {
    /// An intro not yet sent. Empty routing information is written as such; `None` is not written.
    ///
    /// # Errors
    /// [`FrameError::RoutingInfoTooLarge`] where the 3-byte length cannot express it.
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

    /// The bytes that still have to be sent; none once they were.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.pending.as_deref().unwrap_or_default()
    }

    /// Whether [`write_once`](Self::write_once) was called.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        self.pending.is_none()
    }

    /// Appends the intro to `out` the first time, and nothing later.
    pub fn write_once(&mut self, out: &mut Vec<u8>) {
        if let Some(bytes) = self.pending.take() {
            out.extend_from_slice(&bytes);
        }
    }
}
