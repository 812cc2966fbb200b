//! The codes of Baileys' `DisconnectReason`.

/// The device was logged out, or logs out.
pub const LOGGED_OUT: u16 = 401;
/// The account is banned.
pub const FORBIDDEN: u16 = 403;
/// The connection was lost, or something took too long.
pub const CONNECTION_LOST: u16 = 408;
/// The account's phone does not do multi-device.
pub const MULTIDEVICE_MISMATCH: u16 = 411;
/// The connection was closed.
pub const CONNECTION_CLOSED: u16 = 428;
/// The same credentials have connected elsewhere.
pub const CONNECTION_REPLACED: u16 = 440;
/// Anything the session cannot go on after.
pub const BAD_SESSION: u16 = 500;
/// The server is not available.
pub const UNAVAILABLE_SERVICE: u16 = 503;
/// The server wants a new connection, after pairing for example.
pub const RESTART_REQUIRED: u16 = 515;
