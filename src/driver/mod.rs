//! Runs sessions on transports, with the system's clock, random numbers and threads.
//!
//! A session is not bound to a thread; a lock protects it. Three callers take the lock: the transport's task with
//! received data, the user with a command, and the session's own task when a timer expires or a transport has to be
//! opened. The caller that changed the session then executes the session's requests. Therefore received data is
//! processed on the thread that reads it, also while the user's thread is busy.
//!
//! [`start`] creates a session and its task. The user controls it with a [`Handle`].

mod clock;
mod connect_limiter;
mod endpoint;
mod handle;
mod lease;
mod log_queue;
#[cfg(all(test, feature = "loom"))]
mod models;
mod pending_connections;
#[cfg(feature = "seams")]
pub mod seams;
mod shared_session;
mod sink;
mod task;

pub use self::{
    connect_limiter::ConnectLimiter,
    endpoint::{AskOptions, Endpoint, OptionsAnswer},
    handle::{Handle, WeakHandle},
    lease::{Lease, Leases},
    log_queue::LogQueue,
    pending_connections::PendingConnections,
    shared_session::NotifyUser,
    task::start,
};
