//! [`SharedSession`]: a session and its transports, protected by a lock.

use std::{
    fmt, io,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use super::{clock::Clock, connect_limiter::ConnectLimiter, lease::Lease};
use crate::{
    failure::Failure,
    session::{ConnectionId, KeyDerivation, Log, Millis, Session, SessionEvent, SessionState, Transmit, log},
    sync::{self, AtomicWaker, Mutex, MutexGuard},
    transport::{Accepted, Connection, Timing, TransportError},
};

/// The next action of a session's task.
#[derive(Debug)]
pub(super) struct NextAction {
    /// Open the transport of this connection.
    pub(super) open: Option<ConnectionId>,
    /// Run this key derivation.
    pub(super) derive: Option<KeyDerivation>,
    /// Wait at most for this time. `None` has no limit.
    pub(super) wait: Option<Duration>,
}

/// Called when there are events and the user was not notified yet. It can be called on any thread. No lock of
/// [`Handle`](super::Handle) is held during the call.
pub type NotifyUser = Box<dyn Fn() + Send + Sync>;

/// A session, its transports, its clock and its log.
pub(super) struct SharedSession {
    inner: Mutex<SessionParts>,
    clock: Clock,
    notify: NotifyUser,
    log: Option<Arc<Log>>,
    /// Wakes the session's task.
    task: sync::Notify,
    /// Wakes the transport's task after reading was stopped.
    reader: AtomicWaker,
}

struct SessionParts {
    session: Session,
    /// The transport of the current connection.
    transport: Option<(ConnectionId, Connection)>,
    /// Transports that are in the closing handshake.
    closing: Vec<(ConnectionId, Connection)>,
    /// The connection that needs a transport, and when to open it.
    to_open: Option<(ConnectionId, Instant)>,
    limiter: Option<Arc<ConnectLimiter>>,
    /// The lease that the session needs to be connected.
    lease: Option<Arc<Lease>>,
    /// The connection with a full send queue.
    congested: Option<ConnectionId>,
    /// The time at which the session's task wakes up by itself.
    armed: Option<Millis>,
    /// The time of the last notification, if the user has not taken events since then.
    notified: Option<Millis>,
    /// The total time spent on received data.
    busy: Duration,
    /// The user has dropped all handles.
    is_finished: bool,
}

impl fmt::Debug for SharedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSession")
            .field("session", &self.lock().session)
            .finish_non_exhaustive()
    }
}

