//! The session with WhatsApp, from WebSocket messages to stanzas. It does no input or output.
//!
//! [`Session`] is a state machine, similar to quinn-proto's `Connection`. The driver provides the clock, randomness and
//! the transport. The documentation of `Session` gives the order of calls. `docs/session.md` describes states, events
//! and policies.

pub mod code;
mod code_key;
mod commands;
mod config;
mod connection;
mod credentials;
mod dispatch;
mod end_reason;
mod entropy;
mod error;
mod event;
mod frame_times;
mod head_filter;
mod incoming;
mod input;
mod keepalive;
mod lifecycle;
mod log;
pub mod login;
mod machine;
mod metrics;
mod nodes;
mod outgoing;
pub mod pairing;
mod patterns;
mod queries;
mod reconnect;
mod stanza;
mod stanzas;
mod state;
mod time;
mod timers;
mod watermark;
mod with_id;

pub use self::code_key::{CodeKey, KeyDerivation};
pub use self::commands::{Query, Sent};
pub use self::config::{Config, QueueLimits, ReconnectClass, ReconnectConfig};
pub use self::connection::KnownServer;
pub use self::credentials::{
    Account, CREDENTIALS_ENTROPY, Credentials, CredentialsUpdate, Me, SignalIdentity, SignedPreKey, signal_key,
};
pub use self::end_reason::EndReason;
pub use self::entropy::Entropy;
pub use self::error::{LoginError, PairingError, QueryError, SendError};
pub use self::event::{ConnectionId, SessionEvent, Transmit};
pub use self::frame_times::{FrameTimes, Stopwatch};
#[cfg(feature = "transport")]
pub(crate) use self::frame_times::{duration_as_ms, nanos_as_ms};
pub(crate) use self::log::log;
pub use self::log::{Log, LogEntry, LogLevel, LogValue, WriteEntry};
pub use self::machine::Session;
pub use self::metrics::{HandshakeKind, HandshakeTime, Histogram, LoopStalls, Metrics, QueueMetrics};
pub use self::outgoing::{SendId, SendReadiness};
pub use self::patterns::{Pattern, PatternError, PatternId};
pub use self::queries::{QueryId, QueryOptions};
pub use self::reconnect::ReconnectPlan;
pub use self::stanza::Stanza;
pub use self::stanzas::Stanzas;
pub use self::state::{SessionState, StateChange, Trigger, transition_table};
pub use self::time::Millis;
pub use crate::wire::PayloadError;

use self::machine::Scratch;
