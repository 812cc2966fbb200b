//! State shared by a socket, its event sink and the noise handler that sends through it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::flow::Flow;
use super::loop_monitor::LoopMonitor;
use crate::read_ahead::ReadAhead;
use crate::shared_sender::{Millis, SharedSender};

/// State shared by a socket, its event sink and its noise handler.
#[derive(Debug, Default)]
pub struct ConnectionState {
    /// Records that wait for JavaScript.
    pub flow: Flow,
    read_ahead: Mutex<ReadAhead>,
    shared_sender: Mutex<SharedSender>,
    /// When something was last received.
    last_received: AtomicU64,
}

impl ConnectionState {
    /// The part that opens frames ahead of JavaScript. It is locked only while one message is opened.
    pub fn read_ahead(&self) -> MutexGuard<'_, ReadAhead> {
        self.read_ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sending half. A frame that is sealed under this lock must be queued on the connection before the lock is
    /// released, or be remembered as unsent.
    pub fn shared_sender(&self) -> MutexGuard<'_, SharedSender> {
        self.shared_sender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was received.
    pub fn received(&self, now: Millis) {
        self.last_received.store(now, Ordering::Relaxed);
    }

    /// Milliseconds since something was received. 0 if something waits for JavaScript.
    #[must_use]
    pub fn silence(&self, monitor: &LoopMonitor) -> Millis {
        if self.flow.is_waiting() {
            0
        } else {
            monitor.now().saturating_sub(self.last_received.load(Ordering::Relaxed))
        }
    }
}
