//! Random schedules of user, server and lease, over transports in memory that the test runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
    time::{Duration, SystemTime},
};

use baileys_native::{
    driver::{Handle, Lease, seams::ManualSession},
    session::{ConnectionId, QueryId, QueryOptions, QueueLimits, SendId, Session, SessionEvent, SessionState},
};
use futures_util::{FutureExt, SinkExt, StreamExt};
use proptest::prelude::*;
use tokio::io::DuplexStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use super::user::question;
use crate::session::{
    harness::{config, entropy, paired_device},
    server::{Server, ServerOptions, bytes_node, node},
};

#[derive(Clone, Debug)]
enum Step {
    Connect,
    /// Sends stanzas with a content of this length.
    Send(u8, usize),
    Query,
    Close,
    HandOver,
    /// The lease ends while nothing runs.
    LeaseEnd,
    NewLease,
    /// Runs the transports.
    Run,
    /// The server reads and answers.
    Read,
    LogIn,
    CloseFrame,
    /// The server sends a WebSocket ping, which the transport answers by itself.
    Ping,
    /// The server drops the connection.
    Drop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Connect),
        6 => (1..5_u8, prop::sample::select(vec![0, 5_000, 400_000])).prop_map(|(count, size)| Step::Send(count, size)),
        2 => Just(Step::Query),
        1 => Just(Step::Close),
        1 => Just(Step::HandOver),
        2 => Just(Step::LeaseEnd),
        2 => Just(Step::NewLease),
        4 => Just(Step::Run),
        4 => Just(Step::Read),
        2 => Just(Step::LogIn),
        2 => Just(Step::CloseFrame),
        2 => Just(Step::Ping),
        1 => Just(Step::Drop),
    ]
}

/// The server's end of a transport, and the transport's task.
struct Peer {
    id: ConnectionId,
    socket: Option<WebSocketStream<DuplexStream>>,
    task: Option<Pin<Box<dyn Future<Output = ()>>>>,
    server: Server,
    /// The transport was dropped because the lease had ended. Nothing may arrive any more.
    is_over: bool,
    /// Whether all that the transport has accepted must arrive.
    is_reliable: bool,
    last: Option<u64>,
}

impl Peer {
    fn run(&mut self) {
        // Again for what the first call has caused.
        for _ in 0..2 {
            let done = self
                .task
                .as_mut()
                .map(|task| task.poll_unpin(&mut Context::from_waker(Waker::noop())));
            if done.is_some_and(|done| done.is_ready()) {
                self.task = None;
            }
        }
    }

    /// Reads one message. Returns false if there is none.
    fn read(&mut self, received: &mut BTreeSet<u64>) -> bool {
        let Some(message) = self.socket.as_mut().and_then(|socket| socket.next().now_or_never()) else {
            return false;
        };
        let Some(Ok(message)) = message else {
            self.socket = None;
            return false;
        };
        assert!(!self.is_over, "a message was written after the end of the lease");
        if !message.is_binary() {
            return true;
        }
        self.server.receive(&message.into_data());
        for stanza in std::mem::take(&mut self.server.received) {
            if let Some(number) = stanza.attr("n") {
                let number = number.parse().unwrap();
                assert!(received.insert(number), "{number} came twice");
                assert!(self.last.replace(number) < Some(number), "{number} is out of order");
            } else if let Some(id) = stanza.attr("id") {
                self.server
                    .send(&node("iq", &[("type", "result"), ("id", id)], Vec::new()));
            }
        }
        self.write();
        true
    }

    fn write(&mut self) {
        let out = std::mem::take(&mut self.server.out);
        if !out.is_empty()
            && let Some(socket) = &mut self.socket
        {
            // Fails if the client has closed.
            let _ = socket.send(Message::Binary(out.into())).now_or_never();
        }
    }
}

struct Run {
    manual: ManualSession,
    handle: Handle,
    peers: Vec<Peer>,
    state: SessionState,
    is_lease_over: bool,
    next: u64,
    sent: BTreeMap<SendId, (u64, ConnectionId)>,
    unsent: BTreeSet<SendId>,
    received: BTreeSet<u64>,
    asked: BTreeSet<QueryId>,
    settled: BTreeSet<QueryId>,
}

