//! Numeric values of Baileys' `DisconnectReason` (source: Baileys 7.0.0-rc14, `Types/index`).

/// The device is logged out.
pub const LOGGED_OUT: u16 = 401;
/// The account is banned.
pub const FORBIDDEN: u16 = 403;
/// The connection was lost, or an operation timed out.
pub const CONNECTION_LOST: u16 = 408;
/// The account does not use multi-device.
pub const MULTIDEVICE_MISMATCH: u16 = 411;
/// The connection was closed.
pub const CONNECTION_CLOSED: u16 = 428;
/// Another connection uses the same credentials.
pub const CONNECTION_REPLACED: u16 = 440;
/// The session cannot continue: its data is wrong.
pub const BAD_SESSION: u16 = 500;
/// The server is not available.
pub const UNAVAILABLE_SERVICE: u16 = 503;
/// The server requests a new connection, for example after pairing.
pub const RESTART_REQUIRED: u16 = 515;

/// Whether Baileys uses this code for the account. The HTTP status of a refused upgrade must not be reported with such
/// a code.
#[must_use]
pub const fn is_of_account(status: u16) -> bool {
    matches!(
        status,
        LOGGED_OUT | MULTIDEVICE_MISMATCH | CONNECTION_REPLACED | BAD_SESSION | RESTART_REQUIRED
    )
}
