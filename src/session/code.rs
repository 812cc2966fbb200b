//! Status codes of the end of a connection.

pub use crate::abi::status_code::{
    BAD_SESSION, CONNECTION_CLOSED, CONNECTION_LOST, CONNECTION_REPLACED, FORBIDDEN, LOGGED_OUT, MULTIDEVICE_MISMATCH,
    RESTART_REQUIRED, UNAVAILABLE_SERVICE,
};

/// The codes that Baileys uses for the account. The HTTP status of a refused upgrade must not be reported with such a
/// code.
pub const ACCOUNT_STATUSES: &[u16] = &[
    LOGGED_OUT,
    MULTIDEVICE_MISMATCH,
    CONNECTION_REPLACED,
    BAD_SESSION,
    RESTART_REQUIRED,
];
