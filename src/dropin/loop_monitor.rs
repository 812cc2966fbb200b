//! Whether the event loop of an environment runs.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::session::LoopStalls;
use crate::shared_sender::Millis;

/// What event loops have not kept up with, for all environments of the process.
#[derive(Debug, Default)]
pub struct LoopCounters {
    survived_stalls: AtomicU64,
    blocked_ms: AtomicU64,
    keep_alives: AtomicU64,
    stalls: Mutex<LoopStalls>,
}

impl LoopCounters {
    /// Stalls during which the I/O side sent keep-alive queries.
    pub fn survived_stalls(&self) -> u64 {
        self.survived_stalls.load(Ordering::Relaxed)
    }

    /// The duration of these stalls, in milliseconds.
    pub fn blocked_ms(&self) -> u64 {
        self.blocked_ms.load(Ordering::Relaxed)
    }

    /// Keep-alive queries sent by the I/O side.
    pub fn keep_alives(&self) -> u64 {
        self.keep_alives.load(Ordering::Relaxed)
    }

    /// All stalls that were noticed by events that waited.
    pub fn stalls(&self) -> LoopStalls {
        *self.stalls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records how long events waited for an event loop. Returns the milliseconds if that counts as a stall, otherwise 0.
    pub fn record_wait(&self, waited: Duration) -> Millis {
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

/// Knows when the JavaScript thread of one environment last ran.
#[derive(Debug)]
pub struct LoopMonitor {
    start: Instant,
    /// When the last heartbeat came.
    last_heartbeat: AtomicU64,
    /// Keep-alive queries sent by the I/O side since then.
    keep_alives: AtomicU32,
    counters: Arc<LoopCounters>,
}

impl LoopMonitor {
    /// A monitor that starts now, with a loop that runs.
    #[must_use]
    pub fn new(counters: Arc<LoopCounters>) -> Self {
        Self {
            start: Instant::now(),
            last_heartbeat: AtomicU64::new(0),
            keep_alives: AtomicU32::new(0),
            counters,
        }
    }

    /// The counters that this monitor adds to.
    #[must_use]
    pub fn counters(&self) -> &LoopCounters {
        &self.counters
    }

    /// The milliseconds since the monitor was made.
    #[must_use]
    pub fn now(&self) -> Millis {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// When the JavaScript thread last ran.
    #[must_use]
    pub fn last_heartbeat(&self) -> Millis {
        self.last_heartbeat.load(Ordering::Acquire)
    }

    /// The JavaScript thread runs.
    pub fn heartbeat(&self) {
        let now = self.now();
        let before = self.last_heartbeat.swap(now, Ordering::AcqRel);
        if self.keep_alives.swap(0, Ordering::AcqRel) > 0 {
            self.counters.survived_stalls.fetch_add(1, Ordering::Relaxed);
            self.counters
                .blocked_ms
                .fetch_add(now - before.min(now), Ordering::Relaxed);
        }
    }

    /// The I/O side has sent a keep-alive query while the JavaScript thread was blocked.
    pub(super) fn sent_keep_alive(&self) {
        self.keep_alives.fetch_add(1, Ordering::AcqRel);
        self.counters.keep_alives.fetch_add(1, Ordering::Relaxed);
    }
}
