//! The only code that opens a frame, and the only code that seals one.
//!
//! In: [`FrameDecoder::next_of`](crate::frame::FrameDecoder::next_of) finds a frame in the byte stream, [`Opener`] decrypts
//! it, inflates the payload and walks the stanza into a [`NodeSink`](crate::binary::NodeSink).
//! Out: [`seal_frame`] encrypts a payload and frames it.
//!
//! The read-ahead, the session and the noise handler of the drop-in all use these.

mod error;
mod opener;
mod sealer;

pub use error::{OpenError, PayloadError, SealError};
pub use opener::{Opened, Opener, Step};
pub use sealer::seal_frame;

use crate::frame::{self, MAX_FRAME_LEN};
use crate::noise::TAG_LEN;

/// The longest payload, in bytes, that still fits into a frame when it is sealed.
pub const MAX_PAYLOAD: usize = MAX_FRAME_LEN - TAG_LEN;

/// Capacity, in bytes, that each buffer of one connection keeps between messages.
pub const KEEP_PER_CONNECTION: usize = frame::RETAINED_CAPACITY;

/// Capacity, in bytes, that each buffer keeps between messages when all connections of a thread share it.
pub const KEEP_PER_THREAD: usize = 128 * 1024;
