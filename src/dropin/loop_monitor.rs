//! Detects whether the event loop of an environment is running.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::session::LoopStalls;
use crate::shared_sender::MonotonicMillis;
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering};

/// Stalls of event loops, for all environments of the process.
///
/// The three atomics are relaxed, because they are only displayed.
#[derive(Debug, Default)]
pub struct LoopCounters {
    kept_alive_stalls: AtomicU64,
    blocked_ms: AtomicU64,
    keep_alives: AtomicU64,
    stalls: Mutex<LoopStalls>,
}

impl LoopCounters {
    /// The stalls during which the I/O thread kept connections alive.
    pub fn kept_alive(&self) -> KeptAlive {
        KeptAlive {
            stalls: self.kept_alive_stalls.load(Ordering::Relaxed),
            blocked_ms: self.blocked_ms.load(Ordering::Relaxed),
            keep_alives: self.keep_alives.load(Ordering::Relaxed),
        }
    }

    /// All stalls that delayed events.
    pub fn stalls(&self) -> LoopStalls {
        *self.stalls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the time that events waited for an event loop. Returns it in milliseconds if it counts as a stall,
    /// otherwise 0.
    pub fn record_wait(&self, waited: Duration) -> MonotonicMillis {
        let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let is_stall = waited >= LoopStalls::LEAST
            && self
                .stalls
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .record(waited);
        if is_stall { waited } else { 0 }
    }
}

/// Stalls of JavaScript threads during which the I/O thread kept connections alive. A stall counts when it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptAlive {
    /// Number of stalls during which keep-alive queries were sent.
    pub stalls: u64,
    /// Total duration of these stalls in milliseconds.
    pub blocked_ms: u64,
    /// Number of keep-alive queries from the I/O thread.
    pub keep_alives: u64,
}

/// Records when the JavaScript thread of an environment was last running.
#[derive(Debug)]
pub struct LoopMonitor {
    start: Instant,
    /// The time of the last heartbeat.
    last_heartbeat: AtomicU64,
    /// Number of keep-alive queries from the I/O thread since then.
    keep_alives: AtomicU32,
    counters: Arc<LoopCounters>,
}

impl LoopMonitor {
    /// A monitor that starts now. The loop counts as running.
    #[must_use]
    pub fn new(counters: Arc<LoopCounters>) -> Self {
        Self {
            start: Instant::now(),
            last_heartbeat: AtomicU64::new(0),
            keep_alives: AtomicU32::new(0),
            counters,
        }
    }

    /// A monitor that was made some time ago.
    #[cfg(all(test, feature = "loom"))]
    pub(super) fn started(ago: Duration, counters: Arc<LoopCounters>) -> Self {
        let mut monitor = Self::new(counters);
        monitor.start -= ago;
        monitor
    }

    /// The counters of this monitor.
    #[must_use]
    pub fn counters(&self) -> &LoopCounters {
        &self.counters
    }

    /// Milliseconds since the creation of the monitor.
    #[must_use]
    pub fn now(&self) -> MonotonicMillis {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The time of the last heartbeat.
    #[must_use]
    pub fn last_heartbeat(&self) -> MonotonicMillis {
        self.last_heartbeat.load(Ordering::Acquire)
    }

    /// Records that the JavaScript thread is running.
    pub fn heartbeat(&self) {
        let now = self.now();
        let before = self.last_heartbeat.swap(now, Ordering::AcqRel);
        if self.keep_alives.swap(0, Ordering::AcqRel) > 0 {
            self.counters.kept_alive_stalls.fetch_add(1, Ordering::Relaxed);
            self.counters
                .blocked_ms
                .fetch_add(now - before.min(now), Ordering::Relaxed);
        }
    }

    /// Records that the I/O thread has sent a keep-alive query while the JavaScript thread was blocked.
    pub(super) fn sent_keep_alive(&self) {
        self.keep_alives.fetch_add(1, Ordering::AcqRel);
        self.counters.keep_alives.fetch_add(1, Ordering::Relaxed);
    }
}
