//! The failure of a connection that JavaScript cannot prepare.

use napi_derive::napi;

use crate::failure::{FailedLookup, Failure};

/// Why JavaScript cannot provide the options of a connection.
#[napi(object)]
pub struct PlanFailure {
    /// The message of the error.
    pub message: String,
    /// The code of the error.
    pub code: Option<String>,
    /// The name that could not be resolved.
    pub hostname: Option<String>,
    /// The error number of libuv, which is negative.
    pub errno: Option<i32>,
    /// Whether another attempt would fail for the same reason.
    pub is_permanent: bool,
}

impl From<PlanFailure> for Failure {
    fn from(given: PlanFailure) -> Self {
        Self {
            message: given.message,
            code: given.code,
            lookup: given
                .errno
                .zip(given.hostname)
                .map(|(errno, hostname)| FailedLookup { errno, hostname }),
            is_permanent: given.is_permanent,
            ..Self::default()
        }
    }
}
