//! Defines [`Handle`].

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::{lease::Lease, shared_session::SharedSession};
use crate::session::{Millis, PairingError, Session, SessionEvent};
use crate::transport::Timing;

/// The user's reference to a session. When the last handle is dropped, the session ends at once, without another event.
#[derive(Clone, Debug)]
pub struct Handle(Arc<FinishOnDrop>);

#[derive(Debug)]
struct FinishOnDrop(Arc<SharedSession>);

impl Drop for FinishOnDrop {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl Handle {
    pub(super) fn new(core: Arc<SharedSession>) -> Self {
        Self(Arc::new(FinishOnDrop(core)))
    }

    /// Reads the session without executing its requests. The restrictions of [`with`](Self::with) apply to `look`.
    pub fn inspect<R>(&self, look: impl FnOnce(&Session) -> R) -> R {
        self.0.0.inspect(look)
    }

    /// Calls `act` with the session and the current time. Before this returns, the requests of the session are executed
    /// as far as possible without waiting.
    ///
    /// `act` holds the session's lock. It must be short, and must not use a handle of the same session.
    pub fn with<R>(&self, act: impl FnOnce(&mut Session, Millis) -> R) -> R {
        self.0.0.with(Timing::Now, act)
    }

    /// As [`with`](Self::with), but messages may be held until the end of the event loop's turn. Only the thread of the
    /// loop may call this, and it must [end](crate::transport::LoopTurn::end) the turn afterwards.
    pub fn with_in_turn<R>(&self, act: impl FnOnce(&mut Session, Millis) -> R) -> R {
        self.0.0.with(Timing::EndOfTurn, act)
    }

    /// Asks the server to pair this device with an account, with `code` or with a random code. Returns the code that the
    /// user types on the phone. The derivation of its key blocks this thread for tens of milliseconds, but not the
    /// session.
    ///
    /// # Errors
    /// Same errors as [`Session::prepare_pairing_code`] and [`Session::request_pairing_code`].
    pub fn request_pairing_code(&self, phone_number: &str, code: Option<&str>) -> Result<String, PairingError> {
        let derivation = self.with(|session, now| session.prepare_pairing_code(now, code))?;
        let key = derivation.run();
        self.with(|session, now| session.request_pairing_code(now, phone_number, &key))
    }

    /// Sets the lease: the session may be connected until it ends. `None`, the initial value, means without an end. At
    /// the end of the lease the connection is dropped, together with the stanzas that wait for it. The session ends
    /// with [`EndReason::LeaseEnded`](crate::session::EndReason::LeaseEnded). It does not connect while its lease is
    /// over.
    pub fn set_lease(&self, lease: Option<Arc<Lease>>) {
        self.0.0.set_lease(lease);
    }

    /// Appends the next events to `out`, until their total [weight](SessionEvent::weight) is at least `most`. Returns
    /// the total weight. If it is less than `most`, there are no more events. [`NotifyUser`](super::NotifyUser) is
    /// called when there are new ones.
    pub fn take_events(&self, most: usize, out: &mut Vec<SessionEvent>) -> usize {
        self.0.0.take_events(most, out)
    }

    /// Writes all stanzas that were sent, as far as the operating system accepts data. It waits while a transport is
    /// read. It is for the end of the process: the threads of the runtime may not run again.
    pub fn write_all(&self) {
        self.0.0.write_all();
    }

    /// A handle that does not keep the session alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle {
        WeakHandle(Arc::downgrade(&self.0))
    }

    /// The total time spent on decryption, decompression and decoding of received data.
    #[must_use]
    pub fn busy(&self) -> Duration {
        self.0.0.busy()
    }
}

/// A reference to a session that does not keep the session alive.
#[derive(Clone, Debug)]
pub struct WeakHandle(Weak<FinishOnDrop>);

impl WeakHandle {
    /// Returns a handle. Returns `None` if the session has ended.
    #[must_use]
    pub fn upgrade(&self) -> Option<Handle> {
        self.0.upgrade().map(Handle)
    }
}
