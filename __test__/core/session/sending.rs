//! Stanzas that the user sends: when they are accepted, their queue, and the ones that were not sent.

use std::num::NonZero;

use baileys_native::{
    binary::{Dialect, Node},
    session::{EndReason, QueryError, QueueLimits, SendError, SendReadiness, SessionEvent, SessionState, Transmit},
};

use super::{
    harness::{World, config, paired_device, query_options, question},
    server::{Server, bytes_node, node},
};

#[test]
fn nothing_is_accepted_without_a_connection() {
    let mut world = World::paired();
    let stanza = question();
    let refused = |world: &mut World| {
        let sent = world.session.send(world.now, &mut stanza.source()).unwrap_err();
        let asked = world
            .session
            .query(world.now, &mut stanza.source(), query_options(None, true))
            .unwrap_err();
        assert_eq!((&sent, sent.code()), (&SendError::NotConnected, Some(428)));
        assert_eq!(asked, SendError::NotConnected);
    };
    refused(&mut world);
    world.opens = false;
    world.connect();
    refused(&mut world);
    world.open();
    world.pump();
    assert!(world.session.can_send());
    world.drop_link();
    refused(&mut world);
}

#[test]
fn the_outgoing_queue_reports_full_and_drained() {
    let mut config = config();
    config.outgoing = QueueLimits {
        stanzas: 4,
        bytes: 1 << 20,
        limit: 4_000,
    };
    let mut world = World::connected_with(config);
    let stanza = bytes_node("message", &[1; 500]);
    let mut readinesses = Vec::new();
    let refused = loop {
        match world.session.send(world.now, &mut stanza.source()) {
            Ok(sent) => readinesses.push(sent.readiness),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, SendError::Full);
    assert_eq!(
        readinesses[..4],
        [
            SendReadiness::Ready,
            SendReadiness::Ready,
            SendReadiness::Ready,
            SendReadiness::Wait
        ]
    );
    assert_eq!(readinesses.len(), 7);
    let depth = world.session.metrics().outgoing;
    assert_eq!((depth.stanzas, depth.most_stanzas), (7, 7));
    world.pump();
    assert_eq!(world.server().received.len(), 8);
    assert_eq!(
        world
            .events
            .iter()
            .filter(|event| **event == SessionEvent::Drain)
            .count(),
        1
    );
}

#[test]
fn a_lost_connection_with_a_full_outgoing_queue_counts_as_silent() {
    let mut config = config();
    config.outgoing.limit = 4_000;
    let mut world = World::connected_with(config);
    // The transport takes nothing.
    for stanza in [bytes_node("message", &[1; 500]), node("ack", &[], Vec::new())] {
        while world.session.send(world.now, &mut stanza.source()).is_ok() {}
    }
    while world.session.state() == SessionState::Connected
        && let Some(at) = world.session.poll_timeout()
    {
        world.now = at;
        world.session.handle_timeout(at);
        let queued = world.session.metrics().outgoing;
        assert!(queued.bytes <= 4_000 && queued.stanzas < 4_000, "{queued:?}");
    }
    world.pump();
    assert_eq!(world.last_reason(), EndReason::Silence);
}

#[test]
fn a_lost_connection_counts_as_silent_while_the_outgoing_queue_is_above_its_limit() {
    let mut config = config();
    config.outgoing.limit = 4_000;
    let silence = config.keep_alive_interval.get() + config.keep_alive_grace;
    let mut world = World::new(config, paired_device(1));
    world.connect();
    for stanza in [bytes_node("message", &[1; 500]), node("ack", &[], Vec::new())] {
        while world.session.send(world.now, &mut stanza.source()).is_ok() {}
    }
    world.server().send(&node("success", &[], Vec::new()));
    // The query of the login does not fit, so the session does not read. The transport takes nothing.
    assert!(world.deliver() && !world.session.wants_data());
    let over_since = world.now;
    while world.session.state() == SessionState::Connected {
        world.now = world.session.poll_timeout().unwrap();
        world.session.handle_timeout(world.now);
    }
    world.pump();
    assert_eq!(
        (world.last_reason(), world.now - over_since),
        (EndReason::Silence, silence)
    );
}

#[test]
fn a_connection_is_not_lost_while_its_transport_takes_stanzas() {
    let mut config = config();
    config.outgoing.limit = 100;
    config.query_timeout = None;
    let mut world = World::connected_with(config);
    for _ in 0..30 {
        world.query(&question(), query_options(None, true));
    }
    world.drop_link();
    world.advance(1_000);
    world.server().send(&node("success", &[], Vec::new()));
    // All queries are repeated. The transport takes one every 30 seconds.
    assert!(world.deliver());
    for _ in 0..20 {
        assert!(!world.session.wants_data());
        let end = world.now + 30_000;
        while let Some(at) = world.session.poll_timeout().filter(|at| *at <= end) {
            world.now = at;
            world.session.handle_timeout(at);
        }
        world.now = end;
        assert!(world.session.poll_transmit(world.now).is_some());
    }
    assert_eq!(world.session.state(), SessionState::Connected);
}

#[test]
fn nothing_is_sent_after_the_request_to_close_the_transport() {
    let mut config = config();
    config.keep_alive_interval = NonZero::new(1_000).unwrap();
    config.socket_ping_interval = NonZero::new(1_000);
    let mut world = World::connected_with(config);
    world.closes = false;
    world.session.close(world.now);
    world.pump();
    assert!(world.link.is_none());
    // Here the keep-alive query and the ping are due. `World` fails at a message without a link.
    world.advance(2_000);
    assert_eq!((world.session.state(), world.pings), (SessionState::Closing, 0));

    // The server's handshake message arrives after the request.
    let mut world = World::paired();
    world.session.connect(world.now);
    assert!(matches!(
        world.session.poll_transmit(world.now),
        Some(Transmit::Open(_))
    ));
    let id = world.session.connection().unwrap();
    world.session.handle_opened(world.now, id);
    let mut server = Server::new(world.options.clone());
    let Some(Transmit::Message(_, hello)) = world.session.poll_transmit(world.now) else {
        panic!("no ClientHello")
    };
    server.receive(&hello);
    world.session.close(world.now);
    assert_eq!(world.session.poll_transmit(world.now), Some(Transmit::Close(id)));
    world.session.handle_data(world.now, id, &server.out);
    assert_eq!(world.session.poll_transmit(world.now), None);
}

#[test]
fn a_keep_alive_query_that_does_not_fit_is_sent_when_the_queue_has_room() {
    let mut config = config();
    config.outgoing.limit = 4_000;
    let interval = config.keep_alive_interval.get();
    let mut world = World::connected_with(config);
    for stanza in [bytes_node("message", &[1; 500]), node("ack", &[], Vec::new())] {
        while world.session.send(world.now, &mut stanza.source()).is_ok() {}
    }
    world.now += interval;
    world.session.handle_timeout(world.now);
    assert_eq!(world.session.metrics().pings, 0);
    // The transport takes everything.
    world.pump();
    world.advance(1_000);
    assert_eq!(world.session.metrics().pings, 1);
    world.advance(interval - 1);
    assert_eq!(world.session.metrics().pings, 1);
}

#[test]
fn accepted_stanzas_that_were_not_sent_are_reported() {
    let mut world = World::connected();
    let ids: Vec<_> = (0..3)
        .map(|_| world.session.send(world.now, &mut question().source()).unwrap().id)
        .collect();
    let first = world.session.poll_transmit(world.now);
    assert!(matches!(first, Some(Transmit::Message(..))));
    let id = world.link.take().unwrap().id;
    world.session.handle_failed(world.now, id, "reset".into(), None);
    world.pump();
    assert!(world.events.contains(&SessionEvent::Unsent(ids[1..].to_vec())));
}

#[test]
fn a_hand_over_returns_the_queued_stanzas_and_sends_the_polled_ones() {
    let mut config = config();
    config.outgoing.stanzas = 3;
    let mut world = World::connected_with(config);
    let stanza = |number: u64| node("message", &[("n", &number.to_string())], Vec::new());
    let sent: Vec<_> = (0..4)
        .map(|number| world.session.send(world.now, &mut stanza(number).source()).unwrap())
        .collect();
    assert_eq!(sent[3].readiness, SendReadiness::Wait);
    let query = world
        .session
        .query(world.now, &mut question().source(), query_options(None, true))
        .unwrap();
    let Some(Transmit::Message(_, first)) = world.session.poll_transmit(world.now) else {
        panic!("the first stanza goes out");
    };
    world.server().receive(&first);

    let unsent = world.session.hand_over(world.now);
    assert_eq!(world.session.state(), SessionState::Closing);
    let ids: Vec<_> = unsent.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, sent[1..].iter().map(|sent| sent.id).collect::<Vec<_>>());
    for ((_, payload), number) in unsent.iter().zip(1..) {
        assert_eq!(Node::decode(&payload[1..], Dialect::V7).unwrap(), stanza(number));
    }
    assert_eq!(world.session.metrics().outgoing.stanzas, 1, "the query stays");
    let received = {
        world.closes = false;
        let Some(Transmit::Message(_, message)) = world.session.poll_transmit(world.now) else {
            panic!("the query goes out");
        };
        let server = world.server();
        server.receive(&message);
        server
            .received
            .iter()
            .map(|stanza| stanza.tag.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(received[received.len() - 2..], ["message", "iq"]);
    world.closes = true;
    world.pump();
    assert_eq!(world.last_reason(), EndReason::Requested);
    assert_eq!(world.answers(), [(query.query, Err(QueryError::Closed { code: 428 }))]);
    assert!(world.events.contains(&SessionEvent::Drain));
    assert!(
        !world
            .events
            .iter()
            .any(|event| matches!(event, SessionEvent::Unsent(_)))
    );
    assert!(world.session.hand_over(world.now).is_empty());
}

#[test]
fn stanzas_that_cannot_be_encoded_or_framed_are_refused() {
    let mut world = World::connected();
    let sent = world.session.send(world.now, &mut node("", &[], Vec::new()).source());
    assert!(matches!(sent, Err(SendError::Encode(_))));
    let huge = bytes_node("message", &vec![0; 1 << 24]);
    assert!(matches!(
        world.session.send(world.now, &mut huge.source()),
        Err(SendError::TooLarge(_))
    ));
    let fits = bytes_node("message", &vec![0; (1 << 24) - 100]);
    let _ = world.session.send(world.now, &mut fits.source()).unwrap();
    world.pump();
    assert_eq!(world.server().received.last(), Some(&fits));
}
