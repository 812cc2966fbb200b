//! Sessions that resume, and their fallback.

use baileys_native::session::{HandshakeKind, Millis, Session, SessionState};

use super::{
    harness::{World, config, new_device, paired_device},
    server::{OnResume, chain, pair},
};

fn world(on_resume: OnResume) -> World {
    let mut config = config();
    config.resume = true;
    let mut world = World::new(config, paired_device(1));
    world.options.on_resume = on_resume;
    world.connect();
    assert!(!world.server().asked_to_resume, "the server is not known yet");
    world.log_in();
    world
}

fn again(world: &mut World) {
    world.drop_link();
    world.advance(1_000);
}

fn kind(world: &World) -> HandshakeKind {
    world.session.metrics().handshake.unwrap().kind
}

#[test]
fn a_session_resumes_with_a_known_server_in_one_round_trip() {
    for on_resume in [OnResume::Accept, OnResume::AcceptWithChain] {
        let mut world = world(on_resume);
        assert_eq!(kind(&world), HandshakeKind::Xx);
        again(&mut world);
        assert!(world.server().asked_to_resume);
        assert_eq!(kind(&world), HandshakeKind::Ik);
        assert_eq!(world.server().payload.as_ref().unwrap().username, Some(15_551_234_567));
        world.log_in();
        assert_eq!(world.session.state(), SessionState::Connected);
        again(&mut world);
        assert_eq!(kind(&world), HandshakeKind::Ik);
    }
}

#[test]
fn a_declined_resumption_continues_on_the_same_connection() {
    let mut world = world(OnResume::Decline);
    world.options.static_key = pair(33);
    world.options.chain = chain(&pair(33), None);
    again(&mut world);
    assert_eq!(kind(&world), HandshakeKind::XxFallback);
    assert_eq!(world.links, 2);
    world.log_in();
    assert_eq!(world.session.state(), SessionState::Connected);
    assert_eq!(
        world.session.known_server().unwrap().report.server_static,
        pair(33).public
    );
}

#[test]
fn an_invalid_answer_to_a_resumption_leads_to_xx_at_once() {
    let mut world = world(OnResume::Garbage);
    again(&mut world);
    assert_eq!(world.links, 3, "another connection follows without delay");
    assert!(!world.server().asked_to_resume);
    assert_eq!(kind(&world), HandshakeKind::Xx);
    world.log_in();
    assert_eq!(world.session.state(), SessionState::Connected);
}

#[test]
fn a_server_that_closes_on_resumption_gets_a_full_handshake_next() {
    let mut world = world(OnResume::HangUp);
    again(&mut world);
    assert_eq!(world.session.state(), SessionState::Reconnecting);
    world.advance(5_000);
    assert!(!world.server().asked_to_resume);
    assert_eq!(kind(&world), HandshakeKind::Xx);
}

#[test]
fn a_server_with_an_expired_certificate_is_not_resumed() {
    let mut config = config();
    config.resume = true;
    let mut world = World::new(config, paired_device(1));
    world.options.chain = chain(&pair(3), Some(1_700_000_100));
    world.connect();
    world.log_in();
    again(&mut world);
    assert_eq!(kind(&world), HandshakeKind::Ik);
    world.log_in();
    world.now += 200_000;
    again(&mut world);
    assert!(!world.server().asked_to_resume);
}

#[test]
fn registrations_and_sessions_without_the_option_do_not_resume() {
    let known = *world(OnResume::Accept).session.known_server().unwrap();
    let mut resuming = config();
    resuming.resume = true;
    for (config, credentials) in [(resuming, new_device(5)), (config(), paired_device(1))] {
        let mut world = World::new(config, credentials);
        world.session.remember_server(known);
        world.connect();
        assert!(!world.server().asked_to_resume && world.server().is_open());
    }
}

#[test]
fn a_requested_end_keeps_the_known_server() {
    let wishes: [fn(&mut Session, Millis); 2] = [Session::handle_lease_end, |session: &mut Session, now| {
        session.close(now);
        let id = session.connection().unwrap();
        session.handle_closed(now, id);
    }];
    for wish in wishes {
        let mut world = world(OnResume::Accept);
        world.drop_link();
        world.opens = false;
        world.advance(1_000);
        let id = world.wanted.take().unwrap();
        world.session.handle_opened(world.now, id);
        wish(&mut world.session, world.now);
        assert_eq!(world.session.state(), SessionState::Disconnected);
        assert!(world.session.known_server().is_some());
    }
}
