//! A session for tests, with transports over memory.

use std::{future::Future, sync::Arc};

use tokio::io::{DuplexStream, duplex};

use super::{handle::Handle, shared_session::SharedSession, sink::SessionSink};
use crate::{session::Session, transport};

/// Capacity of a transport in bytes, in each direction.
const CAPACITY: usize = 64 * 1024;

/// A session without threads. The test runs the steps of its task, and the tasks of its transports.
#[derive(Debug)]
pub struct ManualSession(Arc<SharedSession>);

impl ManualSession {
    /// A session, and the handle of its user.
    #[must_use]
    pub fn new(session: Session) -> (Self, Handle) {
        let shared = Arc::new(SharedSession::new(session, Box::new(|| {}), None, None));
        (Self(Arc::clone(&shared)), Handle::new(shared))
    }

    /// Opens the transport that the session wants. Returns the server's end and the task of the transport.
    pub fn open(&self) -> Option<(DuplexStream, impl Future<Output = ()> + use<>)> {
        let connection = self.0.next_action()?.open?;
        let (near, far) = duplex(CAPACITY);
        let sink = SessionSink::new(Arc::clone(&self.0), connection);
        let mut opened = None;
        self.0.open(connection, || {
            let (transport, task) = transport::seams::open(near, Vec::new(), sink);
            opened = Some((far, task));
            Ok(transport)
        });
        opened
    }
}
