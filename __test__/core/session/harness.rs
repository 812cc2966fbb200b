//! A session, a server, and a network without latency. Only the test lets time pass.

use baileys_native::{
    binary::{Dialect, Node},
    session::{
        CREDENTIALS_ENTROPY, Config, ConnectionId, Credentials, EndReason, Me, Millis, Pattern, PatternId, QueryError,
        QueryId, QueryOptions, Session, SessionEvent, SessionState, StateChange, Transmit,
    },
};

use super::server::{Server, ServerOptions, node, root};

/// Pseudorandom bytes that are the same in each run.
pub(crate) fn entropy(mut state: u64) -> impl FnMut(&mut [u8]) + Send {
    move |out: &mut [u8]| {
        for byte in out {
            // splitmix64
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (mixed ^ mixed >> 31) as u8;
        }
    }
}

pub(crate) fn new_device(seed: u64) -> Credentials {
    let mut random = [0; CREDENTIALS_ENTROPY];
    entropy(seed)(&mut random);
    Credentials::generate(&random).unwrap()
}

pub(crate) fn paired_device(seed: u64) -> Credentials {
    Credentials {
        me: Some(Me {
            id: "15551234567:3@s.whatsapp.net".into(),
            ..Default::default()
        }),
        account: Some(Default::default()),
        ..new_device(seed)
    }
}

pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.roots = vec![root()];
    config
}

/// A query stanza without an id.
pub(crate) fn question() -> Node {
    node(
        "iq",
        &[("type", "get"), ("xmlns", "w")],
        vec![node("props", &[], Vec::new())],
    )
}

/// `timeout`: in milliseconds.
pub(crate) fn query_options(timeout: Option<Millis>, idempotent: bool) -> QueryOptions {
    QueryOptions { timeout, idempotent }
}

/// The link of the current connection.
pub(crate) struct Link {
    pub(crate) id: ConnectionId,
    pub(crate) server: Server,
}

pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) now: Millis,
    pub(crate) options: ServerOptions,
    pub(crate) link: Option<Link>,
    /// A requested transport that is not open yet. Only set if `opens` is `false`.
    pub(crate) wanted: Option<ConnectionId>,
    /// Whether transports open at once.
    pub(crate) opens: bool,
    /// Whether a transport that the session closes reports its end.
    pub(crate) closes: bool,
    pub(crate) events: Vec<SessionEvent>,
    pub(crate) pings: usize,
    pub(crate) links: usize,
    pub(crate) takes_events: bool,
}

impl World {
    pub(crate) fn new(config: Config, credentials: Credentials) -> Self {
        Self {
            session: Session::new(config, credentials, Box::new(entropy(7))),
            now: 1_700_000_000_000,
            options: ServerOptions::default(),
            link: None,
            wanted: None,
            opens: true,
            closes: true,
            events: Vec::new(),
            pings: 0,
            links: 0,
            takes_events: true,
        }
    }

    pub(crate) fn paired() -> Self {
        Self::new(config(), paired_device(1))
    }

    /// A logged-in session without pending events.
    pub(crate) fn connected() -> Self {
        Self::connected_with(config())
    }

    pub(crate) fn connected_with(config: Config) -> Self {
        let mut world = Self::new(config, paired_device(1));
        world.connect();
        world.log_in();
        assert_eq!(world.session.state(), SessionState::Connected);
        world.events.clear();
        world
    }

    pub(crate) fn connect(&mut self) {
        assert!(self.session.connect(self.now));
        self.pump();
    }

    pub(crate) fn log_in(&mut self) {
        self.serve(&node("success", &[("t", "1700000005"), ("lid", "77@lid")], Vec::new()));
    }

    pub(crate) fn server(&mut self) -> &mut Server {
        &mut self.link.as_mut().expect("a link").server
    }

    /// Makes the server send a stanza.
    pub(crate) fn serve(&mut self, stanza: &Node) {
        self.server().send(stanza);
        self.pump();
    }

    /// Executes the session's requests until there are none.
    pub(crate) fn pump(&mut self) {
        loop {
            let mut busy = false;
            while let Some(transmit) = self.session.poll_transmit(self.now) {
                busy = true;
                self.transmit(transmit);
            }
            busy |= self.deliver();
            if let Some(derivation) = self.session.poll_derivation() {
                busy = true;
                self.session.handle_code_key(self.now, &derivation.run());
            }
            while self.takes_events {
                let Some(event) = self.session.poll_event(self.now) else {
                    break;
                };
                busy = true;
                self.events.push(event);
            }
            if !busy {
                return;
            }
        }
    }

