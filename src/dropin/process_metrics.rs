//! Metrics of the whole process, over all its environments. Sessions and sockets that have ended stay counted.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::counters::{SocketCounters, SocketState, SocketTotals};
use super::loop_monitor::LoopCounters;
use crate::driver::{Handle, WeakHandle};
use crate::session::{Metrics, Session};

/// Knows all sessions and sockets of the process.
#[derive(Debug, Default)]
pub struct ProcessMetrics {
    sessions: Mutex<Sessions>,
    sockets: Mutex<Sockets>,
    loop_counters: Arc<LoopCounters>,
}

#[derive(Debug, Default)]
struct Sessions {
    last: u64,
    live: HashMap<u64, WeakHandle>,
    /// The metrics of the sessions that have ended.
    ended: Metrics,
    busy: Duration,
}

#[derive(Debug, Default)]
struct Sockets {
    live: Vec<Arc<SocketCounters>>,
    ended: SocketTotals,
}

/// The metrics of the process at one time.
#[derive(Debug, Clone, Default)]
pub struct ProcessSnapshot {
    /// Sessions that exist.
    pub sessions: u64,
    /// How many of these are in each state.
    pub session_states: BTreeMap<&'static str, u64>,
    /// The metrics of all sessions.
    pub session_metrics: Metrics,
    /// The time that sessions spent on received data.
    pub session_busy: Duration,
    /// The counters of all sockets.
    pub sockets: SocketTotals,
    /// Sockets that connect.
    pub connecting: u64,
    /// Sockets that are open.
    pub open: u64,
    /// Sockets in their closing handshake.
    pub closing: u64,
    /// Bytes that wait for JavaScript.
    pub waiting: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProcessMetrics {
    /// The counters of the event loops.
    #[must_use]
    pub const fn loop_counters(&self) -> &Arc<LoopCounters> {
        &self.loop_counters
    }

    /// Counts a socket.
    pub fn enrol_socket(&self, counters: &Arc<SocketCounters>) {
        let mut sockets = lock(&self.sockets);
        sockets.settle();
        sockets.live.push(Arc::clone(counters));
    }

    /// Counts a session as one that exists until the result is dropped.
    #[must_use]
    pub fn enrol_session(self: &Arc<Self>, handle: &Handle) -> EnrolledSession {
        let mut sessions = lock(&self.sessions);
        sessions.last += 1;
        let number = sessions.last;
        sessions.live.insert(number, handle.downgrade());
        EnrolledSession {
            metrics: Arc::clone(self),
            number,
            handle: handle.clone(),
        }
    }

    /// The metrics now.
    #[must_use]
    pub fn snapshot(&self) -> ProcessSnapshot {
        let mut snapshot = ProcessSnapshot::default();
        lock(&self.sessions).add_to(&mut snapshot);
        // A stall of an environment is counted once, however many sessions the environment has.
        snapshot.session_metrics.loop_stalls = self.loop_counters.stalls();
        lock(&self.sockets).add_to(&mut snapshot);
        snapshot
    }
}

impl Sessions {
    fn add_to(&self, snapshot: &mut ProcessSnapshot) {
        snapshot.session_metrics = self.ended.clone();
        snapshot.session_busy = self.busy;
        for handle in self.live.values().filter_map(WeakHandle::upgrade) {
            let (state, metrics) = handle.inspect(|session| (session.state(), session.metrics()));
            snapshot.sessions += 1;
            *snapshot.session_states.entry(state.name()).or_default() += 1;
            snapshot.session_metrics.absorb(&metrics);
            snapshot.session_busy += handle.busy();
        }
    }
}

impl Sockets {
    /// Moves the counters that nobody else holds, and that therefore do not change any more, to the ended ones.
    fn settle(&mut self) {
        let ended = &mut self.ended;
        self.live.retain(|socket| {
            let held = Arc::strong_count(socket) > 1;
            if !held {
                ended.add(socket);
            }
            held
        });
    }

    fn add_to(&mut self, snapshot: &mut ProcessSnapshot) {
        self.settle();
        snapshot.sockets = self.ended;
        for socket in &self.live {
            snapshot.sockets.add(socket);
            snapshot.waiting += socket.waiting();
            match socket.state() {
                SocketState::Connecting => snapshot.connecting += 1,
                SocketState::Open => snapshot.open += 1,
                SocketState::Closing => snapshot.closing += 1,
                SocketState::Closed => {}
            }
        }
    }
}

/// A session that is counted as one that exists.
#[derive(Debug)]
pub struct EnrolledSession {
    metrics: Arc<ProcessMetrics>,
    number: u64,
    handle: Handle,
}

impl Drop for EnrolledSession {
    fn drop(&mut self) {
        // A panic must not unwind into the garbage collector, which calls this.
        let _ = catch_unwind(AssertUnwindSafe(|| self.settle()));
    }
}

impl EnrolledSession {
    fn settle(&self) {
        let mut sessions = lock(&self.metrics.sessions);
        // Under the lock, so that no sum is ever less than one before.
        if sessions.live.remove(&self.number).is_some() {
            let counted = self.handle.inspect(Session::metrics);
            sessions.ended.absorb(&counted.ended());
            sessions.busy += self.handle.busy();
        }
    }
}
