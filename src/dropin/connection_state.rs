//! State shared by a socket, its event sink and the noise handler that sends through it.

use std::sync::PoisonError;

use super::flow::Flow;
use super::loop_monitor::LoopMonitor;
use super::read_ahead_requests::ReadAheadRequests;
use crate::shared_sender::{MonotonicMillis, SharedSender};
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering};

/// State shared by a socket, its event sink and its noise handler.
#[derive(Debug, Default)]
pub struct ConnectionState {
    /// Records that wait for JavaScript.
    pub flow: Flow,
    /// Requests to the read-ahead, which the event sink owns.
    pub read_ahead: ReadAheadRequests,
    shared_sender: Mutex<SharedSender>,
    /// The time of the last received data. Relaxed, because no other memory depends on it.
    last_received: AtomicU64,
}

impl ConnectionState {
    /// The shared sender. A frame that is sealed under this lock must be queued on the connection before the lock is
    /// released, or be recorded as unsent.
    pub fn shared_sender(&self) -> MutexGuard<'_, SharedSender> {
        self.shared_sender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that data was received.
    pub fn received(&self, now: MonotonicMillis) {
        self.last_received.store(now, Ordering::Relaxed);
    }

    /// Milliseconds since data was received. 0 if records are waiting for JavaScript.
    #[must_use]
    pub fn silence(&self, monitor: &LoopMonitor) -> MonotonicMillis {
        if self.flow.is_waiting() {
            0
        } else {
            monitor.now().saturating_sub(self.last_received.load(Ordering::Relaxed))
        }
    }
}
