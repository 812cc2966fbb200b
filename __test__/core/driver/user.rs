//! A session and its user, who waits for events.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use baileys_native::{
    binary::{Dialect, Node},
    driver::{Endpoint, Handle, start},
    session::{Config, Log, SessionEvent, SessionState},
    transport::ConnectOptions,
};

use super::loopback::Loopback;
use crate::session::{harness::paired_device, server::node};

/// Time limit of each wait.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// Options of a connection to a server on loopback.
pub(crate) fn options(address: SocketAddr) -> ConnectOptions {
    ConnectOptions {
        addresses: vec![address],
        local_address: None,
        probes: None,
        proxy: None,
        tls: None,
        host: address.to_string(),
        target: "/ws/chat".into(),
        headers: Vec::new(),
        origin: "https://web.whatsapp.com".into(),
        handshake_timeout: Some(WAIT_LIMIT),
        turn: None,
    }
}

/// A session and its events.
pub(super) struct User {
    pub(super) handle: Handle,
    pub(super) notifications: mpsc::Receiver<()>,
    pub(super) events: Vec<SessionEvent>,
    /// Number of events that [`wait_for`](Self::wait_for) has looked at.
    seen: usize,
}

impl User {
    pub(super) fn new(address: SocketAddr, config: Config) -> Self {
        Self::with_log(address, config, None)
    }

    pub(super) fn with_log(address: SocketAddr, config: Config, log: Option<Arc<Log>>) -> Self {
        Self::with_notify(address, config, log, || {})
    }

    /// A user that also calls `notified` on each notification.
    pub(super) fn with_notify(
        address: SocketAddr,
        config: Config,
        log: Option<Arc<Log>>,
        notified: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let options = options(address);
        let endpoint = Endpoint {
            ask: Box::new(move |answer| {
                // The session may have given up the connection.
                let _ = answer.send(Ok(options.clone()));
            }),
            limiter: None,
        };
        let (tell, notifications) = mpsc::channel();
        let tell = Mutex::new(tell);
        let notify = Box::new(move || {
            let _ = tell.lock().unwrap().send(());
            notified();
        });
        let handle = start(endpoint, config, paired_device(1), notify, log).unwrap();
        Self {
            handle,
            notifications,
            events: Vec::new(),
            seen: 0,
        }
    }

    pub(super) fn connected(server: &Loopback, config: Config) -> Self {
        let mut user = Self::new(server.address, config);
        assert!(user.handle.with(|session, now| session.connect(now)));
        user.wait_for(|event| is_state(event, SessionState::Connected));
        user
    }

    /// Takes events until `wanted` returns true for one. The next call begins with the event after it.
    pub(super) fn wait_for(&mut self, wanted: impl Fn(&SessionEvent) -> bool) {
        let start = Instant::now();
        loop {
            while let Some(event) = self.events.get(self.seen) {
                self.seen += 1;
                if wanted(event) {
                    return;
                }
            }
            self.handle.take_events(100, &mut self.events);
            if self.events.len() == self.seen {
                let rest = WAIT_LIMIT.checked_sub(start.elapsed()).unwrap_or_default();
                let notifications = self.notifications.recv_timeout(rest);
                assert!(notifications.is_ok(), "nothing more came after {:?}", self.events);
            }
        }
    }

    pub(super) fn state(&self) -> SessionState {
        self.handle.with(|session, _| session.state())
    }

    pub(super) fn numbers(&self) -> Vec<u64> {
        self.events.iter().flat_map(numbers_of).collect()
    }
}

/// The numbers of the stanzas in an event.
pub(super) fn numbers_of(event: &SessionEvent) -> Vec<u64> {
    let SessionEvent::Stanzas(stanzas) = event else {
        return Vec::new();
    };
    let nodes = stanzas.iter().map(|(stanza, _)| stanza.to_node(Dialect::V7));
    nodes.map(|node| node.attr("n").unwrap().parse().unwrap()).collect()
}

pub(super) fn is_state(event: &SessionEvent, state: SessionState) -> bool {
    matches!(event, SessionEvent::State(change) if change.to == state)
}

/// A query stanza without an id.
pub(super) fn question() -> Node {
    node("iq", &[("type", "get")], Vec::new())
}
