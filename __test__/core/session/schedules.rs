//! Random schedules of network, server, user and clock. In thousands of schedules, some properties must always hold. A
//! failure prints the shrunk steps and the seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use baileys_native::{
    binary::Dialect,
    session::{
        Config, ConnectionId, Event, Millis, Pattern, QueryId, QueryOptions, QueueLimits, SendError, SendId, Session,
        State, Transmit,
    },
};
use proptest::prelude::*;

use super::{
    harness::{config, entropy, paired_device},
    server::{OnResume, Server, ServerOptions, chain, node, pair},
};

#[derive(Clone, Debug)]
enum Step {
    Connect,
    Close,
    Veto,
    Send(u8),
    Query {
        timeout: Option<Millis>,
        idempotent: bool,
    },
    Cancel(u8),
    Pause,
    Resume,
    /// The transport accepts no more messages.
    Block,
    Unblock,
    TakeEvents(u8),
    /// This number of messages arrives at the server.
    Up(u8),
    /// This number of bytes arrives at the client.
    Down(u16),
    /// The transport opens.
    Open,
    Fail,
    Break,
    LogIn,
    Answer {
        query: u8,
        times: u8,
        error: bool,
    },
    Stray,
    Stanzas(u8),
    StreamError(u16),
    Junk,
    Advance(Millis),
    ToTimeout,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Connect),
        1 => Just(Step::Close),
        1 => Just(Step::Veto),
        4 => (1..6_u8).prop_map(Step::Send),
        6 => (prop::option::of(1..50_000_u64), any::<bool>())
            .prop_map(|(timeout, idempotent)| Step::Query { timeout, idempotent }),
        1 => any::<u8>().prop_map(Step::Cancel),
        1 => Just(Step::Block),
        3 => Just(Step::Unblock),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        4 => (1..20_u8).prop_map(Step::TakeEvents),
        8 => (1..8_u8).prop_map(Step::Up),
        8 => prop_oneof![1..20_u16, 20..2000_u16].prop_map(Step::Down),
        4 => Just(Step::Open),
        1 => Just(Step::Fail),
        1 => Just(Step::Break),
        4 => Just(Step::LogIn),
        6 => (any::<u8>(), 1..3_u8, any::<bool>()).prop_map(|(query, times, error)| Step::Answer { query, times, error }),
        1 => Just(Step::Stray),
        4 => (1..12_u8).prop_map(Step::Stanzas),
        1 => prop::sample::select(vec![515, 503, 401, 428]).prop_map(Step::StreamError),
        1 => Just(Step::Junk),
        3 => prop_oneof![0..100_u64, 100..40_000_u64].prop_map(Step::Advance),
        3 => Just(Step::ToTimeout),
    ]
}

/// The link between client and server. Data in `up` and `down` has not arrived yet.
struct Link {
    id: ConnectionId,
    open: bool,
    up: VecDeque<Vec<u8>>,
    down: Vec<u8>,
    server: Server,
    /// The numbers of the stanzas that the server sent on this link. Each has the stream position of its end in bytes.
    expected: VecDeque<(u64, usize)>,
    /// Number of bytes that the server sent.
    sent: usize,
    /// Number of bytes that the client received while it still used the connection.
    fed: usize,
    /// Whether the server has ended the stream.
    ended: bool,
}

impl Link {
    /// Whether the server can send stanzas.
    fn talks(&self) -> bool {
        self.server.is_open() && !self.ended
    }

    fn flush(&mut self) {
        self.sent += self.server.out.len();
        self.down.append(&mut self.server.out);
    }
}

struct Run {
    session: Session,
    options: ServerOptions,
    now: Millis,
    link: Option<Link>,
    bounds: QueueLimits,
    state: State,
    blocked: bool,
    // Records of the user.
    sends: BTreeSet<SendId>,
    numbers: BTreeMap<SendId, u64>,
    unsent: BTreeSet<SendId>,
    next_number: u64,
    asked: Vec<(QueryId, String)>,
    settled: BTreeSet<QueryId>,
    // Records of the server.
    next_stanza: u64,
    reported: BTreeSet<u64>,
    /// Stanzas that arrived before their link ended. They must be delivered to the user.
    arrived: BTreeSet<u64>,
    received: Vec<u64>,
    /// Stanzas that had not arrived when their link broke.
    in_flight: BTreeSet<u64>,
    /// Maximum number of stanzas in the incoming queue: its limit, or the number at the end of a link.
    most: usize,
    asked_ids: Vec<String>,
}

