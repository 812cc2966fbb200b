//! The metrics of the process for JavaScript.

use std::sync::{Arc, LazyLock};

use napi_derive::napi;

use super::session_json::to_json;
use crate::dropin::ProcessMetrics;

/// The metrics of this process. All environments use them.
pub(super) static METRICS: LazyLock<Arc<ProcessMetrics>> = LazyLock::new(Arc::default);

/// The metrics of the process as JSON.
#[napi(catch_unwind)]
pub(super) fn process_metrics() -> napi::Result<String> {
    to_json(&METRICS.snapshot())
}