impl SharedSession {
    pub(super) fn new(
        mut session: Session,
        notify: NotifyUser,
        log: Option<Arc<Log>>,
        limiter: Option<Arc<ConnectLimiter>>,
    ) -> Self {
        if let Some(log) = &log {
            session.set_log(Arc::clone(log));
        }
        let inner = SessionParts {
            session,
            transport: None,
            closing: Vec::new(),
            to_open: None,
            limiter,
            lease: None,
            congested: None,
            armed: None,
            notified: None,
            busy: Duration::ZERO,
            is_finished: false,
        };
        Self {
            inner: Mutex::new(inner),
            clock: Clock::new(),
            notify,
            log,
            task: sync::Notify::default(),
            reader: AtomicWaker::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, SessionParts> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session's log.
    pub(super) fn log(&self) -> Option<&Log> {
        self.log.as_deref()
    }

    /// Calls `act` with the session, then executes the session's requests. `timing` is the time at which messages are
    /// written.
    pub(super) fn with<R>(&self, timing: Timing, act: impl FnOnce(&mut Session, Millis) -> R) -> R {
        let mut inner = self.lock();
        let now = self.clock.now();
        inner.check_lease(now);
        let result = act(&mut inner.session, now);
        // A message that is held until the end of the turn could be written after the end of the lease.
        let timing = if inner.lease.is_some() { Timing::Now } else { timing };
        self.drive(inner, now, timing);
        result
    }

    /// Reads the session without executing its requests.
    pub(super) fn inspect<R>(&self, look: impl FnOnce(&Session) -> R) -> R {
        look(&self.lock().session)
    }

    /// Takes events until their total weight is at least `most`. Returns the total weight.
    pub(super) fn take_events(&self, most: usize, out: &mut Vec<SessionEvent>) -> usize {
        let mut inner = self.lock();
        let now = self.clock.now();
        inner.check_lease(now);
        let mut taken = 0;
        // The user counts as not notified again. If events remain, `drive` sends a new notification.
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

    /// Handles data that was received at `time`. As [`with`](Self::with), but the session's requests are executed by
    /// [`execute_requests`](Self::execute_requests). Returns true if the session wants more data.
    pub(super) fn receive(&self, time: Instant, act: impl FnOnce(&mut Session, Millis)) -> bool {
        let mut inner = self.lock();
        let now = self.clock.at(time);
        inner.check_lease(now);
        act(&mut inner.session, now);
        inner.session.wants_data()
    }

    /// Executes the session's requests. `began` is the time of the first [`receive`](Self::receive) since the last
    /// call.
    pub(super) fn execute_requests(&self, began: Option<Instant>) {
        let mut inner = self.lock();
        let end = Instant::now();
        let busy = began.map(|began| end.saturating_duration_since(began));
        inner.busy += busy.unwrap_or_default();
        self.drive(inner, self.clock.at(end), Timing::Now);
    }

    fn drive(&self, mut guard: MutexGuard<'_, SessionParts>, now: Millis, timing: Timing) {
        let inner = &mut *guard;
        inner.check_lease(now);
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

    /// Drops the connection if the lease has ended. A process that was stopped may continue with the task of a transport
    /// and not with that of the session.
    pub(super) fn check_lease(&self) {
        let inner = self.lock();
        if inner.is_lease_over() {
            self.drive(inner, self.clock.now(), Timing::Now);
        }
    }

    /// Whether the transport's task should read. If not, the task is woken when it should read again.
    pub(super) fn poll_wants_data(&self, connection: ConnectionId, cx: &std::task::Context<'_>) -> bool {
        let inner = self.lock();
        if inner.session.connection() != Some(connection) {
            // The session has given up this transport. It is read to its end, because the closing handshake needs that.
            return true;
        }
        if inner.session.wants_data() {
            return true;
        }
        // The waker is registered under the lock, so that no change is missed.
        self.reader.register(cx.waker());
        false
    }

    /// The send queue of the transport has room again.
    pub(super) fn written(&self, connection: ConnectionId) {
        let mut inner = self.lock();
        if inner.congested == Some(connection) {
            inner.congested = None;
        }
    }

    /// The peer has sent a close frame, received at `time`. The answer is sent after all queued messages. Unless the
    /// session has requested the end itself, its connection has ended, because the transport accepts nothing more.
    pub(super) fn answer_close(&self, time: Instant, connection: ConnectionId) {
        let mut inner = self.lock();
        let now = self.clock.at(time);
        inner.check_lease(now);
        if let Some((id, transport)) = inner.transport.take_if(|(id, _)| *id == connection) {
            transport.close();
            inner.closing.push((id, transport));
            inner.session.handle_closed(now, id);
        }
    }

    /// The transport of a connection has ended.
    pub(super) fn forget(&self, connection: ConnectionId) {
        let mut inner = self.lock();
        inner.closing.retain(|(id, _)| *id != connection);
        inner.transport.take_if(|(id, _)| *id == connection);
    }

    /// Returns the next action of the session's task. `None` means that the task must end.
    pub(super) fn next_action(&self) -> Option<NextAction> {
        let mut inner = self.lock();
        if inner.is_finished {
            return None;
        }
        let start = Instant::now();
        let open = inner.to_open.take_if(|(_, at)| *at <= start).map(|(id, _)| id);
        let derive = inner.session.poll_derivation();
        inner.armed = inner.session.poll_timeout();
        let deadline = inner
            .armed
            .map(|at| Duration::from_millis(at.saturating_sub(self.clock.at(start))));
        let opening = inner.to_open.map(|(_, at)| at.saturating_duration_since(start));
        let wait = [deadline, opening, inner.lease_left()].into_iter().flatten().min();
        Some(NextAction { open, derive, wait })
    }

    /// Sets the lease; `None` for a session that needs none.
    pub(super) fn set_lease(&self, lease: Option<Arc<Lease>>) {
        let mut inner = self.lock();
        let now = self.clock.now();
        // The end of the lease until now is handled first.
        inner.check_lease(now);
        inner.lease = lease;
        self.drive(inner, now, Timing::Now);
        self.task.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.task.notified().await;
    }

    pub(super) fn timeout(&self) {
        self.lock().armed = None;
        self.with(Timing::Now, Session::handle_timeout);
    }

    /// Runs a key derivation for the session. It blocks for tens of milliseconds.
    pub(super) fn derive(&self, derivation: KeyDerivation) {
        let key = derivation.run();
        self.with(Timing::Now, |session, now| session.handle_code_key(now, &key));
    }

    /// Opens the transport of a connection with `connect`, unless the session has ended this connection.
    pub(super) fn open(&self, connection: ConnectionId, connect: impl FnOnce() -> io::Result<Connection>) {
        self.check_lease();
        let mut inner = self.lock();
        if inner.is_finished || inner.session.connection() != Some(connection) {
            return;
        }
        match connect() {
            Ok(transport) => inner.transport = Some((connection, transport)),
            Err(error) => {
                drop(inner);
                self.cannot_open(connection, TransportError::Start(error).describe());
            }
        }
    }

    pub(super) fn cannot_open(&self, connection: ConnectionId, failure: Failure) {
        self.with(Timing::Now, |session, now| {
            session.handle_failed(now, connection, failure, None)
        });
    }

    /// Ends the current connection because of a defect.
    pub(super) fn fail(&self, message: &str) {
        log!(self.log(), Error, message);
        let connection = self.lock().session.connection();
        if let Some(connection) = connection {
            self.forget(connection);
            self.cannot_open(connection, Failure::new(message).with_code("ERR_INTERNAL"));
        }
    }

    /// Ends the session permanently, because too many defects have occurred.
    pub(super) fn stop_after_defects(&self) {
        let connection = self.lock().session.connection();
        if let Some(connection) = connection {
            self.forget(connection);
        }
        self.with(Timing::Now, Session::handle_defect);
    }

    /// As [`Handle::write_all`](super::Handle::write_all). At the end of the lease nothing is written.
    pub(super) fn write_all(&self) {
        self.with(Timing::Now, |_, _| ());
        let inner = self.lock();
        let transports = inner.transport.iter().chain(&inner.closing);
        let unwritten: Vec<_> = transports.map(|(_, transport)| transport.unwritten()).collect();
        // A transport that is being read has the lock of its writer and waits for that of the session.
        drop(inner);
        for messages in unwritten {
            messages.write();
        }
    }

    /// The total time spent on received data.
    pub(super) fn busy(&self) -> Duration {
        self.lock().busy
    }

    /// Ends the session and its transports at once, because the user has dropped the last handle.
    pub(super) fn finish(&self) {
        let mut inner = self.lock();
        inner.is_finished = true;
        inner.transport = None;
        inner.closing = Vec::new();
        drop(inner);
        self.task.notify_one();
    }
}

impl SessionParts {
    /// Whether the session can be polled for requests. A full send queue only counts if it belongs to the current
    /// connection.
    fn is_free(&self) -> bool {
        self.congested.is_none() || self.congested != self.session.connection()
    }

    /// The remaining time of the lease of a session that holds a connection, or wants one, or still writes on a closing
    /// one. Zero if the lease has ended.
    fn lease_left(&self) -> Option<Duration> {
        let lease = self
            .lease
            .as_ref()
            .filter(|_| self.session.state() != SessionState::Disconnected || !self.closing.is_empty());
        lease.map(|lease| lease.left().unwrap_or_default())
    }

    fn is_lease_over(&self) -> bool {
        self.lease_left() == Some(Duration::ZERO)
    }

    /// Drops the connection if the lease has ended. It is called before anything else is done with the session.
    fn check_lease(&mut self, now: Millis) {
        if self.is_lease_over() {
            self.transport = None;
            self.closing.clear();
            self.to_open = None;
            self.congested = None;
            self.session.handle_lease_end(now);
        }
    }

    /// Requests that the session's task opens a transport, at the time that the limiter allows.
    fn plan_to_open(&mut self, id: ConnectionId, now: Millis) {
        let wait = self
            .limiter
            .as_ref()
            .map(|limiter| limiter.reserve())
            .unwrap_or_default();
        if !wait.is_zero() {
            let delay = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.session.handle_delayed(now, id, delay);
        }
        let start = Instant::now();
        self.to_open = Some((id, start.checked_add(wait).unwrap_or(start)));
    }

    fn transmit(&mut self, transmit: Transmit, now: Millis, timing: Timing) {
        match transmit {
            Transmit::Open(id) => self.plan_to_open(id, now),
            Transmit::Message(id, message) => {
                let transport = self.transport.as_ref().filter(|(of, _)| *of == id);
                // A transport that accepts nothing has ended. It will report its end.
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
                    // The transport was not opened yet, so it will not report that it is closed.
                    self.to_open.take_if(|(wanted, _)| *wanted == id);
                    self.session.handle_closed(now, id);
                }
            }
        }
    }
}
