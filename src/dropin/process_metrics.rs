//! Metrics of the process, over all its environments. They include sessions and sockets that have ended.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::counters::{SocketCounters, SocketMetrics, SocketState};
use super::loop_monitor::{KeptAlive, LoopCounters};
use crate::driver::{Handle, WeakHandle};
use crate::session::{Metrics, Session, duration_as_ms};

/// All sessions and sockets of the process.
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
    /// The sums of ended sessions.
    ended: Metrics,
    busy: Duration,
}

#[derive(Debug, Default)]
struct Sockets {
    live: Vec<Arc<SocketCounters>>,
    ended: SocketMetrics,
}

/// A snapshot of the metrics. It serializes with the names that JavaScript sees (`ProcessMetrics` in `index.d.ts`).
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessSnapshot {
    /// Number of existing sessions.
    pub sessions: u64,
    /// Number of sessions per state.
    pub states: BTreeMap<&'static str, u64>,
    /// The sums over all sessions.
    #[serde(flatten)]
    pub session_metrics: Metrics,
    /// The time that sessions spent on received data.
    #[serde(rename = "inboundMs", serialize_with = "duration_as_ms")]
    pub busy: Duration,
    /// The sockets of the drop-in.
    pub sockets: SocketSnapshot,
}

/// A snapshot of all sockets.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketSnapshot {
    /// The sums over all sockets.
    #[serde(flatten)]
    pub socket_metrics: SocketMetrics,
    /// Number of sockets that are connecting.
    pub connecting: u64,
    /// Number of open sockets.
    pub open: u64,
    /// Number of sockets in the closing handshake.
    pub closing: u64,
    /// Bytes that wait for JavaScript.
    pub waiting_bytes: usize,
    /// The stalls during which connections were kept alive.
    pub kept_alive: KeptAlive,
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

    /// Adds a socket.
    pub fn enrol_socket(&self, counters: &Arc<SocketCounters>) {
        let mut sockets = lock(&self.sockets);
        sockets.absorb_ended();
        sockets.live.push(Arc::clone(counters));
    }

    /// Adds a session. It counts as existing until the result is dropped.
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

    /// The current metrics.
    #[must_use]
    pub fn snapshot(&self) -> ProcessSnapshot {
        let mut snapshot = ProcessSnapshot::default();
        lock(&self.sessions).add_to(&mut snapshot);
        // A stall of an environment counts once, independent of the number of its sessions.
        snapshot.session_metrics.loop_stalls = self.loop_counters.stalls();
        lock(&self.sockets).add_to(&mut snapshot.sockets);
        snapshot.sockets.kept_alive = self.loop_counters.kept_alive();
        snapshot
    }
}

impl Sessions {
    fn add_to(&self, snapshot: &mut ProcessSnapshot) {
        snapshot.session_metrics = self.ended.clone();
        snapshot.busy = self.busy;
        for handle in self.live.values().filter_map(WeakHandle::upgrade) {
            let (state, metrics) = handle.inspect(|session| (session.state(), session.metrics()));
            snapshot.sessions += 1;
            *snapshot.states.entry(state.name()).or_default() += 1;
            snapshot.session_metrics.absorb(&metrics);
            snapshot.busy += handle.busy();
        }
    }
}

impl Sockets {
    /// Moves counters to the sums if no other owner exists. Such counters cannot change any more.
    fn absorb_ended(&mut self) {
        let ended = &mut self.ended;
        self.live.retain(|socket| {
            let held = Arc::strong_count(socket) > 1;
            if !held {
                ended.add(socket);
            }
            held
        });
    }

    fn add_to(&mut self, snapshot: &mut SocketSnapshot) {
        self.absorb_ended();
        snapshot.socket_metrics = self.ended;
        for socket in &self.live {
            snapshot.socket_metrics.add(socket);
            snapshot.waiting_bytes += socket.waiting();
            match socket.state() {
                SocketState::Connecting => snapshot.connecting += 1,
                SocketState::Open => snapshot.open += 1,
                SocketState::Closing => snapshot.closing += 1,
                SocketState::Closed => {}
            }
        }
    }
}

/// A session that counts as existing until it is dropped.
#[derive(Debug)]
pub struct EnrolledSession {
    metrics: Arc<ProcessMetrics>,
    number: u64,
    handle: Handle,
}

impl Drop for EnrolledSession {
    fn drop(&mut self) {
        // The garbage collector calls this. A panic must not unwind into it.
        let _ = catch_unwind(AssertUnwindSafe(|| self.absorb_ended()));
    }
}

impl EnrolledSession {
    fn absorb_ended(&self) {
        let mut sessions = lock(&self.metrics.sessions);
        // Both sums change under one lock, so that a snapshot is never lower than an earlier one.
        if sessions.live.remove(&self.number).is_some() {
            let counted = self.handle.inspect(Session::metrics);
            sessions.ended.absorb(&counted.ended());
            sessions.busy += self.handle.busy();
        }
    }
}
