//! The queue of records for JavaScript. An environment has one queue, and one wake serves many records.

use std::collections::{TryReserveError, VecDeque};
use std::fmt;
use std::sync::{Arc, PoisonError};

use tokio::time::Instant;

use super::batch::Batch;
use super::loop_monitor::LoopMonitor;
use crate::shared_sender::MonotonicMillis;
use crate::sync::{Mutex, MutexGuard};

/// Capacity that an empty batch keeps, in elements of each of its vectors (words, text, bytes).
pub(super) const KEPT: usize = 64 * 1024;

/// The queue of an environment.
pub struct Inbox {
    state: Mutex<InboxState>,
    /// Requests that JavaScript takes from this queue. It can be called on any thread.
    wake: Box<dyn Fn() + Send + Sync>,
    monitor: Arc<LoopMonitor>,
}

#[derive(Debug, Default)]
struct InboxState {
    batch: Batch,
    /// The numbers of the sessions that have records.
    ready: VecDeque<u32>,
    /// JavaScript was woken, and has not found the queue empty since then.
    woken: bool,
    /// The time of the wake, until JavaScript answers it.
    woken_at: Option<Instant>,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Inbox {
    /// An empty queue. `wake` is called when there is something to take.
    #[must_use]
    pub fn new(monitor: Arc<LoopMonitor>, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            state: Mutex::default(),
            wake: Box::new(wake),
            monitor,
        }
    }

    fn lock(&self) -> MutexGuard<'_, InboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the records of `batch` to the end of the queue. Wakes JavaScript, unless it is already woken.
    ///
    /// # Errors
    /// If there is not enough memory. Nothing is moved then.
    pub fn push(&self, batch: &mut Batch) -> Result<(), TryReserveError> {
        let mut state = self.lock();
        if state.batch.is_empty() {
            std::mem::swap(&mut state.batch, batch);
        } else {
            state.batch.append(batch)?;
        }
        self.wake(state);
        Ok(())
    }

    /// Wakes JavaScript if something is waiting and it is not already woken.
    fn wake(&self, mut state: MutexGuard<'_, InboxState>) {
        let any = !state.batch.is_empty() || !state.ready.is_empty();
        let wake = any && !state.woken;
        state.woken |= wake;
        if wake {
            state.woken_at = Some(Instant::now());
        }
        drop(state);
        if wake {
            (self.wake)();
        }
    }

    /// Adds a record source that has records. It must not be in the queue.
    pub fn ready(&self, source: u32) {
        let mut state = self.lock();
        state.ready.push_back(source);
        self.wake(state);
    }

    /// JavaScript answers a wake. Returns the delay in milliseconds if it counts as a stall of the event loop,
    /// otherwise 0.
    pub fn answer(&self) -> MonotonicMillis {
        let woken_at = self.lock().woken_at.take();
        woken_at.map_or(0, |woken_at| self.monitor.counters().record_wait(woken_at.elapsed()))
    }

    /// Moves the queue to `into` and `ready`, which must be empty. Returns false if the queue was empty. The next
    /// record then wakes JavaScript again.
    pub fn take(&self, into: &mut Batch, ready: &mut VecDeque<u32>) -> bool {
        into.clear(KEPT);
        let mut state = self.lock();
        std::mem::swap(&mut state.batch, into);
        std::mem::swap(&mut state.ready, ready);
        let any = !into.is_empty() || !ready.is_empty();
        state.woken &= any;
        any
    }
}
