//! The native half of `WebSocketClient`: all sockets of one environment.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use napi::bindgen_prelude::Function;
use napi::{Env, Error, Result};
use napi_derive::napi;
use tokio::task::AbortHandle;

use super::batch::{Batch, BatchMemory, HEAD_WORDS, RECORD_WORDS};
use super::events::{Inbox, InboxSink, KEPT};
use super::link::{Link, Pulse, stand_by};
use super::raw::{Call, Failure, Outcome, Shared, raw_function};
use super::session::{EVENTS_AT_ONCE, Sessions};
use super::socket_options::{SocketOptions, connect_options};
use super::totals::{Stage, enrol_socket};
use super::trim::trim;
use super::wake::Wake;
use crate::transport::{self, Accepted, Connection};

/// The sockets and sessions of one environment. JavaScript knows each by a number that is never used twice.
#[napi]
pub struct SocketHub {
    pub(super) hub: Arc<Hub>,
}

#[napi]
impl SocketHub {
    /// `wake` is called whenever there may be something to drain.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: &Env, wake: Function<'_, (), ()>) -> Result<Self> {
        transport::on_rest(trim);
        // The hub is made after the hook that ends it.
        let place: Arc<OnceLock<Arc<Hub>>> = Arc::default();
        let at_exit = {
            let place = Arc::clone(&place);
            move || {
                if let Some(hub) = place.get() {
                    hub.sockets().clear();
                    hub.sessions.clear();
                }
            }
        };
        let wake = Wake::new(env, &wake, at_exit)?;
        let hub = Arc::new(Hub {
            sockets: Mutex::default(),
            sessions: Sessions::default(),
            arrived: Mutex::default(),
            inbox: Arc::new(Inbox::new(Arc::clone(&wake))),
            pulse: Arc::new(Pulse::new()),
            wake,
            last: AtomicU32::new(0),
        });
        // Only set here, so it is empty.
        let _ = place.set(Arc::clone(&hub));
        Ok(Self { hub })
    }

    /// Starts to connect; returns the socket's number.
    #[napi(catch_unwind)]
    pub fn connect(&self, env: &Env, options: SocketOptions) -> Result<u32> {
        let options = connect_options(options)?;
        let number = self.hub.next_number();
        let link = Arc::<Link>::default();
        enrol_socket(&link.flow.counters);
        let sink = InboxSink {
            connection: number,
            inbox: Arc::clone(&self.hub.inbox),
            link: Arc::clone(&link),
            pulse: Arc::clone(&self.hub.pulse),
            began: None,
        };
        let connection = transport::connect(options, sink).map_err(|error| Error::from_reason(error.to_string()))?;
        let socket = Socket {
            connection,
            link,
            standby: None,
        };
        self.hub.sockets().insert(number, socket);
        self.hub.keep_alive(env);
        Ok(number)
    }

    /// Starts the closing handshake.
    #[napi(catch_unwind)]
    pub fn close(&self, socket: u32) {
        if let Some(socket) = self.hub.sockets().get(&socket) {
            socket.link.flow.counters.reach(Stage::Closing);
            socket.connection.close();
        }
    }

    /// Forgets a socket; one that is not closed yet is dropped, and what it still reports is to be ignored.
    #[napi(catch_unwind)]
    pub fn release(&self, env: &Env, socket: u32) {
        if self.hub.sockets().remove(&socket).is_some() {
            self.hub.keep_alive(env);
        }
    }
}

/// What the environment's thread works on. The locks are never contended but by its own teardown.
pub(super) struct Hub {
    sockets: Mutex<HashMap<u32, Socket>>,
    pub(super) sessions: Sessions,
    arrived: Mutex<Arrived>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) pulse: Arc<Pulse>,
    wake: Arc<Wake>,
    /// The number given last.
    last: AtomicU32,
}

/// What was taken from the inbox and has not all been handed over.
#[derive(Default)]
struct Arrived {
    batch: Batch,
    /// Sessions whose events have not been taken yet.
    ready: VecDeque<u32>,
}

struct Socket {
    connection: Connection,
    link: Arc<Link>,
    /// What keeps the connection alive while JavaScript does not run.
    standby: Option<AbortHandle>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(standby) = &self.standby {
            standby.abort();
        }
    }
}

impl Hub {
    fn sockets(&self) -> MutexGuard<'_, HashMap<u32, Socket>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_number(&self) -> u32 {
        self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Keeps the loop alive while a socket is there or a session wants a connection.
    pub(super) fn keep_alive(&self, env: &Env) {
        let alive = !self.sockets().is_empty() || self.sessions.any_active();
        self.wake.set_alive(env, alive);
    }

