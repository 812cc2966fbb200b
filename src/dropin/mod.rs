//! The drop-in's connections: everything between the transport and JavaScript that needs neither Node-API nor JavaScript.
//!
//! An [`Environment`] owns the sockets of one Node.js environment. A socket's events are written as records into a
//! [`Batch`] (by its [`EventSink`]), wait in the environment's [`Inbox`], and are taken by JavaScript many at a time. A
//! socket and the [`NoiseHandler`] that sends through it share a [`ConnectionState`]: that is what lets the I/O side open
//! frames ahead of JavaScript and [keep the connection alive](keep_alive) while JavaScript is blocked, which the
//! [`LoopMonitor`] tells.

mod batch;
mod connection_state;
mod counters;
mod environment;
mod event_sink;
mod flow;
mod inbox;
pub mod keep_alive;
mod loop_monitor;
mod noise_handler;
mod process_metrics;

pub use batch::{Batch, Records, Room};
pub use connection_state::ConnectionState;
pub use counters::{Counter, SocketCounters, SocketState, SocketTotals};
pub use environment::{Drained, Environment, RECORDS_AT_ONCE, RecordSource};
pub use event_sink::{DescribeError, EventSink};
pub use flow::{Flow, HIGH_WATER, LOW_WATER};
pub use inbox::Inbox;
pub use loop_monitor::{LoopCounters, LoopMonitor};
pub use noise_handler::{Frame, FrameOpenError, NoiseHandler};
pub use process_metrics::{EnrolledSession, ProcessMetrics, ProcessSnapshot};
