//! The native part of `WebSocketClient`: the sockets of one environment.

use std::sync::{Arc, LazyLock, OnceLock};

use napi::bindgen_prelude::Function;
use napi::{Env, Error, Result};
use napi_derive::napi;

use super::core::{BatchMemory, Core, JsEnvironment};
use super::process_metrics::METRICS;
use super::raw::{Exception, SharedMemory, Wake, raw_function};
use super::socket_options::{SocketOptions, connect_options, probes};
use super::trim::trim;
use crate::abi::{accepted, batch_head, record};
use crate::dropin::Room;
use crate::transport::{self, Accepted, TcpEndpoints, TransportError};

/// The sockets and sessions of one environment. JavaScript identifies each by a number. Numbers are not used again.
#[napi]
pub struct NodeEnvironment {
    shared: Arc<SharedEnvironment>,
}

/// The endpoints of a socket's TCP connection.
#[napi(object)]
pub struct SocketEndpoints {
    pub local_address: String,
    pub local_port: u16,
    pub remote_address: String,
    pub remote_port: u16,
}

/// An environment and the wake of its event loop.
pub(super) struct SharedEnvironment {
    pub(super) environment: Arc<JsEnvironment>,
    wake: Arc<Wake>,
}

impl SharedEnvironment {
    /// Keeps the event loop running while the environment is active.
    pub(super) fn update_loop(&self, env: &Env) {
        self.wake.set_referenced(env, self.environment.is_active());
    }
}

impl NodeEnvironment {
    pub(super) const fn shared(&self) -> &Arc<SharedEnvironment> {
        &self.shared
    }

    pub(super) fn environment(&self) -> &Arc<JsEnvironment> {
        &self.shared.environment
    }
}

#[napi]
impl NodeEnvironment {
    /// Creates an environment. `wake` is called when there can be records to drain.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: &Env, wake: Function<'_, (), ()>) -> Result<Self> {
        transport::on_idle(trim);
        // The exit hook is created before the environment that it clears.
        let place: Arc<OnceLock<Arc<JsEnvironment>>> = Arc::default();
        let at_exit = {
            let place = Arc::clone(&place);
            move || {
                if let Some(environment) = place.get() {
                    environment.clear();
                }
            }
        };
        let wake = Wake::new(env, &wake, at_exit)?;
        let environment = Arc::new(JsEnvironment::new(Arc::clone(LazyLock::force(&METRICS)), {
            let wake = Arc::clone(&wake);
            move || wake.wake()
        }));
        // This cannot fail: the value is only set here.
        let _ = place.set(Arc::clone(&environment));
        Ok(Self {
            shared: Arc::new(SharedEnvironment { environment, wake }),
        })
    }

    /// Starts the threads of the connections, if they do not run yet. Returns the JSON of the failure if they cannot be
    /// started, for example because the process has no free file descriptors.
    #[napi(catch_unwind)]
    pub fn start(&self) -> Option<String> {
        let error = self.environment().turn().err()?;
        Some(describe_error(&TransportError::Start(error)))
    }

    /// Starts to connect. Returns the number of the socket. Call `start` first.
    #[napi(catch_unwind)]
    pub fn connect(&self, env: &Env, options: SocketOptions) -> Result<u32> {
        let options = connect_options(options)?;
        let number = self
            .environment()
            .connect(options, describe_error)
            .map_err(|error| Error::from_reason(error.to_string()))?;
        self.shared.update_loop(env);
        Ok(number)
    }

    /// Starts the closing handshake.
    #[napi(catch_unwind)]
    pub fn close(&self, socket: u32) {
        self.environment().close(socket);
    }

    /// Stops or continues reading of a socket.
    #[napi(catch_unwind)]
    pub fn set_paused(&self, socket: u32, is_paused: bool) {
        self.environment().set_paused(socket, is_paused);
    }

    /// The endpoints of an open socket's TCP connection.
    #[napi(catch_unwind)]
    pub fn endpoints(&self, socket: u32) -> Option<SocketEndpoints> {
        let TcpEndpoints { local, peer } = self.environment().endpoints(socket)?;
        Some(SocketEndpoints {
            local_address: local.ip().to_string(),
            local_port: local.port(),
            remote_address: peer.ip().to_string(),
            remote_port: peer.port(),
        })
    }

    /// Starts TCP keep-alive on an open socket, or stops it if no seconds are given; see `SocketOptions`.
    #[napi(catch_unwind)]
    pub fn set_keep_alive(&self, socket: u32, seconds: Option<u32>) {
        self.environment().set_probes(socket, seconds.map(probes));
    }

    /// Sets TCP_NODELAY of an open socket: small packets are sent at once.
    #[napi(catch_unwind)]
    pub fn set_no_delay(&self, socket: u32, is_on: bool) {
        self.environment().set_no_delay(socket, is_on);
    }

    /// Removes a socket. If it is not closed yet, its connection is aborted. Its later records must be ignored.
    #[napi(catch_unwind)]
    pub fn release(&self, env: &Env, socket: u32) {
        if self.environment().release(socket) {
            self.shared.update_loop(env);
        }
    }
}

