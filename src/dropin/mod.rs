//! The drop-in's connections: the code between the transport and JavaScript that does not need Node-API.
//!
//! An [`Environment`] owns the sockets of one Node.js environment. The [`SocketSink`] of a socket writes events as
//! records to a [`Batch`]. The records wait in the environment's [`Inbox`]. JavaScript takes many records at once.
//!
//! A socket and the [`NoiseHandler`] of its connection share a [`ConnectionState`]. With it, the I/O thread can open
//! frames before JavaScript asks for them, and can [keep the connection alive](keep_alive) while JavaScript is blocked.
//! The [`LoopMonitor`] detects that JavaScript is blocked.

mod batch;
mod connection_state;
mod counters;
mod environment;
mod flow;
mod inbox;
pub mod keep_alive;
mod loop_monitor;
#[cfg(all(test, feature = "loom"))]
mod models;
mod noise_handler;
mod process_metrics;
mod read_ahead_requests;
mod socket_sink;

pub use batch::{Batch, Records, Room};
pub use connection_state::ConnectionState;
pub use counters::{Counter, SocketCounters, SocketMetrics, SocketState};
pub use environment::{Drained, Environment, RECORDS_AT_ONCE, RecordSource};
pub use flow::{Flow, HIGH_WATER, LOW_WATER};
pub use inbox::Inbox;
pub use loop_monitor::{KeptAlive, LoopCounters, LoopMonitor};
pub use noise_handler::{Frame, FrameOpenError, NoiseHandler};
pub use process_metrics::{EnrolledSession, ProcessMetrics, ProcessSnapshot, SocketSnapshot};
pub use read_ahead_requests::ReadAheadRequests;
pub use socket_sink::{DescribeError, SocketSink};