    /// Takes what is next to be handed over, where all before has been.
    fn refill(&self, arrived: &mut Arrived) {
        let Arrived { batch, ready } = arrived;
        while batch.is_empty() {
            if ready.is_empty() && !self.inbox.take(batch, ready) {
                return;
            }
            if batch.is_empty() {
                batch.clear(KEPT);
            }
            let mut taken = 0;
            while taken < EVENTS_AT_ONCE
                && let Some(session) = ready.pop_front()
            {
                taken += self.sessions.take_events(session, batch);
            }
        }
    }

    /// What a socket shares with the noise handler that sends through it.
    pub(super) fn link(&self, socket: u32) -> Option<Arc<Link>> {
        self.sockets().get(&socket).map(|socket| Arc::clone(&socket.link))
    }

    /// From now on a socket's connection is kept alive while JavaScript does not run.
    pub(super) fn stand_by(&self, socket: u32) {
        if let Some(socket) = self.sockets().get_mut(&socket)
            && let Ok(runtime) = transport::runtime()
        {
            let work = stand_by(
                Arc::clone(&socket.link),
                socket.connection.outlet(),
                Arc::clone(&self.pulse),
            );
            socket.standby = Some(runtime.spawn(work).abort_handle());
        }
    }
}

raw_function! {
    /// `shareBatch(words: Int32Array, text: Uint8Array)`: the memory for `drain`, until the next call.
    ShareBatch, "shareBatch", 2, |call, core| {
        let memory = BatchMemory { words: Shared::new(call, 0)?, text: Shared::new(call, 1)? };
        if memory.words.len() < (HEAD_WORDS + RECORD_WORDS) * size_of::<i32>() {
            return Err(Failure::Type("too little shared memory"));
        }
        *core.batch()? = Some(memory);
        call.undefined()
    }
}

raw_function! {
    /// `drain(slab: Uint8Array, offset)`: hands over as many records as fit; their number. The payload and the content
    /// bytes of each, one behind the other, go to the slab from `offset` on.
    Drain, "drain", 2, |call, core| {
        let mut memory = core.batch()?;
        let memory = memory.as_mut().ok_or(Failure::Type("no memory is shared yet"))?;
        core.hub.drain(call, memory)
    }
}

impl Hub {
    fn drain(&self, call: &Call, memory: &mut BatchMemory) -> Outcome {
        let mut slab = call.output(0)?;
        let slab_at = call.u32(1)? as usize;
        let stalled = i32::try_from(self.inbox.answered()).unwrap_or(i32::MAX);
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        self.refill(&mut arrived);
        // Where nothing came, nothing more does until the next wake.
        let more = !arrived.batch.is_empty();
        let sockets = self.sockets();
        let (count, [size, words, text], taken) =
            arrived.batch.hand_over(memory, &mut slab, slab_at, |connection, cost| {
                if let Some(socket) = sockets.get(&connection) {
                    socket.link.flow.taken(cost);
                }
            });
        let [size, words, text, more, taken] =
            [size, words, text, usize::from(more), taken].map(|length| i32::try_from(length).unwrap_or(i32::MAX));
        let head = [size, words, text, more, taken, stalled];
        memory.words.write_ops(0, &head);
        call.int(count)
    }
}

raw_function! {
    /// `send(socket, bytes, isText)`: queues a message. 0 where the socket takes none any more, 1 where it is accepted, 2
    /// where it counts as accepted once a `Written` record says so.
    Send, "send", 3, |call, core| {
        let sockets = core.hub.sockets();
        let Some(socket) = sockets.get(&call.u32(0)?) else {
            return call.int(0);
        };
        let bytes = call.bytes(1)?;
        let accepted = if call.u32(2)? == 0 {
            socket.connection.send_binary(bytes)
        } else {
            let text = std::str::from_utf8(bytes).map_err(|_| Failure::Type("a text message is UTF-8"))?;
            socket.connection.send_text(text)
        };
        if accepted != Accepted::No {
            socket.link.shared_sender().sent(bytes, core.hub.pulse.now());
            let counters = &socket.link.flow.counters;
            counters.messages_out.add(1);
            counters.bytes_out.add(bytes.len() as u64);
        }
        call.int(match accepted {
            Accepted::No => 0,
            Accepted::Now => 1,
            Accepted::Later => 2,
        })
    }
}
