//! What a socket, the sink of its events and the noise handler that sends through it have in common, and what the I/O side
//! does with it while JavaScript does not run.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::events::Flow;
use super::json::Object;
use super::raw::raw_function;
use crate::read_ahead::{KeepAliveReplies, ReadAhead};
use crate::shared_sender::{Millis, SharedSender};
use crate::transport::Outlet;

/// How soon a query is tried again that the connection had no room for.
const RETRY: Duration = Duration::from_millis(250);

/// One connection's.
#[derive(Default)]
pub(super) struct Link {
    pub(super) flow: Flow,
    read_ahead: Mutex<ReadAhead>,
    shared_sender: Mutex<SharedSender>,
    /// When something came in last.
    heard: AtomicU64,
}

impl Link {
    /// The stage that opens frames ahead. Never locked for longer than it takes to open a message.
    pub(super) fn read_ahead(&self) -> MutexGuard<'_, ReadAhead> {
        self.read_ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sending half. What is sealed under the lock and is to go out before anything else is sent under it as well.
    pub(super) fn shared_sender(&self) -> MutexGuard<'_, SharedSender> {
        self.shared_sender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something has come in.
    pub(super) fn hear(&self, now: Millis) {
        self.heard.store(now, Ordering::Relaxed);
    }

    /// Sends a keep-alive query where one is due; says whether it did.
    fn keep_alive(&self, outlet: &Outlet, pulse: &Pulse) -> bool {
        let Some(id_prefix) = self.shared_sender().id_prefix().map(ToOwned::to_owned) else {
            return false;
        };
        self.read_ahead().hide(KeepAliveReplies::new(id_prefix));
        let mut shared_sender = self.shared_sender();
        outlet.send_with(|| {
            let mut message = Vec::new();
            if !shared_sender.keep_alive(pulse.now(), pulse.seen(), &mut message) {
                return None;
            }
            pulse.stood_in();
            Some(message)
        })
    }
}

/// Keeps a connection alive while JavaScript does not run, for as long as that makes sense.
pub(super) async fn stand_by(link: Arc<Link>, outlet: Outlet, pulse: Arc<Pulse>) {
    loop {
        let now = pulse.now();
        let due = link.shared_sender().due(now, pulse.seen());
        let wait = match due {
            None => return,
            Some(due) if due > now => Duration::from_millis(due - now),
            Some(_) if link.keep_alive(&outlet, &pulse) => continue,
            Some(_) => RETRY,
        };
        tokio::time::sleep(wait).await;
    }
}

/// Whether the JavaScript thread of an environment runs.
pub(super) struct Pulse {
    start: Instant,
    /// When it was last seen to.
    seen: AtomicU64,
    /// Queries sent in its place since.
    stood_in: AtomicU32,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            seen: AtomicU64::new(0),
            stood_in: AtomicU32::new(0),
        }
    }

    pub(super) fn now(&self) -> Millis {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn seen(&self) -> Millis {
        self.seen.load(Ordering::Acquire)
    }

    fn stood_in(&self) {
        self.stood_in.fetch_add(1, Ordering::AcqRel);
        SURVIVED.keep_alives.fetch_add(1, Ordering::Relaxed);
    }

    fn beat(&self) {
        let now = self.now();
        let before = self.seen.swap(now, Ordering::AcqRel);
        if self.stood_in.swap(0, Ordering::AcqRel) > 0 {
            SURVIVED.stalls.fetch_add(1, Ordering::Relaxed);
            SURVIVED.blocked_ms.fetch_add(now - before.min(now), Ordering::Relaxed);
        }
    }
}

/// What the process has survived, in all its environments.
struct Survived {
    stalls: AtomicU64,
    blocked_ms: AtomicU64,
    keep_alives: AtomicU64,
}

static SURVIVED: Survived = Survived {
    stalls: AtomicU64::new(0),
    blocked_ms: AtomicU64::new(0),
    keep_alives: AtomicU64::new(0),
};

/// What the drop-in's connections have survived while JavaScript did not run, as JSON.
pub(super) fn survived_json() -> String {
    let figure = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Object::new()
        .raw("stalls", figure(&SURVIVED.stalls))
        .raw("blockedMs", figure(&SURVIVED.blocked_ms))
        .raw("keepAlives", figure(&SURVIVED.keep_alives))
        .end()
}

raw_function! {
    /// `beat()`: the JavaScript thread runs.
    Beat, "beat", 0, |call, core| {
        core.hub.pulse.beat();
        call.undefined()
    }
}

raw_function! {
    /// `heard(socket)`: how many milliseconds ago something came in, 0 where something waits to be taken; -1 where there is
    /// no such socket.
    Heard, "heard", 1, |call, core| {
        let Some(link) = core.hub.link(call.u32(0)?) else {
            return call.int(-1);
        };
        let ago = if link.flow.is_waiting() {
            0
        } else {
            core.hub.pulse.now().saturating_sub(link.heard.load(Ordering::Relaxed))
        };
        call.int(i32::try_from(ago).unwrap_or(i32::MAX))
    }
}
