//! Sessions on transports: with the real clock, real randomness, and threads.
//!
//! A session belongs to no thread. A lock protects it, and each side that has something for it takes the lock: the
//! transport's task with what came in, the user with a command, and the session's own task when time has passed or a
//! transport is to be opened. The side that changed the session then does what the session wants done. So what comes in is
//! processed where it is read, with no other task in between, also while the user's thread is busy.
//!
//! [`start`] makes a session and its task; the [`Handle`] is the user's end.

mod clock;
mod endpoint;
mod handle;
mod log;
mod lookup;
mod shared_session;
mod sink;
mod task;

pub use self::{
    endpoint::Endpoint,
    handle::{Handle, WeakHandle},
    log::{Log, LogEntry, LogValue, TakeEntry},
    shared_session::Notify,
    task::start,
};
