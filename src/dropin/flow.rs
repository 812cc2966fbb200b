//! Back-pressure from JavaScript to a connection.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::counters::SocketCounters;
use crate::sync::{AtomicBool, AtomicWaker, Ordering};

/// Number of waiting bytes of a connection above which it is not read. TCP flow control then stops the peer.
pub const HIGH_WATER: usize = 4 * 1024 * 1024;
/// Number of waiting bytes at which reading continues. It is far below [`HIGH_WATER`], so that reading does not stop
/// and start for every few messages.
pub const LOW_WATER: usize = HIGH_WATER / 2;

/// Counts the bytes of a connection that wait for JavaScript. Stops reading if there are too many.
#[derive(Debug, Default)]
pub struct Flow {
    counters: Arc<SocketCounters>,
    reader: AtomicWaker,
    /// JavaScript has stopped the reading.
    is_paused: AtomicBool,
}

impl Flow {
    /// The counters of the connection.
    #[must_use]
    pub fn counters(&self) -> &Arc<SocketCounters> {
        &self.counters
    }

    /// Adds waiting records. `cost` is in bytes.
    pub fn add(&self, cost: usize) {
        self.counters.add_waiting(cost);
    }

    /// Subtracts records that JavaScript has taken. Wakes the reader at [`LOW_WATER`].
    pub fn taken(&self, cost: usize) {
        let before = self.counters.subtract_waiting(cost);
        if before > LOW_WATER && before - cost <= LOW_WATER {
            self.reader.wake();
        }
    }

    /// Whether records wait for JavaScript.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.counters.waiting() > 0
    }

    /// Stops or continues reading.
    pub fn set_paused(&self, is_paused: bool) {
        self.is_paused.store(is_paused, Ordering::Release);
        if !is_paused {
            self.reader.wake();
        }
    }

    fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Acquire)
    }

    /// Whether the connection may be read. If not, the task is woken when it may.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_paused() && self.counters.waiting() <= HIGH_WATER {
            return Poll::Ready(());
        }
        self.reader.register(cx.waker());
        // JavaScript may have taken records, or resumed, before the waker was registered.
        if !self.is_paused() && self.counters.waiting() <= LOW_WATER {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}
