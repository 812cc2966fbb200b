//! One run of a schedule: a session, its network, its server and its user.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use baileys_native::{
    binary::{Dialect, Node},
    session::{
        Config, ConnectionId, Millis, Pattern, QueryId, QueryOptions, QueueLimits, SendError, SendId, Session,
        SessionState, Transmit,
    },
};

use super::step::Step;
use crate::session::{
    harness::{entropy, paired_device},
    server::{OnResume, Server, ServerOptions, chain, node, pair},
};

/// The link between client and server. Data in `up` and `down` has not arrived yet.
pub(super) struct Link {
    id: ConnectionId,
    open: bool,
    up: VecDeque<Vec<u8>>,
    down: Vec<u8>,
    server: Server,
    /// The numbers of the stanzas that the server sent on this link. Each has the stream position of its end in bytes.
    pub(super) expected: VecDeque<(u64, usize)>,
    /// Number of bytes that the server sent.
    sent: usize,
    /// Number of bytes that the client received while it still used the connection.
    fed: usize,
    /// Whether the server has ended the stream.
    ended: bool,
    /// Whether the server has sent a close frame. It follows `down`.
    close_frame: bool,
    /// The number of the last of the user's stanzas that arrived at the server.
    last: Option<u64>,
    /// The ids of the queries that arrived at the server.
    queries: BTreeSet<String>,
}

impl Link {
    fn new(id: ConnectionId, server: Server) -> Self {
        Self {
            id,
            open: false,
            up: VecDeque::new(),
            down: Vec::new(),
            server,
            expected: VecDeque::new(),
            sent: 0,
            fed: 0,
            ended: false,
            close_frame: false,
            last: None,
            queries: BTreeSet::new(),
        }
    }

    /// Whether the server can send stanzas.
    fn talks(&self) -> bool {
        self.server.is_open() && !self.ended
    }

    /// Moves the output of the server to the network.
    fn flush(&mut self) {
        self.sent += self.server.out.len();
        self.down.append(&mut self.server.out);
    }
}

/// The parts of a run, and what the user and the server have sent and received so far.
pub(super) struct Run {
    pub(super) session: Session,
    options: ServerOptions,
    pub(super) now: Millis,
    pub(super) link: Option<Link>,
    /// Links in the closing handshake. The client gives them no more messages.
    closing: VecDeque<Link>,
    /// Whether the lease has ended.
    lease_over: bool,
    /// The last link that the end of a lease has dropped.
    dropped: Option<ConnectionId>,
    pub(super) bounds: QueueLimits,
    pub(super) state: SessionState,
    pub(super) blocked: bool,
    // Kept by the user.
    pub(super) sends: BTreeSet<SendId>,
    pub(super) numbers: BTreeMap<SendId, u64>,
    pub(super) unsent: BTreeSet<SendId>,
    next_number: u64,
    pub(super) asked: Vec<(QueryId, String)>,
    pub(super) settled: BTreeSet<QueryId>,
    // Kept by the server.
    next_stanza: u64,
    pub(super) reported: BTreeSet<u64>,
    /// Stanzas that arrived before their link ended. They must be delivered to the user.
    pub(super) arrived: BTreeSet<u64>,
    pub(super) received: BTreeSet<u64>,
    /// Stanzas that had not arrived when their link broke.
    pub(super) in_flight: BTreeSet<u64>,
    /// Maximum number of stanzas in the incoming queue: its limit, or the number at the end of a link.
    pub(super) most: usize,
    asked_ids: Vec<String>,
}

impl Run {
    pub(super) fn new(config: Config, on_resume: OnResume) -> Self {
        let bounds = config.incoming;
        let mut session = Session::new(config, paired_device(1), Box::new(entropy(11)));
        session.watch(Pattern::parse("CB:message").unwrap());
        Self {
            session,
            options: ServerOptions {
                static_key: pair(3),
                chain: chain(&pair(3), None),
                on_resume,
            },
            now: 1_000_000,
            link: None,
            closing: VecDeque::new(),
            lease_over: false,
            dropped: None,
            bounds,
            state: SessionState::Disconnected,
            blocked: false,
            sends: BTreeSet::new(),
            numbers: BTreeMap::new(),
            unsent: BTreeSet::new(),
            next_number: 0,
            asked: Vec::new(),
            settled: BTreeSet::new(),
            next_stanza: 0,
            reported: BTreeSet::new(),
            arrived: BTreeSet::new(),
            received: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            most: 0,
            asked_ids: Vec::new(),
        }
    }

