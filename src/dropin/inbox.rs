//! Records on their way to JavaScript: one queue for an environment, one wake for many records.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::batch::Batch;
use super::loop_monitor::LoopMonitor;
use crate::shared_sender::Millis;

/// Capacity that an empty batch keeps, in elements of each part.
pub(super) const KEPT: usize = 64 * 1024;

/// The queue of an environment.
pub struct Inbox {
    state: Mutex<InboxState>,
    /// Has JavaScript take from this queue soon. May be called on any thread.
    wake: Box<dyn Fn() + Send + Sync>,
    monitor: Arc<LoopMonitor>,
}

#[derive(Debug, Default)]
struct InboxState {
    batch: Batch,
    /// The record sources (sessions) that have something to take.
    ready: VecDeque<u32>,
    /// JavaScript was woken and has not yet found the queue empty.
    woken: bool,
    /// When JavaScript was woken, until it comes.
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
    /// An empty queue. `wake` is called when JavaScript has something to take.
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

    /// Moves the records of `batch` to the end of the queue, and wakes JavaScript if no wake is on its way.
    pub fn push(&self, batch: &mut Batch) {
        let mut state = self.lock();
        if state.batch.is_empty() {
            std::mem::swap(&mut state.batch, batch);
        } else {
            state.batch.append(batch);
        }
        self.wake(state);
    }

    /// Wakes JavaScript if something waits and no wake is on its way.
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

    /// A record source that is not in the queue has something to take.
    pub fn ready(&self, source: u32) {
        let mut state = self.lock();
        state.ready.push_back(source);
        self.wake(state);
    }

    /// JavaScript answers a wake. Returns the milliseconds that it took if that counts as a stall of its loop, otherwise 0.
    pub fn answer(&self) -> Millis {
        let woken_at = self.lock().woken_at.take();
        woken_at.map_or(0, |woken_at| self.monitor.counters().record_wait(woken_at.elapsed()))
    }

    /// Moves the queue into `into` and `ready`, which are empty. Returns false if nothing was there; the next record then
    /// wakes JavaScript again.
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
