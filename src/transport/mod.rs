//! WebSocket over TCP or TLS, directly or through a proxy, on tokio.
//!
//! [`connect`] starts a task that owns the connection and reports to an [`EventSink`]. The returned [`Connection`]
//! sends and closes. The order of events and the errors are those of the npm package `ws`. Baileys uses `ws`, and the
//! code of its users depends on both.
//!
//! The sink is called on an I/O thread, and may process a message before it passes it on. While
//! [`EventSink::poll_ready`] is pending, the connection is not read, and TCP flow control stops the peer.

mod certificate;
mod connection;
mod describe;
mod error;
mod establish;
mod event;
mod frame_check;
mod http;
mod identity;
mod idle;
mod loop_turn;
mod options;
mod proxy;
mod runtime;
#[cfg(feature = "seams")]
pub mod seams;
mod secret;
mod send_queue;
mod stream;
mod task;
mod tcp;
mod tls;
mod verify;
mod websocket;
mod writer;

pub use self::connection::{Connection, Unwritten, WeakSender};
pub use self::error::TransportError;
pub use self::event::{EventSink, TransportEvent};
pub use self::frame_check::{MAX_CONTROL_PAYLOAD, MAX_MESSAGE, Violation};
pub use self::http::{MAX_RESPONSE_HEAD, ResponseError, ResponseHead, UpgradeError};
pub use self::idle::on_idle;
pub use self::loop_turn::{LoopTurn, Timing, TurnSender};
pub use self::options::{ConnectOptions, KeepAliveProbes};
pub use self::proxy::{Proxy, ProxyError, ProxyProtocol};
pub(crate) use self::runtime::runtime;
pub use self::secret::Secret;
pub use self::send_queue::{Accepted, HIGH_WATER};
pub use self::task::connect;
pub use self::tcp::{FailedAttempt, TcpEndpoints};
pub use self::tls::{Identity, Roots, TlsOptionError, TlsOptions, TlsTarget};
pub use self::verify::TrustFailure;

#[cfg(all(test, feature = "loom"))]
mod models;
#[cfg(test)]
mod tests;
