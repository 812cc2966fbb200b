//! Framing with 3-byte lengths, and the preamble.
//!
//! Each message on the wire is a frame: a 3-byte big-endian length and a payload of this length. A client sends a
//! [`Preamble`] before its first frame. Frames are independent of WebSocket messages: a message can contain several
//! frames, and a frame can span several messages.

mod decoder;
mod encode;
mod error;
mod length;
mod preamble;

pub use decoder::{FrameDecoder, RETAINED_CAPACITY, split_frame};
pub use encode::{encode_frame, frame_header};
pub use error::FrameError;
pub use length::{HEADER_LEN, MAX_FRAME_LEN};
pub use preamble::Preamble;
