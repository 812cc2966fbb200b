//! The native half of `WebSocketClient`: all sockets of one environment.

use std::collections::{HashMap, VecDeque};
use std::ffi::CStr;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use napi::bindgen_prelude::{Buffer, Function, Object};
use napi::{Env, Error, Result};
use napi_derive::napi;

use super::events::{Flow, Inbox, InboxSink, RECORD_WORDS, Record};
use super::raw::{self, Call, CallError, RawFunction, Wake};
use crate::transport::{self, Accepted, ConnectOptions, Connection, Roots, TlsOptions, TlsTarget};

/// Where and how a socket connects.
#[napi(object)]
pub struct SocketOptions {
    /// IP addresses to try, in order.
    pub addresses: Vec<String>,
    /// The port.
    pub port: u16,
    /// The IP address to connect from.
    pub local_address: Option<String>,
    /// TLS settings, for `wss:`.
    pub tls: Option<SocketTlsOptions>,
    /// The `Host` header's value.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// Header names and values in turn.
    pub headers: Vec<String>,
    /// The `Origin` header's value.
    pub origin: String,
    /// Milliseconds that a step of the opening may take; unlimited where absent.
    pub handshake_timeout: Option<f64>,
}

/// TLS settings of a socket.
#[napi(object)]
pub struct SocketTlsOptions {
    /// The name that the certificate must be valid for.
    pub server_name: String,
    /// Whether the certificate must be valid.
    pub reject_unauthorized: bool,
    /// Roots that replace the usual ones, PEM or DER.
    pub ca: Option<Vec<Buffer>>,
    /// Certificate chain, PEM.
    pub cert: Option<Buffer>,
    /// Private key, PEM.
    pub key: Option<Buffer>,
    /// A PEM file of additional roots.
    pub extra_ca_file: Option<String>,
    /// Whether the system's store is trusted as well.
    pub system_ca: bool,
}

/// The sockets of one environment. JavaScript knows each by a number that is never used twice.
#[napi]
pub struct SocketHub {
    hub: Arc<Hub>,
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
        let sink = InboxSink {
            connection: self.next,
            inbox: Arc::clone(&self.hub.inbox),
            flow: Arc::clone(&flow),
            batch: Vec::new(),
        };
        let connection = transport::connect(options, sink).map_err(|error| Error::from_reason(error.to_string()))?;
        let mut sockets = self.hub.sockets();
        if sockets.is_empty() {
            self.hub.wake.set_alive(env, true);
        }
        sockets.insert(self.next, Socket { connection, flow });
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

    /// The functions that are called per message or batch:
    /// `drain(slab, offset, words)` and `send(socket, bytes, isText)`.
    #[napi(
        catch_unwind,
        ts_return_type = "{ drain(slab: Uint8Array, offset: number, words: Uint32Array): number; send(socket: number, bytes: Uint8Array, isText: 0 | 1): number }"
    )]
    pub fn hot_functions<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let mut functions = Object::new(env)?;
        functions.set("drain", raw::function::<Drain>(env, Arc::clone(&self.hub))?)?;
        functions.set("send", raw::function::<Send>(env, Arc::clone(&self.hub))?)?;
        Ok(functions)
    }
}

/// What the environment's thread works on. The locks are never contended but by its own teardown.
pub(super) struct Hub {
    sockets: Mutex<HashMap<u32, Socket>>,
    /// Records taken from the inbox that did not fit the last drain.
    arrived: Mutex<VecDeque<Record>>,
    inbox: Arc<Inbox>,
    wake: Arc<Wake>,
}

struct Socket {
    connection: Connection,
    flow: Arc<Flow>,
}

impl Hub {
    fn sockets(&self) -> MutexGuard<'_, HashMap<u32, Socket>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes records into `words` and their payloads, one behind the other, into `slab` from `offset` on. Returns the
/// number of records. The first word becomes the size of the next payload where that did not fit, the second 1 where
/// more may come; records begin at [`RECORD_WORDS`].
struct Drain;

impl RawFunction for Drain {
    type State = Hub;
    const NAME: &'static CStr = c"drain";

