//! What the whole process has done, over all its environments: sessions and sockets, those that have gone included.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use napi_derive::napi;

use super::json::Object;
use super::link::survived_json;
use super::session_json::figures;
use crate::driver::{Handle, WeakHandle};
use crate::session::{LoopStalls, Metrics, Session};

static SESSIONS: Mutex<Option<Sessions>> = Mutex::new(None);
static SOCKETS: Mutex<Sockets> = Mutex::new(Sockets {
    live: Vec::new(),
    ended: SocketTotals::NONE,
});
static LOOP_STALLS: Mutex<Option<LoopStalls>> = Mutex::new(None);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Sessions {
    last: u64,
    live: HashMap<u64, WeakHandle>,
    /// What sessions that have gone counted.
    ended: Metrics,
    busy: Duration,
}

/// Counts a session in until the result is dropped; what it has counted until then stays.
pub(super) fn enrol_session(handle: &Handle) -> Enrolled {
    let mut sessions = lock(&SESSIONS);
    let sessions = sessions.get_or_insert_default();
    sessions.last += 1;
    sessions.live.insert(sessions.last, handle.downgrade());
    Enrolled {
        number: sessions.last,
        handle: handle.clone(),
    }
}

/// A session that is counted in.
pub(super) struct Enrolled {
    number: u64,
    handle: Handle,
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        // The garbage collector calls this, and there is nobody to tell of a panic.
        let _ = catch_unwind(AssertUnwindSafe(|| self.settle()));
    }
}

impl Enrolled {
    fn settle(&self) {
        let mut sessions = lock(&SESSIONS);
        // Under the lock, so that no total is ever less than one before.
        if let Some(sessions) = sessions.as_mut()
            && sessions.live.remove(&self.number).is_some()
        {
            let counted = self.handle.inspect(Session::metrics);
            sessions.ended.absorb(&counted.ended());
            sessions.busy += self.handle.busy();
        }
    }
}

/// A counter that one thread writes and others read.
#[derive(Debug, Default)]
pub(super) struct Tally(AtomicU64);

impl Tally {
    pub(super) fn add(&self, more: u64) {
        self.0
            .store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where a socket is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Connecting,
    Open,
    Closing,
    Closed,
}

/// What one socket counts: the fields on what comes in by its task alone, those on what goes out by JavaScript's thread.
#[derive(Debug, Default)]
pub(super) struct SocketCounters {
    stage: AtomicU8,
    pub(super) messages_in: Tally,
    pub(super) bytes_in: Tally,
    /// Frames that were opened ahead of JavaScript.
    pub(super) frames_opened: Tally,
    /// Time spent on what came in, in nanoseconds.
    pub(super) busy: Tally,
    pub(super) messages_out: Tally,
    pub(super) bytes_out: Tally,
    /// Bytes that wait for JavaScript.
    pub(super) waiting: AtomicUsize,
    most_waiting: AtomicUsize,
}

impl SocketCounters {
    /// The socket has come further; it never goes back.
    pub(super) fn reach(&self, stage: Stage) {
        self.stage.fetch_max(stage as u8, Ordering::Relaxed);
    }

    fn stage(&self) -> Stage {
        let stage = self.stage.load(Ordering::Relaxed);
        [Stage::Connecting, Stage::Open, Stage::Closing]
            .into_iter()
            .find(|known| *known as u8 == stage)
            .unwrap_or(Stage::Closed)
    }

    /// Bytes more wait for JavaScript.
    pub(super) fn wait(&self, bytes: usize) {
        let waiting = self.waiting.fetch_add(bytes, Ordering::AcqRel) + bytes;
        if waiting > self.most_waiting.load(Ordering::Relaxed) {
            self.most_waiting.store(waiting, Ordering::Relaxed);
        }
    }
}

struct Sockets {
    live: Vec<Arc<SocketCounters>>,
    ended: SocketTotals,
}

#[derive(Clone, Copy)]
struct SocketTotals {
    sockets: u64,
    messages_in: u64,
    bytes_in: u64,
    frames_opened: u64,
    busy: u64,
    messages_out: u64,
    bytes_out: u64,
    most_waiting: usize,
}

impl SocketTotals {
    const NONE: Self = Self {
        sockets: 0,
        messages_in: 0,
        bytes_in: 0,
        frames_opened: 0,
        busy: 0,
        messages_out: 0,
        bytes_out: 0,
        most_waiting: 0,
    };

