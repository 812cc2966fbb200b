//! The native half of `WebSocketClient`: all sockets of one environment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use napi::bindgen_prelude::Function;
use napi::{Env, Error, Result};
use napi_derive::napi;

use super::events::{Batch, Flow, Inbox, InboxSink, Record};
use super::raw::{Call, Failure, Outcome, Shared, raw_function};
use super::socket_options::{SocketOptions, connect_options};
use super::wake::Wake;
use crate::inbound::{Inbound, Tapes};
use crate::transport::{self, Accepted, Connection};

/// The sockets of one environment. JavaScript knows each by a number that is never used twice.
#[napi]
pub struct SocketHub {
    pub(super) hub: Arc<Hub>,
    next: u32,
}

#[napi]
impl SocketHub {
    /// `wake` is called whenever there may be something to drain.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: &Env, wake: Function<'_, (), ()>) -> Result<Self> {
        // The hub is made after the hook that ends it.
        let place: Arc<OnceLock<Arc<Hub>>> = Arc::default();
        let at_exit = {
            let place = Arc::clone(&place);
            move || {
                if let Some(hub) = place.get() {
                    hub.sockets().clear();
                }
            }
        };
        let wake = Wake::new(env, &wake, at_exit)?;
        let hub = Arc::new(Hub {
            sockets: Mutex::default(),
            arrived: Mutex::default(),
            inbox: Arc::new(Inbox::new(Arc::clone(&wake))),
            wake,
        });
        // Only set here, so it is empty.
        let _ = place.set(Arc::clone(&hub));
        Ok(Self { hub, next: 0 })
    }

    /// Starts to connect; returns the socket's number.
    #[napi(catch_unwind)]
    pub fn connect(&mut self, env: &Env, options: SocketOptions) -> Result<u32> {
        let options = connect_options(options)?;
        self.next = self.next.wrapping_add(1);
        let flow = Arc::new(Flow::default());
        let inbound = Arc::<Mutex<Inbound>>::default();
        let sink = InboxSink {
            connection: self.next,
            inbox: Arc::clone(&self.hub.inbox),
            flow: Arc::clone(&flow),
            inbound: Arc::clone(&inbound),
            batch: Batch::default(),
        };
        let connection = transport::connect(options, sink).map_err(|error| Error::from_reason(error.to_string()))?;
        let mut sockets = self.hub.sockets();
        if sockets.is_empty() {
            self.hub.wake.set_alive(env, true);
        }
        sockets.insert(
            self.next,
            Socket {
                connection,
                flow,
                inbound,
            },
        );
        Ok(self.next)
    }

    /// Starts the closing handshake.
    #[napi(catch_unwind)]
    pub fn close(&self, socket: u32) {
        if let Some(socket) = self.hub.sockets().get(&socket) {
            socket.connection.close();
        }
    }

    /// Forgets a socket; one that is not closed yet is dropped, and what it still reports is to be ignored.
    #[napi(catch_unwind)]
    pub fn release(&self, env: &Env, socket: u32) {
        let mut sockets = self.hub.sockets();
        if sockets.remove(&socket).is_some() && sockets.is_empty() {
            self.hub.wake.set_alive(env, false);
        }
    }
}

/// What the environment's thread works on. The locks are never contended but by its own teardown.
pub(super) struct Hub {
    sockets: Mutex<HashMap<u32, Socket>>,
    /// What was taken from the inbox, and how far it has been handed over.
    arrived: Mutex<Arrived>,
    inbox: Arc<Inbox>,
    wake: Arc<Wake>,
}

struct Socket {
    connection: Connection,
    flow: Arc<Flow>,
    inbound: Arc<Mutex<Inbound>>,
}

#[derive(Default)]
struct Arrived {
    batch: Batch,
    taken: Taken,
}