raw_function! {
    /// `shareBatch(words: Int32Array, text: Uint8Array)`: sets the memory for `drain`. It is used until the next call
    /// of `shareBatch`.
    ShareBatch, "shareBatch", 2, |call, core: Core| {
        let memory = BatchMemory { words: SharedMemory::new(call, 0)?, text: SharedMemory::new(call, 1)? };
        if memory.words.len() < (batch_head::WORDS + record::WORDS) * size_of::<i32>() {
            return Err(Exception::Type("the shared memory is too small"));
        }
        *core.batch()? = Some(memory);
        call.undefined()
    }
}

raw_function! {
    /// `drain(slab: Uint8Array, offset)`: writes records to the shared memory until it is full. Their payloads and
    /// content bytes are written to the slab from `offset` on. Returns the number of records.
    Drain, "drain", 2, |call, core: Core| {
        let mut memory = core.batch()?;
        let BatchMemory { words, text } = memory.as_mut().ok_or(Exception::Type("no memory is shared yet"))?;
        let slab_at = call.u32(1)? as usize;
        let mut slab = call.output(0)?;
        let room = Room {
            words: (words.len() / size_of::<i32>()).saturating_sub(batch_head::WORDS),
            text: text.len(),
            bytes: slab.len().saturating_sub(slab_at),
        };
        let count = core.environment.drain(room, |drained| {
            let records = drained.records;
            let mut head = [0; batch_head::WORDS];
            let mut set = |place: usize, number: usize| {
                if let Some(word) = head.get_mut(place) {
                    *word = i32::try_from(number).unwrap_or(i32::MAX);
                }
            };
            set(batch_head::SLAB_NEEDED, records.needed.bytes);
            set(batch_head::WORDS_NEEDED, batch_head::WORDS + records.needed.words);
            set(batch_head::TEXT_NEEDED, records.needed.text);
            set(batch_head::HAS_MORE, drained.has_more.into());
            set(batch_head::SLAB_TAKEN, records.bytes.len());
            set(batch_head::STALLED_MS, usize::try_from(drained.stalled).unwrap_or(usize::MAX));
            set(batch_head::TEXT_TAKEN, records.text.len());
            words.write_ops(0, &head);
            words.write_ops(batch_head::WORDS, records.words);
            text.write(0, records.text);
            slab.write(slab_at, records.bytes);
            records.count
        });
        call.int(count)
    }
}

raw_function! {
    /// `send(socket, bytes, isText)`: queues a message. The result is a value of `accepted`.
    Send, "send", 3, |call, core: Core| {
        let is_text = call.u32(2)? != 0;
        let result = core
            .environment
            .send(call.u32(0)?, &call.bytes(1)?, is_text)
            .map_err(|_| Exception::Type("a text message must be valid UTF-8"))?;
        call.int(accepted_code(result))
    }
}

/// The result of `send` and `sendControl`.
const fn accepted_code(accepted: Accepted) -> i32 {
    match accepted {
        Accepted::No => accepted::NO,
        Accepted::Now => accepted::NOW,
        Accepted::Later => accepted::LATER,
    }
}

raw_function! {
    /// `sendControl(socket, payload, isPong)`: queues a ping or pong. The result is that of `send`.
    SendControl, "sendControl", 3, |call, core: Core| {
        let (payload, is_pong) = (call.bytes(1)?, call.u32(2)? != 0);
        if payload.len() > transport::MAX_CONTROL_PAYLOAD {
            return Err(Exception::Type("the payload of a ping or pong must have at most 125 bytes"));
        }
        call.int(accepted_code(core.environment.send_control(call.u32(0)?, &payload, is_pong)))
    }
}

raw_function! {
    /// `buffered(socket)`: the number of accepted bytes that were not passed to the operating system yet.
    Buffered, "buffered", 1, |call, core: Core| {
        call.int(i32::try_from(core.environment.buffered(call.u32(0)?)).unwrap_or(i32::MAX))
    }
}

raw_function! {
    /// `endTurn()`: reports the end of a turn of the event loop. Messages that were held in the turn are written.
    EndTurn, "endTurn", 0, |call, core: Core| {
        core.environment.end_turn();
        call.undefined()
    }
}

raw_function! {
    /// `writeAll()`: writes all messages that were sent, as far as the operating system accepts data. It is for the end of
    /// the process: it can wait for the I/O thread.
    WriteAll, "writeAll", 0, |call, core: Core| {
        core.environment.write_all();
        call.undefined()
    }
}

raw_function! {
    /// `heartbeat()`: reports that the JavaScript thread is running.
    Heartbeat, "heartbeat", 0, |call, core: Core| {
        core.environment.monitor().heartbeat();
        call.undefined()
    }
}

raw_function! {
    /// `silence(socket)`: the time since data was received, in milliseconds. 0 if data is waiting for JavaScript. -1 if
    /// there is no such socket.
    Silence, "silence", 1, |call, core: Core| {
        let silence = core
            .environment
            .connection_state(call.u32(0)?)
            .map_or(-1, |state| i32::try_from(state.silence(core.environment.monitor())).unwrap_or(i32::MAX));
        call.int(silence)
    }
}

/// The description of an error as JSON for `js/shared/transport-error.cjs`.
fn describe_error(error: &TransportError) -> String {
    serde_json::to_string(&error.describe()).unwrap_or_else(|error| {
        // This cannot fail: the value has only string keys, and there is no writer.
        serde_json::json!({ "name": "Error", "message": error.to_string() }).to_string()
    })
}