    fn add(&mut self, socket: &SocketCounters) {
        self.sockets += 1;
        self.messages_in += socket.messages_in.read();
        self.bytes_in += socket.bytes_in.read();
        self.frames_opened += socket.frames_opened.read();
        self.busy += socket.busy.read();
        self.messages_out += socket.messages_out.read();
        self.bytes_out += socket.bytes_out.read();
        self.most_waiting = self.most_waiting.max(socket.most_waiting.load(Ordering::Relaxed));
    }
}

impl Sockets {
    /// Moves those that nobody else holds, so that nothing more is counted on them, to the ended ones.
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
}

/// Counts a socket in; what it has counted stays when it has gone.
pub(super) fn enrol_socket(counters: &Arc<SocketCounters>) {
    let mut sockets = lock(&SOCKETS);
    sockets.settle();
    sockets.live.push(Arc::clone(counters));
}

/// Events have waited so long for an environment's thread. The milliseconds where that counts as a stall, otherwise 0.
pub(super) fn loop_waited(waited: Duration) -> u64 {
    let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
    if waited >= LoopStalls::LEAST && lock(&LOOP_STALLS).get_or_insert_default().record(waited) {
        waited
    } else {
        0
    }
}

/// The metrics of the process, as JSON.
#[napi(catch_unwind)]
pub(super) fn process_metrics() -> String {
    let mut count = 0;
    let mut states = BTreeMap::<_, u64>::new();
    let (mut total, mut busy) = (Metrics::default(), Duration::ZERO);
    if let Some(sessions) = &*lock(&SESSIONS) {
        (total, busy) = (sessions.ended.clone(), sessions.busy);
        for handle in sessions.live.values().filter_map(WeakHandle::upgrade) {
            let (state, metrics) = handle.inspect(|session| (session.state(), session.metrics()));
            count += 1;
            *states.entry(state.name()).or_default() += 1;
            total.absorb(&metrics);
            busy += handle.busy();
        }
    }
    // An environment counts its stalls once, however many sessions it has.
    total.loop_stalls = lock(&LOOP_STALLS).unwrap_or_default();
    let states = states
        .iter()
        .fold(Object::new(), |object, (state, count)| object.raw(state, count));
    let object = Object::new().raw("sessions", count).raw("states", states.end());
    figures(object, &total, busy).raw("sockets", sockets_json()).end()
}

fn sockets_json() -> String {
    let mut sockets = lock(&SOCKETS);
    sockets.settle();
    let mut total = sockets.ended;
    let mut stages = [0_u64; 3];
    let mut waiting = 0;
    for socket in &sockets.live {
        total.add(socket);
        waiting += socket.waiting.load(Ordering::Relaxed);
        if let Some(stage) = stages.get_mut(socket.stage() as usize) {
            *stage += 1;
        }
    }
    let [connecting, open, closing] = stages;
    Object::new()
        .raw("connecting", connecting)
        .raw("open", open)
        .raw("closing", closing)
        .raw("connections", total.sockets)
        .raw("bytesIn", total.bytes_in)
        .raw("bytesOut", total.bytes_out)
        .raw("messagesIn", total.messages_in)
        .raw("messagesOut", total.messages_out)
        .raw("framesOpened", total.frames_opened)
        .raw("inboundMs", Duration::from_nanos(total.busy).as_secs_f64() * 1000.0)
        .raw("waitingBytes", waiting)
        .raw("mostWaitingBytes", total.most_waiting)
        .raw("survived", survived_json())
        .end()
}