impl Run {
    fn new() -> Self {
        let mut config = config();
        config.reconnect = None;
        config.outgoing = QueueLimits {
            stanzas: 8,
            bytes: 1_000_000,
            limit: 2_000_000,
        };
        let (manual, handle) = ManualSession::new(Session::new(config, paired_device(1), Box::new(entropy(3))));
        Self {
            manual,
            handle,
            peers: Vec::new(),
            state: SessionState::Disconnected,
            is_lease_over: false,
            next: 0,
            sent: BTreeMap::new(),
            unsent: BTreeSet::new(),
            received: BTreeSet::new(),
            asked: BTreeSet::new(),
            settled: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Connect => {
                self.handle.with(|session, now| session.connect(now));
            }
            Step::Send(count, size) => (0..count).for_each(|_| self.send(size)),
            Step::Query => {
                let asked = self
                    .handle
                    .with(|session, now| session.query(now, &mut question().source(), QueryOptions::default()));
                self.asked.extend(asked.ok().map(|query| query.query));
            }
            Step::Close => {
                self.handle.with(|session, now| session.close(now));
            }
            Step::HandOver => {
                let stanzas = self.handle.with(|session, now| session.hand_over(now));
                for (id, _) in stanzas {
                    assert!(self.unsent.insert(id), "{id:?} is returned twice");
                }
            }
            Step::LeaseEnd => self.end_lease(),
            Step::NewLease => {
                self.handle.set_lease(None);
                self.is_lease_over = false;
            }
            Step::Run => self.run(),
            Step::Read => self.read(),
            Step::LogIn => {
                if let Some(peer) = self.peers.last_mut().filter(|peer| peer.server.is_open()) {
                    peer.server.send(&node("success", &[("t", "1")], Vec::new()));
                    peer.write();
                }
                self.run();
            }
            Step::CloseFrame => self.close_frame(),
            Step::Ping => {
                if let Some(socket) = self.peers.last_mut().and_then(|peer| peer.socket.as_mut()) {
                    // Fails if the client has closed.
                    let _ = socket.send(Message::Ping("a ping".into())).now_or_never();
                }
            }
            Step::Drop => {
                if let Some(peer) = self.peers.last_mut() {
                    peer.socket = None;
                    peer.is_reliable = false;
                }
            }
        }
        self.take_events();
        if self.is_lease_over {
            assert_eq!(self.state, SessionState::Disconnected, "the lease is over");
        }
    }

    fn send(&mut self, size: usize) {
        let mut stanza = bytes_node("message", &vec![1; size]);
        stanza.attrs.push(("n".to_owned(), self.next.to_string()));
        let sent = self.handle.with(|session, now| {
            let sent = session.send(now, &mut stanza.source()).ok()?;
            Some((sent.id, session.connection()?))
        });
        if let Some((id, connection)) = sent {
            self.sent.insert(id, (self.next, connection));
            self.next += 1;
        }
    }

    /// Opens the wanted transport, and runs all transports.
    fn run(&mut self) {
        if let Some((socket, task)) = self.manual.open() {
            assert!(!self.is_lease_over, "a connection after the end of the lease");
            let socket = WebSocketStream::from_raw_socket(socket, Role::Server, None).now_or_never();
            self.peers.push(Peer {
                id: self.handle.inspect(Session::connection).unwrap(),
                socket,
                task: Some(Box::pin(task)),
                server: Server::new(ServerOptions::default()),
                is_over: false,
                is_reliable: true,
                last: None,
            });
        }
        self.peers.iter_mut().for_each(Peer::run);
    }

    /// Reads until the server has everything. A long message needs some rounds.
    fn read(&mut self) {
        let mut quiet = 0;
        while quiet < 10 {
            self.run();
            quiet += 1;
            for peer in &mut self.peers {
                while peer.read(&mut self.received) {
                    quiet = 0;
                }
            }
        }
    }

