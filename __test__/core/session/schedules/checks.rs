//! The properties that must hold after each event, after each step, and at the end of a schedule.

use baileys_native::{
    binary::Dialect,
    session::{SessionEvent, SessionState},
};

use super::run::Run;

impl Run {
    pub(super) fn event(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::State(change) => {
                assert_eq!(change.from, self.state, "a state change starts from another state");
                assert_eq!(change.from.on(change.trigger), Some(change.to), "by the table");
                self.state = change.to;
            }
            SessionEvent::Answer { query, result } => {
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
            SessionEvent::Stanzas(stanzas) => {
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
            SessionEvent::Unsent(ids) => {
                for id in ids {
                    assert!(self.sends.contains(&id) && self.unsent.insert(id));
                }
            }
            _ => {}
        }
    }

    pub(super) fn check(&self) {
        let metrics = self.session.metrics();
        // One frame can cause several events.
        assert!(
            metrics.incoming.stanzas <= self.most.max(self.bounds.stanzas + 2),
            "{:?}",
            metrics.incoming
        );
        assert!(metrics.outgoing.bytes <= 4_000 + 1_000, "{:?}", metrics.outgoing);
        assert!(metrics.queries_pending <= 6 + 40);
        if self.session.state() == SessionState::Disconnected {
            assert_eq!(
                (metrics.queries_pending, self.session.poll_timeout()),
                (0, None),
                "a query or a timer is still active"
            );
        }
        for id in &self.unsent {
            assert!(!self.received.contains(&self.numbers[id]), "a refused stanza was sent");
        }
        let connected = matches!(
            self.session.state(),
            SessionState::Authenticating | SessionState::Connected
        );
        assert!(
            !connected || self.link.is_some(),
            "{:?} without a link",
            self.session.state()
        );
    }

    /// Ends the schedule and checks that nothing was lost.
    pub(super) fn finish(mut self) {
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
            self.close_links();
        }
        self.take_events(usize::MAX);
        self.check();
        assert_eq!(self.session.state(), SessionState::Disconnected);
        assert_eq!(
            self.state,
            SessionState::Disconnected,
            "the last state was not reported"
        );
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