    fn transmit(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Open(id) => {
                assert!(self.link.is_none(), "the last transport was not abandoned");
                self.wanted = Some(id);
                if self.opens {
                    self.open();
                }
            }
            Transmit::Message(id, message) => {
                let link = self.link.as_mut().filter(|link| link.id == id);
                link.expect("the link that the message is for").server.receive(&message);
            }
            Transmit::Ping(_) => self.pings += 1,
            Transmit::Close(id) => {
                let open = self.link.take_if(|link| link.id == id).is_some();
                let opening = self.wanted.take_if(|wanted| *wanted == id).is_some();
                assert!(open || opening, "closed a transport that does not exist");
                if self.closes {
                    self.session.handle_closed(self.now, id);
                }
            }
        }
    }

    /// Opens the requested transport.
    pub(crate) fn open(&mut self) {
        let id = self.wanted.take().expect("a transport was asked for");
        self.links += 1;
        self.link = Some(Link {
            id,
            server: Server::new(self.options.clone()),
        });
        self.session.handle_opened(self.now, id);
    }

    /// Passes the data of the server, or its hang-up, to the session. Returns true if there was something.
    pub(crate) fn deliver(&mut self) -> bool {
        let Some(link) = &mut self.link else { return false };
        if link.server.has_hung_up() && link.server.out.is_empty() {
            let id = link.id;
            self.link = None;
            self.session.handle_closed(self.now, id);
            return true;
        }
        if link.server.out.is_empty() || !self.session.wants_data() {
            return false;
        }
        let data = std::mem::take(&mut link.server.out);
        self.session.handle_data(self.now, link.id, &data);
        true
    }

    /// Breaks the link.
    pub(crate) fn drop_link(&mut self) {
        let link = self.link.take().expect("a link");
        self.session.handle_closed(self.now, link.id);
        self.pump();
    }

    /// Advances the time, and handles timers at their times.
    pub(crate) fn advance(&mut self, by: Millis) {
        let end = self.now + by;
        while let Some(at) = self.session.poll_timeout().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.session.handle_timeout(self.now);
            assert!(
                self.session.poll_timeout().is_none_or(|next| next > self.now),
                "a timer that stays expired"
            );
            self.pump();
        }
        self.now = end;
        self.session.handle_timeout(end);
        self.pump();
    }

    pub(crate) fn watch(&mut self, pattern: &str) -> PatternId {
        self.session.watch(Pattern::parse(pattern).unwrap())
    }

    pub(crate) fn query(&mut self, stanza: &Node, options: QueryOptions) -> (QueryId, String) {
        let query = self.session.query(self.now, &mut stanza.source(), options).unwrap();
        self.pump();
        (query.query, query.id)
    }

    /// All state changes so far.
    pub(crate) fn changes(&self) -> Vec<StateChange> {
        let changes = self.events.iter().filter_map(|event| match event {
            SessionEvent::State(change) => Some(change.clone()),
            _ => None,
        });
        changes.collect()
    }

    /// All entered states so far.
    pub(crate) fn states(&self) -> Vec<SessionState> {
        self.changes().into_iter().map(|change| change.to).collect()
    }

    /// Why the last connection ended.
    pub(crate) fn last_reason(&self) -> EndReason {
        let reasons: Vec<_> = self.changes().into_iter().filter_map(|change| change.reason).collect();
        reasons.last().cloned().expect("an end")
    }

    /// All answers so far.
    pub(crate) fn answers(&self) -> Vec<(QueryId, Result<Node, QueryError>)> {
        let answers = self.events.iter().filter_map(|event| match event {
            SessionEvent::Answer { query, result } => {
                let result = result.clone().map(|stanza| stanza.to_node(Dialect::V7));
                Some((*query, result))
            }
            _ => None,
        });
        answers.collect()
    }

    /// All stanzas so far.
    pub(crate) fn stanzas(&self) -> Vec<(Node, Vec<PatternId>)> {
        let runs = self.events.iter().filter_map(|event| match event {
            SessionEvent::Stanzas(stanzas) => Some(stanzas),
            _ => None,
        });
        let stanzas = runs.flat_map(|stanzas| stanzas.iter());
        stanzas
            .map(|(stanza, matched)| (stanza.to_node(Dialect::V7), matched))
            .collect()
    }

    pub(crate) fn reconnecting(&self) -> Option<(u32, Millis)> {
        self.events.iter().rev().find_map(|event| match event {
            SessionEvent::Reconnecting { attempt, at, .. } => Some((*attempt, *at)),
            _ => None,
        })
    }
}
