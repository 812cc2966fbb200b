//! One function per target. It accepts any bytes, and panics if a property is violated.

pub mod certificate;
pub mod decode;
pub mod frames;
pub mod handshake;
pub mod proxy;
pub mod read_ahead;
pub mod response;
pub mod sender;
pub mod session;
pub mod websocket;

/// The name of a target and its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const ALL: &[Target] = &[
    ("certificate", certificate::run),
    ("decode", decode::run),
    ("frames", frames::run),
    ("handshake", handshake::run),
    ("proxy", proxy::run),
    ("read_ahead", read_ahead::run),
    ("response", response::run),
    ("sender", sender::run),
    ("session", session::run),
    ("websocket", websocket::run),
];