impl Hub {
    fn sockets(&self) -> MutexGuard<'_, HashMap<u32, Socket>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a socket's messages are opened ahead of JavaScript.
    pub(super) fn inbound(&self, socket: u32) -> Option<Arc<Mutex<Inbound>>> {
        self.sockets().get(&socket).map(|socket| Arc::clone(&socket.inbound))
    }
}

/// Words at the start of the shared words: room missing in the slab, in words, in text; 1 where more may come; room taken
/// in the slab.
const HEAD_WORDS: usize = 5;
/// Words of a record: kind, connection, value, payload length, frames, counter of the first frame; lengths of its tapes'
/// words, which follow, of their text and of their content bytes.
const RECORD_WORDS: usize = 9;

/// Memory that batches are handed over in.
pub(super) struct BatchMemory {
    words: Shared,
    text: Shared,
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
        let slab_start = call.u32(1)? as usize;
        let mut slab_at = slab_start;
        let (mut word_at, mut text_at) = (HEAD_WORDS, 0);
        let mut count = 0;
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let Arrived { batch, taken } = &mut *arrived;
        let sockets = self.sockets();
        let head = loop {
            if batch.records.is_empty() {
                *taken = Taken::default();
                self.inbox.take(batch);
            }
            let Some(record) = batch.records.front() else {
                break [0; 4];
            };
            let (words, text, bytes) = taken.parts(&batch.tapes, record);
            let size = record.payload.len() + bytes.len();
            let fits = memory.words.fits_ops(word_at + RECORD_WORDS + words.len())
                && text_at + text.len() <= memory.text.len()
                && slab_at + size <= slab.len();
            if !fits {
                break [size, HEAD_WORDS + RECORD_WORDS + words.len(), text.len(), 1];
            }
            memory.words.write_ops(word_at, &record_words(record));
            memory.words.write_ops(word_at + RECORD_WORDS, words);
            memory.text.write(text_at, text);
            slab.write(slab_at, &record.payload);
            slab.write(slab_at + record.payload.len(), bytes);
            word_at += RECORD_WORDS + words.len();
            text_at += text.len();
            slab_at += size;
            count += 1;
            if let Some(socket) = sockets.get(&record.connection) {
                socket.flow.taken(record);
            }
            taken.advance(record);
            batch.records.pop_front();
        };
        let [size, words, text, more] = head;
        let head = [size, words, text, more, slab_at - slab_start].map(|length| length as i32);
        memory.words.write_ops(0, &head);
        call.int(count)
    }
}

fn record_words(record: &Record) -> [i32; RECORD_WORDS] {
    let (opened, [words, text, bytes]) = record.opened.unwrap_or_default();
    [
        record.kind as i32,
        record.connection.cast_signed(),
        record.value.cast_signed(),
        record.payload.len() as i32,
        opened.frames.cast_signed(),
        // A counter has 32 bits; JavaScript takes it as unsigned.
        opened.counter as i32,
        words as i32,
        text as i32,
        bytes as i32,
    ]
}

/// How much of each part of a batch's tapes has been handed over.
#[derive(Default)]
struct Taken {
    words: usize,
    text: usize,
    bytes: usize,
}

impl Taken {
    /// The next record's tapes.
    fn parts<'t>(&self, tapes: &'t Tapes, record: &Record) -> (&'t [i32], &'t [u8], &'t [u8]) {
        let [words, text, bytes] = record.opened.map_or([0; 3], |(_, lengths)| lengths);
        (
            tapes.words.get(self.words..self.words + words).unwrap_or_default(),
            tapes.text.get(self.text..self.text + text).unwrap_or_default(),
            tapes.bytes.get(self.bytes..self.bytes + bytes).unwrap_or_default(),
        )
    }

    fn advance(&mut self, record: &Record) {
        let [words, text, bytes] = record.opened.map_or([0; 3], |(_, lengths)| lengths);
        self.words += words;
        self.text += text;
        self.bytes += bytes;
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
        call.int(match accepted {
            Accepted::No => 0,
            Accepted::Now => 1,
            Accepted::Later => 2,
        })
    }
}