impl Run {
    fn new(config: Config, on_resume: OnResume) -> Self {
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
            bounds,
            state: State::Disconnected,
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
            received: Vec::new(),
            in_flight: BTreeSet::new(),
            most: 0,
            asked_ids: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Connect => {
                self.session.connect(self.now);
            }
            Step::Close => {
                self.session.close(self.now);
            }
            Step::Veto => {
                self.session.cancel_reconnect(self.now);
            }
            Step::Send(count) => (0..count).for_each(|_| self.send()),
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
        }
        self.transmit();
        if self.link.is_none() || matches!(self.session.state(), State::Disconnected | State::Reconnecting) {
            self.most = self.session.metrics().incoming.stanzas;
        }
        self.check();
    }

    fn timeout(&mut self) {
        self.session.handle_timeout(self.now);
        assert!(
            self.session.poll_timeout().is_none_or(|at| at > self.now),
            "an expired timer was not handled"
        );
    }

    fn send(&mut self) {
        let number = self.next_number;
        let stanza = node("message", &[("n", &number.to_string())], Vec::new());
        match self.session.send(self.now, &mut stanza.source()) {
            Ok(sent) => {
                self.next_number += 1;
                assert!(self.sends.last().is_none_or(|last| *last < sent.id));
                self.sends.insert(sent.id);
                self.numbers.insert(sent.id, number);
            }
            Err(SendError::NotConnected) => assert!(!self.session.can_send()),
            Err(error) => assert_eq!(error, SendError::Full),
        }
    }

    fn query(&mut self, options: QueryOptions) {
        let stanza = node("iq", &[("type", "get")], vec![node("q", &[], Vec::new())]);
        if let Ok(query) = self.session.query(self.now, &mut stanza.source(), options) {
            assert!(
                self.asked
                    .iter()
                    .all(|(other, id)| *other != query.query && *id != query.id)
            );
            self.asked.push((query.query, query.id));
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

    /// A link has ended. Records which stanzas had arrived and which had not.
    fn bury(&mut self, link: &mut Link) {
        let arrived = link.expected.iter().filter(|(_, end)| *end <= link.fed);
        self.arrived.extend(arrived.map(|(number, _)| *number));
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

    /// The next message arrives at the server.
    fn up(&mut self) {
        let Some(link) = &mut self.link else { return };
        let Some(message) = link.up.pop_front() else { return };
        link.server.receive(&message);
        for stanza in link.server.received.drain(..) {
            if let Some(number) = stanza.attr("n") {
                self.received.push(number.parse().unwrap());
            } else if stanza.attr("type") == Some("get") && stanza.attr("xmlns").is_none() {
                self.asked_ids.push(stanza.attr("id").unwrap().to_owned());
            }
        }
        link.flush();
    }

    fn down(&mut self, count: usize) {
        let Some(link) = self.link.as_mut().filter(|link| link.open) else {
            return;
        };
        if link.server.has_hung_up() && link.down.is_empty() {
            return self.lose(false);
        }
        // As in a driver, data that the session does not want stays in the network.
        if self.session.wants_data() {
            let data: Vec<u8> = link.down.drain(..count.min(link.down.len())).collect();
            // Data that arrives after the session has ended the connection is not counted.
            let cared_for = match self.session.state() {
                State::Authenticating | State::Connected => true,
                State::Closing => !self.blocked,
                State::Connecting | State::Reconnecting | State::Disconnected => false,
            };
            link.fed += if cared_for { data.len() } else { 0 };
            self.session.handle_data(self.now, link.id, &data);
        }
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

    fn transmit(&mut self) {
        while !self.blocked
            && let Some(transmit) = self.session.poll_transmit(self.now)
        {
            match transmit {
                Transmit::Open(id) => {
                    assert!(self.link.is_none(), "two transports at the same time");
                    let server = Server::new(self.options.clone());
                    self.link = Some(Link {
                        id,
                        open: false,
                        up: VecDeque::new(),
                        down: Vec::new(),
                        server,
                        expected: VecDeque::new(),
                        sent: 0,
                        fed: 0,
                        ended: false,
                    });
                }
                Transmit::Message(id, message) => {
                    let link = self.link.as_mut().filter(|link| link.open && link.id == id);
                    link.expect("messages go to the open transport").up.push_back(message);
                }
                Transmit::Ping(id) => assert_eq!(self.link.as_ref().map(|link| link.id), Some(id)),
                Transmit::Close(id) => {
                    // Data that was sent before the close of a WebSocket still arrives.
                    while self.link.as_ref().is_some_and(|link| !link.up.is_empty()) {
                        self.up();
                    }
                    let mut link = self.link.take().expect("a transport to close");
                    assert_eq!(link.id, id);
                    self.bury(&mut link);
                    self.session.handle_closed(self.now, id);
                }
            }
        }
    }

    fn take_events(&mut self, count: usize) {
        for _ in 0..count {
            let Some(event) = self.session.poll_event(self.now) else {
                return;
            };
            self.transmit();
            self.event(event);
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::State(change) => {
                assert_eq!(change.from, self.state, "a state change starts from another state");
                assert_eq!(change.from.on(change.trigger), Some(change.to), "by the table");
                self.state = change.to;
            }
            Event::Answer { query, result } => {
                assert!(
                    self.asked.iter().any(|(asked, _)| *asked == query),
                    "an answer without a query"
                );
                assert!(self.settled.insert(query), "{query:?} is settled twice");
                if let Ok(stanza) = result {
                    let id = stanza.to_node(Dialect::V7).attr("id").unwrap().to_owned();
                    assert!(self.asked.contains(&(query, id)), "the answer of another query");
                }
            }
            Event::Stanzas(stanzas) => {
                assert!(!stanzas.is_empty() && stanzas.iter().count() == stanzas.len());
                for (stanza, matched) in stanzas.iter() {
                    assert_eq!(matched.len(), 1);
                    let number: u64 = stanza.to_node(Dialect::V7).attr("n").unwrap().parse().unwrap();
                    assert!(
                        self.reported.last().is_none_or(|last| *last < number),
                        "a stanza came twice or out of order"
                    );
                    self.reported.insert(number);
                    if let Some(link) = &mut self.link {
                        // All earlier stanzas of the same link were already delivered.
                        let place = link.expected.iter().position(|(expected, _)| *expected == number);
                        assert!(place.is_none_or(|place| place == 0), "a stanza was skipped");
                        link.expected.drain(..place.map_or(0, |place| place + 1));
                    }
                }
            }
            Event::Unsent(ids) => {
                for id in ids {
                    assert!(self.sends.contains(&id) && self.unsent.insert(id));
                }
            }
            _ => {}
        }
    }

    fn check(&self) {
        let metrics = self.session.metrics();
        // One frame can cause several events.
        assert!(
            metrics.incoming.stanzas <= self.most.max(self.bounds.stanzas + 2),
            "{:?}",
            metrics.incoming
        );
        assert!(metrics.outgoing.bytes <= 4_000 + 1_000, "{:?}", metrics.outgoing);
        assert!(metrics.queries_pending <= 20 + 40);
        assert!(
            self.received.is_sorted_by(|a, b| a < b),
            "in order, and once: {:?}",
            self.received
        );
        if self.session.state() == State::Disconnected {
            assert_eq!(
                (metrics.queries_pending, self.session.poll_timeout()),
                (0, None),
                "a query or a timer is still active"
            );
        }
        for id in &self.unsent {
            assert!(!self.received.contains(&self.numbers[id]), "a refused stanza was sent");
        }
        let connected = matches!(self.session.state(), State::Authenticating | State::Connected);
        assert!(
            !connected || self.link.is_some(),
            "{:?} without a link",
            self.session.state()
        );
    }

    /// Ends the schedule and checks that nothing was lost.
    fn finish(mut self) {
        self.session.resume_reading(self.now);
        self.blocked = false;
        self.take_events(usize::MAX);
        self.session.close(self.now);
        self.transmit();
        for _ in 0..4 {
            self.take_events(usize::MAX);
            if let Some(at) = self.session.poll_timeout() {
                self.now = self.now.max(at);
                self.timeout();
                self.transmit();
            }
        }
        self.take_events(usize::MAX);
        self.check();
        assert_eq!(self.session.state(), State::Disconnected);
        assert_eq!(self.state, State::Disconnected, "the last state was not reported");
        assert_eq!(self.session.poll_timeout(), None);
        assert_eq!(self.session.metrics().queries_pending, 0);
        let unsettled: Vec<_> = self
            .asked
            .iter()
            .filter(|(query, _)| !self.settled.contains(query))
            .collect();
        assert!(unsettled.is_empty(), "{unsettled:?}");
        assert_eq!(self.session.metrics().incoming.stanzas, 0);
        let unreported: Vec<_> = self.arrived.difference(&self.reported).collect();
        assert!(unreported.is_empty(), "stanzas without an event: {unreported:?}");
        for (send, number) in &self.numbers {
            let outcomes = [
                self.received.contains(number),
                self.unsent.contains(send),
                self.in_flight.contains(number),
            ];
            assert_eq!(
                outcomes.iter().filter(|outcome| **outcome).count(),
                1,
                "{number} was sent: {outcomes:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_repeated_or_out_of_order(
        resumes in prop::option::of(prop::sample::select(vec![
            OnResume::Accept,
            OnResume::Decline,
            OnResume::Garbage,
            OnResume::HangUp,
        ])),
        eager in any::<bool>(),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut config = config();
        config.resume = resumes.is_some();
        config.incoming = QueueLimits { stanzas: 6, bytes: 1 << 20, limit: 1 << 20 };
        config.outgoing = QueueLimits { stanzas: 8, bytes: 2_000, limit: 4_000 };
        config.max_queries = 20;
        let mut run = Run::new(config, resumes.unwrap_or(OnResume::Accept));
        // Half of the schedules start with a logged-in session, so that they reach more states.
        if eager {
            for step in [Step::Connect, Step::Open, Step::Up(9), Step::Down(9999), Step::Up(9), Step::LogIn, Step::Down(9999)] {
                run.step(&step);
            }
            assert_eq!(run.session.state(), State::Connected);
        }
        for step in &steps {
            run.step(step);
        }
        run.finish();
    }
}
