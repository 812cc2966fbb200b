//! 3-byte length framing and the intro header.
//!
//! On the wire every message is a frame: its length as 3 bytes, big-endian, then so many bytes. Before its first frame
//! a client sends an [`Intro`]. Frames do not align with WebSocket messages: one message may carry several frames and
//! one frame may span several messages.

mod decoder;
mod encode;
mod error;
mod intro;
mod length;

pub use decoder::{FrameDecoder, RETAINED_CAPACITY, split_frame};
pub use encode::{encode_frame, frame_header};
pub use error::FrameError;
pub use intro::Intro;
pub use length::{HEADER_LEN, MAX_FRAME_LEN};
