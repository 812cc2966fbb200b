//! Causes each transition of the table in a session.

use std::{collections::BTreeSet, fs, path::Path};

use baileys_native::session::{EndReason, SessionEvent, SessionState, Trigger, transition_table};

use super::{
    harness::{World, config, paired_device},
    server::node,
};

fn in_state(state: SessionState) -> World {
    let mut world = World::paired();
    match state {
        SessionState::Disconnected => {}
        SessionState::Connecting => {
            world.opens = false;
            world.connect();
        }
        SessionState::Authenticating => world.connect(),
        SessionState::Connected => {
            world.connect();
            world.log_in();
        }
        SessionState::Closing => {
            world.closes = false;
            world.connect();
            world.log_in();
            assert!(world.session.close(world.now));
            world.pump();
        }
        SessionState::Reconnecting => {
            world.connect();
            world.drop_link();
        }
    }
    assert_eq!(world.session.state(), state);
    world.events.clear();
    world
}

/// Causes a trigger, if this is possible.
fn cause(world: &mut World, trigger: Trigger) {
    match trigger {
        Trigger::Connect => {
            world.opens = false;
            world.session.connect(world.now);
        }
        Trigger::Opened => {
            if world.wanted.is_some() {
                world.open();
            }
        }
        Trigger::LoggedIn => {
            if world.link.as_ref().is_some_and(|link| link.server.is_open()) {
                world.log_in();
            }
        }
        Trigger::Close => {
            world.closes = false;
            if world.session.state() != SessionState::Reconnecting {
                world.session.close(world.now);
            }
        }
        Trigger::Lost => {
            let id = world.link.take().map(|link| link.id).or(world.wanted.take());
            if let Some(id) = id {
                world.session.handle_closed(world.now, id);
            }
        }
        Trigger::Due => {
            world.opens = false;
            world.now = world.session.poll_timeout().unwrap_or(world.now).max(world.now);
            if world.session.state() == SessionState::Reconnecting {
                world.session.handle_timeout(world.now);
            }
        }
        Trigger::Ended => match world.session.state() {
            SessionState::Reconnecting => assert!(world.session.cancel_reconnect(world.now)),
            SessionState::Closing => world.advance(60_000),
            SessionState::Connecting => {
                let id = world.wanted.take().unwrap();
                world
                    .session
                    .handle_failed(world.now, id, "Unexpected server response: 403".into(), Some(403));
            }
            SessionState::Authenticating | SessionState::Connected => {
                world.serve(&node("failure", &[("reason", "401")], Vec::new()));
            }
            SessionState::Disconnected => {}
        },
    }
    world.pump();
}

#[test]
fn every_trigger_in_every_state_does_what_the_table_says() {
    let mut taken = 0;
    for state in SessionState::ALL {
        for trigger in Trigger::ALL {
            let mut world = in_state(state);
            cause(&mut world, trigger);
            let first = world.changes().into_iter().next();
            let expected = state.on(trigger);
            match expected {
                Some(to) => {
                    let change = first.unwrap_or_else(|| panic!("{state} stays on {trigger:?}"));
                    assert_eq!((change.from, change.to, change.trigger), (state, to, trigger));
                    assert_eq!(change.at, world.changes()[0].at);
                    let ends = matches!(trigger, Trigger::Lost | Trigger::Ended | Trigger::Close);
                    assert_eq!(change.reason.is_some(), ends, "{state} {trigger:?}");
                    taken += 1;
                }
                // If the table has no entry, only another trigger can have changed the state.
                None => assert!(
                    first.is_none_or(|change| change.trigger != trigger),
                    "{state} {trigger:?}"
                ),
            }
        }
    }
    assert_eq!(taken, 16);
}

/// The rows of all tables in a Markdown text, without formatting and separator lines.
fn rows(markdown: &str) -> Vec<Vec<String>> {
    let rows = markdown.lines().filter(|line| line.starts_with('|'));
    let cells = rows.map(|row| {
        row.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    });
    cells
        .filter(|cells: &Vec<String>| {
            !cells
                .iter()
                .all(|cell| cell.chars().all(|char| char == '-') && !cell.is_empty())
        })
        .collect()
}

#[test]
fn the_documented_table_equals_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/session.md");
    let documented = rows(&fs::read_to_string(path).unwrap());
    let table = rows(&transition_table());
    assert_eq!(table.len(), SessionState::ALL.len() + 1);
    assert!(
        documented.windows(table.len()).any(|rows| rows == table),
        "docs/session.md should contain:\n{}",
        transition_table()
    );
}

#[test]
fn every_state_can_be_reached_and_left() {
    let mut reached = BTreeSet::from([SessionState::Disconnected.name()]);
    for state in SessionState::ALL {
        let next: Vec<SessionState> = Trigger::ALL
            .into_iter()
            .filter_map(|trigger| state.on(trigger))
            .collect();
        assert!(!next.is_empty(), "{state}");
        reached.extend(next.into_iter().map(SessionState::name));
    }
    assert_eq!(reached.len(), SessionState::ALL.len());
}

#[test]
fn the_states_from_connecting_to_disconnected() {
    let mut world = World::paired();
    world.connect();
    world.log_in();
    assert!(world.session.close(world.now));
    world.pump();
    let states = world.states();
    assert_eq!(
        states,
        [
            SessionState::Connecting,
            SessionState::Authenticating,
            SessionState::Connected,
            SessionState::Closing,
            SessionState::Disconnected
        ]
    );
    assert_eq!(world.last_reason(), EndReason::Requested);
    assert!(world.link.is_none());
    assert!(!world.session.close(world.now) && !world.session.cancel_reconnect(world.now));
    // A second connection works.
    world.connect();
    world.log_in();
    assert_eq!(world.session.state(), SessionState::Connected);
    assert!(!world.session.connect(world.now));
}