    /// The lease ends. The session notices it with its next step.
    fn end_lease(&mut self) {
        if self.is_lease_over {
            return;
        }
        let lease = Arc::new(Lease::until(SystemTime::now() + Duration::from_millis(2)));
        self.handle.set_lease(Some(Arc::clone(&lease)));
        while lease.end().is_some() {
            std::hint::spin_loop();
        }
        self.is_lease_over = true;
        // What was written before.
        for peer in &mut self.peers {
            while peer.read(&mut self.received) {}
            (peer.is_over, peer.is_reliable) = (true, false);
        }
        self.read();
    }

    /// A close frame of the server ends the session's connection in the same step.
    fn close_frame(&mut self) {
        let Some(peer) = self.peers.last_mut() else { return };
        let id = peer.id;
        let is_sent = peer
            .socket
            .as_mut()
            .and_then(|socket| socket.close(None).now_or_never());
        let is_read = self
            .handle
            .inspect(|session| session.connection() == Some(id) && session.wants_data());
        if matches!(is_sent, Some(Ok(()))) && is_read {
            self.run();
            let (connection, state) = self.handle.inspect(|session| (session.connection(), session.state()));
            let has_ended = connection != Some(id) || state == SessionState::Closing;
            assert!(has_ended, "{state:?} after a close frame");
        }
    }

    fn take_events(&mut self) {
        let mut events = Vec::new();
        self.handle.take_events(usize::MAX, &mut events);
        for event in events {
            match event {
                SessionEvent::State(change) => {
                    assert_eq!(change.from, self.state);
                    assert_eq!(change.from.on(change.trigger), Some(change.to), "by the table");
                    self.state = change.to;
                }
                SessionEvent::Unsent(ids) => {
                    for id in ids {
                        assert!(self.unsent.insert(id), "{id:?} is reported twice");
                    }
                }
                SessionEvent::Answer { query, .. } => assert!(self.settled.insert(query), "{query:?} is settled twice"),
                _ => {}
            }
        }
    }

    /// Ends the session and checks what became of each stanza and query.
    fn finish(mut self) {
        self.step(&Step::NewLease);
        self.step(&Step::Close);
        for _ in 0..3 {
            // A closing handshake takes some rounds.
            self.read();
            self.take_events();
        }
        assert_eq!(self.state, SessionState::Disconnected);
        assert!(
            self.peers.iter().all(|peer| peer.task.is_none()),
            "a transport lives on"
        );
        assert_eq!(self.asked, self.settled);
        for (id, (number, connection)) in &self.sent {
            let outcomes = usize::from(self.unsent.contains(id)) + usize::from(self.received.contains(number));
            let peer = self.peers.iter().find(|peer| peer.id == *connection).unwrap();
            assert!(
                outcomes == 1 || (outcomes == 0 && !peer.is_reliable),
                "{number}: {outcomes}"
            );
        }
    }
}

/// Runs a schedule, after a login.
fn run(steps: &[Step]) {
    // For the timers of the transports.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let mut run = Run::new();
    for step in [Step::Connect, Step::Read, Step::LogIn].iter().chain(steps) {
        run.step(step);
    }
    run.finish();
}

#[test]
fn a_process_that_was_stopped_writes_nothing_after_the_end_of_its_lease() {
    // What the transport has not written, also after a close frame of the server; its close frame; another transport.
    // A pong, and what would be written together with it.
    run(&[Step::Send(3, 400_000), Step::LeaseEnd]);
    run(&[Step::Send(3, 400_000), Step::CloseFrame, Step::LeaseEnd]);
    run(&[Step::Close, Step::LeaseEnd]);
    run(&[Step::Close, Step::Read, Step::Connect, Step::LeaseEnd]);
    run(&[Step::Ping, Step::LeaseEnd]);
    run(&[vec![Step::Ping], vec![Step::Send(4, 5_000); 5], vec![Step::LeaseEnd]].concat());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_is_written_after_a_lease(steps in prop::collection::vec(step(), 0..60)) {
        run(&steps);
    }
}
