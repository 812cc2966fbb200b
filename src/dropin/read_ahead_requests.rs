//! Requests of the noise handler to the read-ahead of its connection.

use std::fmt;
use std::sync::PoisonError;

use crate::read_ahead::ReadAhead;
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering};

type Request = Box<dyn FnOnce(&mut ReadAhead) + Send>;

/// Requests to the read-ahead of one connection.
///
/// The event sink of the socket owns the [`ReadAhead`] and opens frames without a lock. It carries out all requests
/// that were made before it handles a message.
pub struct ReadAheadRequests {
    /// Whether the sink must lock `queue`: there is a request, or no message was received yet.
    is_changed: AtomicBool,
    queue: Mutex<RequestQueue>,
}

#[derive(Default)]
struct RequestQueue {
    has_received: bool,
    requests: Vec<Request>,
}

impl Default for ReadAheadRequests {
    fn default() -> Self {
        Self {
            is_changed: AtomicBool::new(true),
            queue: Mutex::new(RequestQueue::default()),
        }
    }
}

impl fmt::Debug for ReadAheadRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAheadRequests").finish_non_exhaustive()
    }
}

impl ReadAheadRequests {
    fn lock(&self) -> MutexGuard<'_, RequestQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, mut queue: MutexGuard<'_, RequestQueue>, request: Request) {
        queue.requests.push(request);
        self.is_changed.store(true, Ordering::Release);
    }

    /// Requests [`ReadAhead::link`]. Returns false if a message was already received; nothing is requested then.
    pub fn link(&self) -> bool {
        let queue = self.lock();
        let can_link = !queue.has_received;
        if can_link {
            self.add(
                queue,
                Box::new(|read_ahead| {
                    read_ahead.link();
                }),
            );
        }
        can_link
    }

    /// Requests a change of the read-ahead.
    pub fn add_request(&self, request: impl FnOnce(&mut ReadAhead) + Send + 'static) {
        self.add(self.lock(), Box::new(request));
    }

    /// Carries out the requests. The sink calls this before it handles a message. Without a new request, this does not
    /// lock.
    pub fn apply(&self, read_ahead: &mut ReadAhead) {
        if !self.is_changed.load(Ordering::Acquire) {
            return;
        }
        let requests = {
            let mut queue = self.lock();
            queue.has_received = true;
            // Relaxed, because `is_changed` is only written while the lock is held.
            self.is_changed.store(false, Ordering::Relaxed);
            std::mem::take(&mut queue.requests)
        };
        for request in requests {
            request(read_ahead);
        }
    }
}
