//! One function a target: it takes any bytes and panics where something that always holds does not.

pub mod decode;
pub mod frames;
pub mod handshake;
pub mod session;

/// A target's name, which is also the name of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const ALL: &[Target] = &[
    ("decode", decode::run),
    ("frames", frames::run),
    ("handshake", handshake::run),
    ("session", session::run),
];
