//! The only code that opens a frame, and the only code that seals one.
//!
//! Inbound: [`FrameDecoder::next_of`](crate::frame::FrameDecoder::next_of) finds a frame in the byte stream. [`Opener`]
//! decrypts it, decompresses the payload and reports the stanza to a [`NodeSink`](crate::binary::NodeSink).
//!
//! Outbound: [`seal_frame`] encrypts a payload and frames it.
//!
//! The read-ahead, the session and the drop-in's noise handler use this module.

mod error;
mod keep_alive;
mod opener;
mod sealer;

pub use error::{OpenError, PayloadError, SealError};
pub use keep_alive::{SERVER, keep_alive_query};
pub use opener::{OpenStep, OpenedFrame, Opener};
pub use sealer::seal_frame;

use crate::frame::{self, MAX_FRAME_LEN};
use crate::noise::TAG_LEN;

/// Maximum length of a payload in bytes: the frame limit without the authentication tag.
pub const MAX_PAYLOAD: usize = MAX_FRAME_LEN - TAG_LEN;

/// Buffer capacity in bytes that each connection keeps between messages, per buffer.
pub const KEEP_PER_CONNECTION: usize = frame::RETAINED_CAPACITY;

/// Buffer capacity in bytes that a thread keeps between messages, per buffer. All connections of the thread share these
/// buffers.
pub const KEEP_PER_THREAD: usize = 128 * 1024;
