//! [`SharedSession`]: a session, its transports, and the lock around both.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::task::AtomicWaker;
use tokio::sync;

use super::{
    clock::Clock,
    log::{Log, Scope},
};
use crate::{
    failure::Failure,
    session::{ConnectionId, Event, KeyDerivation, Millis, Session, Transmit},
    transport::{Accepted, Connection, Timing},
};

/// The next action of a session's task.
#[derive(Debug)]
pub(super) struct NextAction {
    /// Opens the transport of a connection.
    pub(super) open: Option<ConnectionId>,
    /// Derives a key.
    pub(super) derive: Option<KeyDerivation>,
    /// Waits at most that long.
    pub(super) wait: Option<Duration>,
}

/// Called when there are events to take and the user does not know yet; from any thread, and with no lock held that
/// [`Handle`](super::Handle) needs.
pub type Notify = Box<dyn Fn() + Send + Sync>;

/// A session, its transports, its clock and its log.
pub(super) struct SharedSession {
    inner: Mutex<Inner>,
    clock: Clock,
    notify: Notify,
    log: Option<Arc<Log>>,
    /// Wakes the session's task.
    task: sync::Notify,
    /// The transport's task, where it does not read.
    reader: AtomicWaker,
}

struct Inner {
    session: Session,
    /// The transport of the session's connection.
    transport: Option<(ConnectionId, Connection)>,
    /// Transports whose closing handshake is going on.
    closing: Vec<(ConnectionId, Connection)>,
    /// A transport to be opened.
    to_open: Option<ConnectionId>,
    /// The connection whose transport has enough to send.
    congested: Option<ConnectionId>,
    /// When the session's task looks again by itself.
    armed: Option<Millis>,
    /// Since when the user knows that there are events, and has not come for them.
    notified: Option<Millis>,
    /// Time spent on what came in.
    busy: Duration,
    /// The user has gone.
    over: bool,
}

impl fmt::Debug for SharedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSession")
            .field("session", &self.lock().session)
            .finish_non_exhaustive()
    }
}

