//! [`Handle`].

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::shared_session::SharedSession;
use crate::session::{Event, Millis, Session};
use crate::transport::Timing;

/// The user's end of a session. The session ends, at once and without another event, with the last of its handles.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Owner>);

#[derive(Debug)]
struct Owner(Arc<SharedSession>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl Handle {
    pub(super) fn new(core: Arc<SharedSession>) -> Self {
        Self(Arc::new(Owner(core)))
    }

    /// Looks at the session, and does nothing else. The same holds for `look` as for `act` of [`with`](Self::with).
    pub fn inspect<R>(&self, look: impl FnOnce(&Session) -> R) -> R {
        self.0.0.inspect(look)
    }

    /// Gives the session a command: `act` gets it and the present time. What the session wants done is
    /// done before this returns, short of waiting.
    ///
    /// `act` holds the session up: it should be short, and must not use a handle of the same session.
    pub fn with<R>(&self, act: impl FnOnce(&mut Session, Millis) -> R) -> R {
        self.0.0.with(Timing::Now, act)
    }

    /// As [`with`](Self::with), but messages may be held until the end of the event loop's turn. For the thread of the loop
    /// only, and only if it [ends](crate::transport::LoopTurn::end) the turn afterwards.
    pub fn with_in_turn<R>(&self, act: impl FnOnce(&mut Session, Millis) -> R) -> R {
        self.0.0.with(Timing::EndOfTurn, act)
    }

    /// Appends the next events to `out`, until they are so many by [weight](Event::weight), and returns how many they are.
    /// Where it gives fewer there were no more. [`Notify`](super::Notify) is called where there are.
    pub fn take_events(&self, most: usize, out: &mut Vec<Event>) -> usize {
        self.0.0.take_events(most, out)
    }

    /// A handle that does not keep the session.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle {
        WeakHandle(Arc::downgrade(&self.0))
    }

    /// The time that was spent on opening, inflating and taking apart what came in.
    #[must_use]
    pub fn busy(&self) -> Duration {
        self.0.0.busy()
    }
}

/// Like a [`Handle`], but the session ends without regard to it.
#[derive(Clone, Debug)]
pub struct WeakHandle(Weak<Owner>);

impl WeakHandle {
    /// A handle, unless the session has ended.
    #[must_use]
    pub fn upgrade(&self) -> Option<Handle> {
        self.0.upgrade().map(Handle)
    }
}