    pub(super) fn step(&mut self, step: &Step) {
        self.check_lease();
        match *step {
            Step::Connect => {
                self.session.connect(self.now);
            }
            Step::Close => {
                self.session.close(self.now);
            }
            Step::HandOver => self.hand_over(),
            Step::Veto => {
                self.session.cancel_reconnect(self.now);
            }
            Step::Send(count) => (0..count).for_each(|_| {
                self.send(0);
            }),
            Step::Fill => {
                self.blocked = true;
                for size in [500, 0] {
                    while self.send(size) {}
                }
            }
            Step::Query { timeout, idempotent } => self.query(QueryOptions { timeout, idempotent }),
            Step::Cancel(place) => {
                if let Some((query, _)) = self.asked.get(usize::from(place) % self.asked.len().max(1)) {
                    self.session.cancel(self.now, *query);
                }
            }
            Step::Pause => {
                self.session.pause_reading(self.now);
            }
            Step::Resume => {
                self.session.resume_reading(self.now);
            }
            Step::Block => self.blocked = true,
            Step::Unblock => self.blocked = false,
            Step::TakeEvents(count) => self.take_events(usize::from(count)),
            Step::Up(count) => (0..count).for_each(|_| self.up()),
            Step::Down(count) => self.down(usize::from(count)),
            Step::Open => self.open(),
            Step::Fail => self.lose(true),
            Step::Break => self.lose(false),
            Step::CloseFrame => {
                if let Some(link) = self.link.as_mut().filter(|link| link.open) {
                    (link.ended, link.close_frame) = (true, true);
                }
            }
            Step::Closed => self.close_links(),
            Step::LeaseEnd => self.lease_over = true,
            Step::NewLease => self.lease_over = false,
            Step::LogIn => self.serve(|server| server.send(&node("success", &[("t", "1")], Vec::new()))),
            Step::Answer { query, times, error } => self.answer(query, times, error),
            Step::Stray => self.serve(|server| server.send(&node("iq", &[("id", "stray")], Vec::new()))),
            Step::Stanzas(count) => (0..count).for_each(|_| self.stanza()),
            Step::StreamError(code) => {
                let code = code.to_string();
                self.serve(|server| server.send(&node("stream:error", &[("code", &code)], Vec::new())));
                if let Some(link) = self.link.as_mut().filter(|link| link.talks()) {
                    link.ended = true;
                }
            }
            Step::Junk => self.serve(|server| server.send_payload(&[0, 0xff, 1])),
            Step::Advance(by) => {
                self.now += by;
                self.timeout();
            }
            Step::ToTimeout => {
                if let Some(at) = self.session.poll_timeout() {
                    self.now = self.now.max(at);
                    self.timeout();
                }
            }
            Step::Silence => self.silence(),
        }
        self.transmit();
        if self.link.is_none()
            || matches!(
                self.session.state(),
                SessionState::Disconnected | SessionState::Reconnecting
            )
        {
            self.most = self.session.metrics().incoming.stanzas;
        }
        self.check();
    }

    pub(super) fn timeout(&mut self) {
        self.session.handle_timeout(self.now);
        assert!(
            self.session.poll_timeout().is_none_or(|at| at > self.now),
            "an expired timer was not handled"
        );
    }

    /// Sends a stanza with a text of this length. Returns false if it was refused.
    fn send(&mut self, size: usize) -> bool {
        let number = self.next_number;
        let text = "x".repeat(size);
        let stanza = node("message", &[("n", &number.to_string()), ("text", &text)], Vec::new());
        match self.session.send(self.now, &mut stanza.source()) {
            Ok(sent) => {
                self.next_number += 1;
                assert!(self.sends.last().is_none_or(|last| *last < sent.id));
                self.sends.insert(sent.id);
                self.numbers.insert(sent.id, number);
                return true;
            }
            Err(SendError::NotConnected) => assert!(!self.session.can_send()),
            Err(error) => assert_eq!(error, SendError::Full),
        }
        false
    }