impl SharedSession {
    pub(super) fn new(session: Session, notify: Notify, log: Option<Arc<Log>>) -> Self {
        let inner = Inner {
            session,
            transport: None,
            closing: Vec::new(),
            to_open: None,
            congested: None,
            armed: None,
            notified: None,
            busy: Duration::ZERO,
            over: false,
        };
        Self {
            inner: Mutex::new(inner),
            clock: Clock::new(),
            notify,
            log,
            task: sync::Notify::new(),
            reader: AtomicWaker::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends log entries of this thread to the session's log until the result is dropped.
    pub(super) fn scope(&self) -> Option<Scope> {
        self.log.as_ref().filter(|log| !log.is_off()).map(Log::enter)
    }

    /// Lets `act` do something with the session, and then does what the session wants. `timing` says when messages are
    /// written.
    pub(super) fn with<R>(&self, timing: Timing, act: impl FnOnce(&mut Session, Millis) -> R) -> R {
        let _scope = self.scope();
        let mut inner = self.lock();
        let now = self.clock.now();
        let result = act(&mut inner.session, now);
        self.drive(inner, now, timing);
        result
    }

    /// Looks at the session, and does nothing else.
    pub(super) fn inspect<R>(&self, look: impl FnOnce(&Session) -> R) -> R {
        look(&self.lock().session)
    }

    /// Takes events until they weigh so much; returns how much they do.
    pub(super) fn take_events(&self, most: usize, out: &mut Vec<Event>) -> usize {
        let _scope = self.scope();
        let mut inner = self.lock();
        let now = self.clock.now();
        let mut taken = 0;
        // Whoever leaves some will be told again, should there be more.
        if let Some(since) = inner.notified.take() {
            inner.session.events_waited(now.saturating_sub(since));
        }
        while taken < most
            && let Some(event) = inner.session.poll_event(now)
        {
            taken += event.weight();
            out.push(event);
        }
        self.drive(inner, now, Timing::Now);
        taken
    }

    /// Something came in: as [`with`](Self::with), but what the session wants waits for [`settle`](Self::settle). Says
    /// whether the session wants more.
    pub(super) fn receive(&self, act: impl FnOnce(&mut Session, Millis)) -> bool {
        let _scope = self.scope();
        let mut inner = self.lock();
        let start = Instant::now();
        act(&mut inner.session, self.clock.at(start));
        inner.busy += start.elapsed();
        inner.session.wants_data()
    }

    /// Does what the session wants.
    pub(super) fn settle(&self) {
        let _scope = self.scope();
        let inner = self.lock();
        let now = self.clock.now();
        self.drive(inner, now, Timing::Now);
    }

    fn drive(&self, mut guard: MutexGuard<'_, Inner>, now: Millis, timing: Timing) {
        let inner = &mut *guard;
        while inner.is_free()
            && let Some(transmit) = inner.session.poll_transmit(now)
        {
            inner.transmit(transmit, now, timing);
        }
        let next = inner.session.poll_timeout();
        let earlier = next.is_some_and(|next| inner.armed.is_none_or(|armed| next < armed));
        let wake_task = earlier || inner.to_open.is_some() || inner.session.has_derivation();
        let wake_reader = inner.session.wants_data();
        let notify = inner.session.has_events() && inner.notified.is_none();
        if notify {
            inner.notified = Some(now);
        }
        drop(guard);
        if wake_task {
            self.task.notify_one();
        }
        if wake_reader {
            self.reader.wake();
        }
        if notify {
            (self.notify)();
        }
    }

    /// Whether the transport's task should read; if not, it is woken when it should.
    pub(super) fn poll_wants_data(&self, connection: ConnectionId, cx: &std::task::Context<'_>) -> bool {
        let inner = self.lock();
        if inner.session.connection() != Some(connection) {
            // A transport that the session has given up is read to its end, for the closing handshake.
            return true;
        }
        if inner.session.wants_data() {
            return true;
        }
        // Under the lock, so that no change in between is missed.
        self.reader.register(cx.waker());
        false
    }

    /// The transport has room again.
    pub(super) fn written(&self, connection: ConnectionId) {
        let mut inner = self.lock();
        if inner.congested == Some(connection) {
            inner.congested = None;
        }
    }

    /// The peer has closed a connection: it is answered behind what has been sent.
    pub(super) fn answer_close(&self, connection: ConnectionId) {
        let inner = self.lock();
        if let Some((_, transport)) = inner.transport.as_ref().filter(|(id, _)| *id == connection) {
            transport.close();
        }
    }

    /// A transport is gone.
    pub(super) fn forget(&self, connection: ConnectionId) {
        let mut inner = self.lock();
        inner.closing.retain(|(id, _)| *id != connection);
        inner.transport.take_if(|(id, _)| *id == connection);
    }

    /// What the session's task does next; nothing any more where `None`.
    pub(super) fn next_action(&self) -> Option<NextAction> {
        let mut inner = self.lock();
        if inner.over {
            return None;
        }
        let open = inner.to_open.take();
        let derive = inner.session.poll_derivation();
        inner.armed = inner.session.poll_timeout();
        let wait = inner
            .armed
            .map(|at| Duration::from_millis(at.saturating_sub(self.clock.now())));
        Some(NextAction { open, derive, wait })
    }

    pub(super) async fn woken(&self) {
        self.task.notified().await;
    }

    pub(super) fn timeout(&self) {
        self.lock().armed = None;
        self.with(Timing::Now, Session::handle_timeout);
    }

    /// Derives a key for the session; takes its time.
    pub(super) fn derive(&self, derivation: KeyDerivation) {
        let key = derivation.run();
        self.with(Timing::Now, |session, now| session.handle_code_key(now, &key));
    }

    /// Opens the transport of a connection with `connect`, unless the session has given the connection up.
    pub(super) fn open(&self, connection: ConnectionId, connect: impl FnOnce() -> io::Result<Connection>) {
        let mut inner = self.lock();
        if inner.over || inner.session.connection() != Some(connection) {
            return;
        }
        match connect() {
            Ok(transport) => inner.transport = Some((connection, transport)),
            Err(error) => {
                drop(inner);
                self.cannot_open(connection, error.to_string().as_str().into());
            }
        }
    }

    pub(super) fn cannot_open(&self, connection: ConnectionId, failure: Failure) {
        self.with(Timing::Now, |session, now| {
            session.handle_failed(now, connection, failure, None)
        });
    }

    /// Ends the present connection because of a defect.
    pub(super) fn fail(&self, message: &str) {
        let scope = self.scope();
        tracing::error!(message);
        drop(scope);
        let connection = self.lock().session.connection();
        if let Some(connection) = connection {
            self.forget(connection);
            self.cannot_open(connection, Failure::new(message).with_code("ERR_INTERNAL"));
        }
    }

    /// Ends the session for good, after one defect too many.
    pub(super) fn give_up(&self) {
        let connection = self.lock().session.connection();
        if let Some(connection) = connection {
            self.forget(connection);
        }
        self.with(Timing::Now, Session::handle_defect);
    }

    /// Time spent on what came in.
    pub(super) fn busy(&self) -> Duration {
        self.lock().busy
    }

    /// Ends the session and its transports at once: the user has dropped the last handle.
    pub(super) fn finish(&self) {
        let mut inner = self.lock();
        inner.over = true;
        inner.transport = None;
        inner.closing = Vec::new();
        drop(inner);
        self.task.notify_one();
    }
}

impl Inner {
    /// Whether the session may be asked for more to transmit. Only a transport that is still the session's can hold it
    /// back.
    fn is_free(&self) -> bool {
        self.congested.is_none() || self.congested != self.session.connection()
    }

    fn transmit(&mut self, transmit: Transmit, now: Millis, timing: Timing) {
        match transmit {
            Transmit::Open(id) => self.to_open = Some(id),
            Transmit::Message(id, message) => {
                let transport = self.transport.as_ref().filter(|(of, _)| *of == id);
                // One that accepts nothing has ended, and is about to say so.
                if let Some((_, transport)) = transport
                    && transport.send_owned(message, timing) == Accepted::Later
                {
                    self.congested = Some(id);
                }
            }
            Transmit::Ping(id) => {
                if let Some((_, transport)) = self.transport.as_ref().filter(|(of, _)| *of == id)
                    && transport.ping(&[]) == Accepted::Later
                {
                    self.congested = Some(id);
                }
            }
            Transmit::Close(id) => {
                if let Some((id, transport)) = self.transport.take_if(|(of, _)| *of == id) {
                    transport.close();
                    self.closing.push((id, transport));
                } else {
                    // Not opened yet: nobody else would say that it is closed.
                    self.to_open.take_if(|wanted| *wanted == id);
                    self.session.handle_closed(now, id);
                }
            }
        }
    }
}