#[test]
fn closing_sends_what_is_queued_first() {
    let mut world = World::connected();
    for number in ["1", "2", "3"] {
        let stanza = node("message", &[("n", number)], Vec::new());
        let _ = world.session.send(world.now, &mut stanza.source()).unwrap();
    }
    world.session.close(world.now);
    let mut sent = 0;
    while let Some(transmit) = world.session.poll_transmit(world.now) {
        match transmit {
            baileys_native::session::Transmit::Message(_, message) => {
                world.server().receive(&message);
                sent += 1;
            }
            baileys_native::session::Transmit::Close(_) => assert_eq!(sent, 3),
            other => panic!("{other:?}"),
        }
    }
    let numbers: Vec<_> = world
        .server()
        .received
        .iter()
        .filter_map(|stanza| stanza.attr("n"))
        .collect();
    assert_eq!(numbers, ["1", "2", "3"]);
    let stanza = node("message", &[], Vec::new());
    assert!(world.session.send(world.now, &mut stanza.source()).is_err());
}

#[test]
fn a_cancelled_reconnection_ends_with_the_reason_of_the_loss() {
    let mut world = World::connected();
    world.drop_link();
    assert!(world.reconnecting().is_some());
    assert!(world.session.cancel_reconnect(world.now));
    world.pump();
    assert_eq!(world.states(), [SessionState::Reconnecting, SessionState::Disconnected]);
    assert_eq!(world.last_reason(), EndReason::TransportClosed);
    world.advance(600_000);
    assert_eq!(world.links, 1);
}

#[test]
fn only_a_planned_reconnection_starts_without_its_delay() {
    for state in SessionState::ALL {
        let mut world = in_state(state);
        let links = world.links;
        let is_planned = state == SessionState::Reconnecting;
        assert_eq!(world.session.reconnect_now(world.now), is_planned, "{state}");
        world.pump();
        assert_eq!(world.links - links, usize::from(is_planned), "{state}");
    }
}

#[test]
fn a_reconnection_waits_for_its_confirmation() {
    let mut config = config();
    config.confirm_reconnect = true;
    let due = |world: &World| {
        let events = world
            .events
            .iter()
            .filter(|event| matches!(event, SessionEvent::ReconnectDue));
        events.count()
    };
    let waiting = || {
        let mut world = World::connected_with(config.clone());
        world.drop_link();
        // Not due yet. The first delay is at most one second.
        assert!(!world.session.confirm_reconnect(world.now));
        world.advance(600_000);
        assert_eq!((due(&world), world.links), (1, 1));
        assert_eq!(world.session.state(), SessionState::Reconnecting);
        world
    };

    let mut world = waiting();
    assert!(world.session.confirm_reconnect(world.now));
    assert!(!world.session.confirm_reconnect(world.now));
    world.pump();
    assert_eq!((due(&world), world.links), (1, 2));
    assert_eq!(world.session.state(), SessionState::Authenticating);

    let mut world = waiting();
    assert!(world.session.cancel_reconnect(world.now));
    assert!(!world.session.confirm_reconnect(world.now));
    world.pump();
    assert_eq!((world.session.state(), world.links), (SessionState::Disconnected, 1));

    let mut world = waiting();
    world.connect();
    assert!(!world.session.confirm_reconnect(world.now));
    assert_eq!((world.session.state(), world.links), (SessionState::Authenticating, 2));
}

#[test]
fn attempts_are_limited_and_counted_again_after_a_login() {
    let mut config = config();
    config.reconnect.as_mut().unwrap().attempts = Some(3);
    let mut world = World::new(config, paired_device(1));
    world.connect();
    for round in 1..=3 {
        world.drop_link();
        assert_eq!(world.reconnecting().unwrap().0, round);
        world.advance(120_000);
        // The login gets no answer in this time. Either this connection has ended by silence too, or a reconnection is
        // planned.
        if world.link.is_none() {
            break;
        }
    }
    while world.session.state() != SessionState::Disconnected {
        world.advance(120_000);
    }
    assert_eq!(world.links, 4);

    let mut world = World::connected();
    for _ in 0..5 {
        world.drop_link();
        let (attempt, at) = world.reconnecting().unwrap();
        assert!(attempt == 1 && at <= world.now + 1_000);
        world.advance(1_000);
        world.log_in();
    }
    assert_eq!(world.session.metrics().reconnects[&428], 5);
    assert_eq!(world.session.metrics().logins, 6);
}

#[test]
fn a_session_without_a_policy_does_not_reconnect() {
    let mut config = config();
    config.reconnect = None;
    let mut world = World::connected_with(config);
    world.drop_link();
    assert_eq!(world.states(), [SessionState::Disconnected]);
    assert!(
        !world
            .events
            .iter()
            .any(|event| matches!(event, SessionEvent::Reconnecting { .. }))
    );
}

#[test]
fn events_of_an_abandoned_transport_are_ignored() {
    let mut world = World::connected();
    let old = world.link.as_ref().unwrap().id;
    world.drop_link();
    world.advance(1_000);
    assert_eq!(world.session.state(), SessionState::Authenticating);
    world.events.clear();
    world.session.handle_closed(world.now, old);
    world.session.handle_data(world.now, old, &[0xff; 100]);
    world.session.handle_failed(world.now, old, "broken".into(), None);
    world.session.handle_opened(world.now, old);
    world.session.handle_pong(world.now, old);
    world.pump();
    assert!(world.events.is_empty());
}