    fn call(hub: &Hub, call: &Call<'_>) -> std::result::Result<u32, CallError> {
        let offset = call.u32(1)? as usize;
        let (slab, words) = call.outputs(0, 2)?;
        let mut slab = slab.get_mut(offset..).unwrap_or_default();
        let mut places = words.chunks_exact_mut(RECORD_WORDS);
        let Some(head) = places.next() else {
            return Err(CallError::Argument(2));
        };
        let (mut count, mut needed, mut more) = (0, 0, 1);
        let mut arrived = hub.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let sockets = hub.sockets();
        for place in places {
            if arrived.is_empty() {
                hub.inbox.take(&mut arrived);
            }
            let Some(record) = arrived.front() else {
                more = 0;
                break;
            };
            let Some((target, rest)) = std::mem::take(&mut slab).split_at_mut_checked(record.payload.len()) else {
                needed = u32::try_from(record.payload.len()).unwrap_or(u32::MAX);
                break;
            };
            target.copy_from_slice(&record.payload);
            slab = rest;
            let length = u32::try_from(record.payload.len()).unwrap_or(u32::MAX);
            place.copy_from_slice(&[record.kind as u32, record.connection, record.value, length]);
            count += 1;
            if let Some(socket) = sockets.get(&record.connection) {
                socket.flow.taken(record);
            }
            arrived.pop_front();
        }
        if let [first, second, ..] = head {
            *first = needed;
            *second = more;
        }
        Ok(count)
    }
}

/// Queues a message. Returns 0 where the socket takes none any more, 1 where it is accepted, 2 where it will count as
/// accepted once a `Written` record says so.
struct Send;

impl RawFunction for Send {
    type State = Hub;
    const NAME: &'static CStr = c"send";

    fn call(hub: &Hub, call: &Call<'_>) -> std::result::Result<u32, CallError> {
        let sockets = hub.sockets();
        let Some(socket) = sockets.get(&call.u32(0)?) else {
            return Ok(0);
        };
        let bytes = call.bytes(1)?;
        let accepted = if call.u32(2)? == 0 {
            socket.connection.send_binary(bytes)
        } else {
            socket
                .connection
                .send_text(std::str::from_utf8(bytes).map_err(|_| CallError::Argument(1))?)
        };
        Ok(match accepted {
            Accepted::No => 0,
            Accepted::Now => 1,
            Accepted::Later => 2,
        })
    }
}

fn connect_options(options: SocketOptions) -> Result<ConnectOptions> {
    let parse = |text: &String| {
        text.parse::<IpAddr>()
            .map_err(|_| Error::from_reason(format!("not an address: {text}")))
    };
    let mut addresses = Vec::with_capacity(options.addresses.len());
    for address in &options.addresses {
        addresses.push(SocketAddr::new(parse(address)?, options.port));
    }
    let mut headers = Vec::with_capacity(options.headers.len() / 2);
    let mut fields = options.headers.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        headers.push((name, value));
    }
    Ok(ConnectOptions {
        addresses,
        local_address: options.local_address.as_ref().map(parse).transpose()?,
        tls: options.tls.map(tls_target),
        host: options.host,
        target: options.target,
        headers,
        origin: options.origin,
        handshake_timeout: options
            .handshake_timeout
            .filter(|&limit| limit > 0.0)
            .and_then(|limit| Duration::try_from_secs_f64(limit / 1000.0).ok()),
    })
}

fn tls_target(options: SocketTlsOptions) -> TlsTarget {
    let roots = match options.ca {
        Some(sources) => Roots::Given(sources.into_iter().map(Vec::from).collect()),
        None => Roots::Bundled {
            extra: options.extra_ca_file.map(Into::into),
            system: options.system_ca,
        },
    };
    let identity = options
        .cert
        .zip(options.key)
        .map(|(cert, key)| (cert.into(), key.into()));
    TlsTarget {
        options: TlsOptions {
            roots,
            reject_unauthorized: options.reject_unauthorized,
            identity,
        },
        server_name: options.server_name,
    }
}