    fn hand_over(&mut self) {
        let stanzas = self.session.hand_over(self.now);
        assert!(stanzas.is_sorted_by_key(|(send, _)| *send));
        for (send, payload) in stanzas {
            let stanza = Node::decode(&payload[1..], Dialect::V7).unwrap();
            assert_eq!(stanza.attr("n"), Some(&*self.numbers[&send].to_string()));
            assert!(self.unsent.insert(send), "{send:?} was already reported");
        }
    }

    fn query(&mut self, options: QueryOptions) {
        let stanza = node("iq", &[("type", "get")], vec![node("q", &[], Vec::new())]);
        match self.session.query(self.now, &mut stanza.source(), options) {
            Ok(query) => {
                assert!(
                    self.asked
                        .iter()
                        .all(|(other, id)| *other != query.query && *id != query.id)
                );
                self.asked.push((query.query, query.id));
            }
            Err(SendError::TooManyQueries(count)) => {
                assert!(
                    count <= self.asked.len() - self.settled.len(),
                    "{count} are not the user's"
                );
            }
            Err(SendError::NotConnected) => assert!(!self.session.can_send()),
            Err(error) => assert_eq!(error, SendError::Full),
        }
    }

    fn open(&mut self) {
        if let Some(link) = self.link.as_mut().filter(|link| !link.open) {
            link.open = true;
            self.session.handle_opened(self.now, link.id);
        }
    }

    fn lose(&mut self, failed: bool) {
        if let Some(mut link) = self.link.take() {
            self.bury(&mut link);
            match failed {
                true => self.session.handle_failed(self.now, link.id, "reset".into(), None),
                false => self.session.handle_closed(self.now, link.id),
            }
        }
    }

    /// The closing handshakes end. The messages before the client's close frames have arrived.
    pub(super) fn close_links(&mut self) {
        while let Some(mut link) = self.closing.pop_front() {
            while self.arrive(&mut link) {}
            self.bury(&mut link);
            self.session.handle_closed(self.now, link.id);
        }
    }

    /// A link has ended. Records which stanzas had arrived and which had not.
    fn bury(&mut self, link: &mut Link) {
        let arrived = link.expected.iter().filter(|(_, end)| *end <= link.fed);
        self.arrived.extend(arrived.map(|(number, _)| *number));
        self.lose_messages(link);
    }

    /// Records the stanzas that have not arrived at the server.
    fn lose_messages(&mut self, link: &mut Link) {
        while let Some(message) = link.up.pop_front() {
            link.server.receive(&message);
        }
        let lost = link
            .server
            .received
            .drain(..)
            .filter_map(|stanza| stanza.attr("n")?.parse::<u64>().ok());
        self.in_flight.extend(lost);
    }

    /// As the driver, before everything that it does with the session: at the end of the lease, drops all links with
    /// what was not written or not decoded.
    fn check_lease(&mut self) {
        if !self.lease_over {
            return;
        }
        for mut link in self
            .link
            .take()
            .into_iter()
            .chain(self.closing.drain(..).collect::<Vec<_>>())
        {
            self.dropped = self.dropped.max(Some(link.id));
            self.lose_messages(&mut link);
        }
        self.blocked = false;
        self.session.handle_lease_end(self.now);
        assert_eq!(self.session.state(), SessionState::Disconnected);
    }

    /// The next message arrives at the server.
    fn up(&mut self) {
        if let Some(mut link) = self.link.take() {
            self.arrive(&mut link);
            self.link = Some(link);
        }
    }

    fn arrive(&mut self, link: &mut Link) -> bool {
        let Some(message) = link.up.pop_front() else {
            return false;
        };
        link.server.receive(&message);
        for stanza in link.server.received.drain(..) {
            if let Some(number) = stanza.attr("n") {
                let number = number.parse().unwrap();
                assert!(self.received.insert(number), "{number} came twice");
                assert!(link.last.replace(number) < Some(number), "{number} is out of order");
            } else if stanza.attr("type") == Some("get") && stanza.attr("xmlns").is_none() {
                let id = stanza.attr("id").unwrap().to_owned();
                assert!(link.queries.insert(id.clone()), "query {id} came twice");
                self.asked_ids.push(id);
            }
        }
        link.flush();
        true
    }

