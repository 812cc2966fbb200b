//! The native part of `Lease`: leases that the threads of a process share.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use napi_derive::napi;

use crate::driver;

/// The leases of the process. A lease lives as long as a thread has an object for it, or a session uses it.
static LEASES: driver::Leases = driver::Leases::new();

/// A lease, for `js/session/lease.cjs`.
#[napi(js_name = "Lease")]
pub struct JsLease {
    id: u32,
    lease: Arc<driver::Lease>,
}

#[napi]
impl JsLease {
    /// A lease until a time in milliseconds since 1970.
    #[napi(constructor, catch_unwind)]
    pub fn new(until: f64) -> Self {
        let lease = Arc::new(driver::Lease::until(time_of_day(until)));
        let id = LEASES.add(&lease);
        Self { id, lease }
    }

    /// The lease with this id, which another thread may have created. `None` if there is none.
    #[napi(catch_unwind)]
    pub fn with_id(id: u32) -> Option<JsLease> {
        let lease = LEASES.with_id(id)?;
        Some(JsLease { id, lease })
    }

    /// Identifies the lease in the process.
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The end in milliseconds since 1970. 0 if the lease has ended.
    #[napi(getter, catch_unwind)]
    pub fn until(&self) -> f64 {
        let end = self.lease.end().and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        end.unwrap_or_default().as_millis() as f64
    }

    /// Moves the end to a later time. Returns false if the lease has ended.
    #[napi(catch_unwind)]
    pub fn renew(&self, until: f64) -> bool {
        self.lease.renew(time_of_day(until))
    }
}

impl JsLease {
    pub(super) fn shared(&self) -> Arc<driver::Lease> {
        Arc::clone(&self.lease)
    }
}

/// A time of day from milliseconds since 1970. A time that the system cannot represent counts as past.
pub(super) fn time_of_day(milliseconds: f64) -> SystemTime {
    // Conversions of floats saturate.
    let since = Duration::from_millis(milliseconds as u64);
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}