    fn down(&mut self, count: usize) {
        // A link in the closing handshake is read, too.
        let Some(link) = self.link.as_mut().or(self.closing.front_mut()).filter(|link| link.open) else {
            return;
        };
        if link.server.has_hung_up() && link.down.is_empty() {
            return self.lose(false);
        }
        // As in a driver, data that the session does not want stays in the network.
        let is_current = self.session.connection() == Some(link.id);
        if is_current && !self.session.wants_data() {
            return;
        }
        if link.down.is_empty() && link.close_frame {
            return self.answer_close();
        }
        let data: Vec<u8> = link.down.drain(..count.min(link.down.len())).collect();
        // Data that arrives after the session has ended the connection is not counted.
        link.fed += if is_current { data.len() } else { 0 };
        self.session.handle_data(self.now, link.id, &data);
    }

    /// As the driver at a close frame of the server: the transport accepts nothing more, and is closed after what it has
    /// accepted.
    fn answer_close(&mut self) {
        if let Some(link) = self.link.take() {
            let id = link.id;
            self.closing.push_back(link);
            self.session.handle_closed(self.now, id);
            assert_ne!(self.session.connection(), Some(id), "after a close frame");
        }
    }

    /// The longest time that a connection can take to open or to close, or be silent, is 40 seconds.
    fn silence(&mut self) {
        self.session.resume_reading(self.now);
        let connection = self.session.connection();
        let end = self.now + 40_000;
        loop {
            self.transmit();
            self.take_events(usize::MAX);
            let Some(at) = self.session.poll_timeout().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            self.timeout();
            if self.session.connection() != connection {
                return;
            }
        }
        assert!(
            connection.is_none() || self.session.connection() != connection,
            "{:?}",
            self.session
        );
    }

    fn serve(&mut self, act: impl FnOnce(&mut Server)) {
        if let Some(link) = self.link.as_mut().filter(|link| link.talks()) {
            act(&mut link.server);
            link.flush();
        }
    }

    fn stanza(&mut self) {
        let number = self.next_stanza;
        let text = number.to_string();
        self.serve(|server| server.send(&node("message", &[("n", &text)], Vec::new())));
        if let Some(link) = self.link.as_mut().filter(|link| link.talks()) {
            link.expected.push_back((number, link.sent));
            self.next_stanza += 1;
        }
    }

    fn answer(&mut self, place: u8, times: u8, error: bool) {
        let Some(id) = self
            .asked_ids
            .get(usize::from(place) % self.asked_ids.len().max(1))
            .cloned()
        else {
            return;
        };
        let children = if error {
            vec![node("error", &[("code", "500")], Vec::new())]
        } else {
            Vec::new()
        };
        let kind = if error { "error" } else { "result" };
        let answer = node("iq", &[("type", kind), ("id", &id)], children);
        self.serve(|server| (0..times).for_each(|_| server.send(&answer)));
    }

    pub(super) fn transmit(&mut self) {
        self.check_lease();
        while !self.blocked
            && let Some(transmit) = self.session.poll_transmit(self.now)
        {
            match transmit {
                Transmit::Open(id) => {
                    assert!(self.link.is_none(), "two transports at the same time");
                    self.link = Some(Link::new(id, Server::new(self.options.clone())));
                }
                Transmit::Message(id, message) => {
                    assert!(!self.lease_over, "a message after the end of the lease");
                    let link = self.link.as_mut().filter(|link| link.open && link.id == id);
                    link.expect("messages go to the open transport").up.push_back(message);
                }
                Transmit::Ping(id) => assert_eq!(self.link.as_ref().map(|link| link.id), Some(id)),
                Transmit::Close(id) => match self.link.take_if(|link| link.id == id) {
                    Some(link) if link.open => self.closing.push_back(link),
                    Some(mut link) => {
                        self.bury(&mut link);
                        self.session.handle_closed(self.now, id);
                    }
                    None => assert!(Some(id) <= self.dropped, "no transport to close"),
                },
            }
        }
    }

    pub(super) fn take_events(&mut self, count: usize) {
        for _ in 0..count {
            let Some(event) = self.session.poll_event(self.now) else {
                return;
            };
            self.transmit();
            self.event(event);
        }
    }
}
