//! All end reasons: their codes, and whether the session reconnects.

use std::{collections::BTreeSet, fs, path::Path};

use baileys_native::{
    binary::Node,
    failure::Failure,
    frame::FrameError,
    handshake::HandshakeError,
    noise::NoiseError,
    session::{EndReason, LoginError, PairingError, ReconnectClass, SessionState, code},
};

use super::{
    harness::{World, config, new_device},
    server::{bytes_node, chain, node, pair},
};

/// Makes `cause` end the connection. Checks the code, and whether the session reconnects.
fn ends(mut world: World, code: u16, retries: bool, cause: impl FnOnce(&mut World)) -> EndReason {
    cause(&mut world);
    world.pump();
    let reason = world.last_reason();
    assert_eq!(reason.code(), code, "{reason:?}");
    let state = if retries {
        SessionState::Reconnecting
    } else {
        SessionState::Disconnected
    };
    let after: Vec<SessionState> = world.states();
    assert!(after.contains(&state), "{reason:?}: {after:?}");
    if !retries {
        assert_eq!(world.session.state(), SessionState::Disconnected);
        assert_eq!(world.session.poll_timeout(), None, "{reason:?}");
    }
    assert!(
        world.link.is_none() || world.links > 1,
        "the transport was not abandoned"
    );
    reason
}

fn stanza(code: u16, retries: bool, stanza: &Node) -> EndReason {
    ends(World::connected(), code, retries, |world| world.serve(stanza))
}

#[test]
fn stream_errors_have_the_codes_of_baileys() {
    let conflict = node(
        "stream:error",
        &[],
        vec![node("conflict", &[("type", "replaced")], Vec::new())],
    );
    assert_eq!(stanza(440, false, &conflict).to_string(), "Stream Errored (conflict)");
    let restart = node("stream:error", &[("code", "515")], Vec::new());
    assert_eq!(
        stanza(515, true, &restart).to_string(),
        "Stream Errored (restart required)"
    );
    let unavailable = node("stream:error", &[("code", "503")], Vec::new());
    assert_eq!(stanza(503, true, &unavailable).to_string(), "Stream Errored (unknown)");
    let logged_out = node(
        "stream:error",
        &[("code", "401")],
        vec![node("conflict", &[("type", "device_removed")], Vec::new())],
    );
    assert_eq!(stanza(401, false, &logged_out).to_string(), "Stream Errored (conflict)");
    let other = node(
        "stream:error",
        &[("code", "x")],
        vec![bytes_node("xml-not-well-formed", b"")],
    );
    assert_eq!(
        stanza(500, false, &other).to_string(),
        "Stream Errored (xml-not-well-formed)"
    );
}

#[test]
fn failures_have_their_reason_as_the_code() {
    for (reason, code, retries) in [
        (Some("401"), 401, false),
        (Some("403"), 403, false),
        (Some("405"), 405, false),
        (Some("503"), 503, true),
        (Some("many"), 500, false),
        (Some("0"), 500, false),
        (None, 500, false),
    ] {
        let attrs: Vec<(&str, &str)> = reason.map(|reason| ("reason", reason)).into_iter().collect();
        let ended = stanza(code, retries, &node("failure", &attrs, Vec::new()));
        assert_eq!(ended.to_string(), "Connection Failure");
        let EndReason::Failure { attrs: kept, .. } = ended else {
            panic!()
        };
        assert_eq!(kept.len(), attrs.len());
    }
}

#[test]
fn reasons_of_other_server_stanzas() {
    assert_eq!(
        stanza(428, true, &node("xmlstreamend", &[], Vec::new())),
        EndReason::StreamEnd
    );
    let downgrade = node("ib", &[], vec![node("downgrade_webclient", &[], Vec::new())]);
    assert_eq!(stanza(411, false, &downgrade), EndReason::NotMultiDevice);
}

#[test]
fn reasons_of_transport_ends() {
    let reason = ends(World::connected(), 428, true, World::drop_link);
    assert_eq!(reason, EndReason::TransportClosed);
    for (status, code, retries) in [
        (None, 408, true),
        (Some(503), 503, true),
        (Some(403), 403, false),
        (Some(302), 408, true),
    ] {
        let mut world = World::paired();
        world.opens = false;
        let reason = ends(world, code, retries, |world| {
            world.connect();
            let id = world.wanted.take().unwrap();
            world.session.handle_failed(world.now, id, "no".into(), status);
        });
        assert_eq!(reason.to_string(), "WebSocket Error (no)");
    }
}

#[test]
fn reasons_of_timeouts() {
    let mut world = World::paired();
    world.opens = false;
    let reason = ends(world, 408, true, |world| {
        world.connect();
        world.advance(19_999);
        assert_eq!(world.session.state(), SessionState::Connecting);
        world.advance(1);
        assert_eq!(world.session.state(), SessionState::Reconnecting);
    });
    assert_eq!(reason, EndReason::TimedOut);

    // The transport opens, but the server does not answer the handshake.
    let reason = ends(World::paired(), 408, true, |world| {
        world.opens = false;
        world.connect();
        let id = world.wanted.unwrap();
        world.session.handle_opened(world.now, id);
        while world.session.poll_transmit(world.now).is_some() {}
        world.advance(19_999);
        assert_eq!(world.session.state(), SessionState::Authenticating);
        world.advance(1);
    });
    assert_eq!(reason, EndReason::TimedOut);

    let reason = ends(World::connected(), 408, true, |world| {
        world.advance(34_999);
        assert_eq!(world.session.state(), SessionState::Connected);
        world.advance(1);
        assert_eq!(world.session.state(), SessionState::Reconnecting);
    });
    assert_eq!(reason, EndReason::Silence);
}

#[test]
fn qr_codes_run_out() {
    let references = (0..3)
        .map(|number| bytes_node("ref", format!("ref{number}").as_bytes()))
        .collect();
    let offer = node(
        "iq",
        &[("type", "set"), ("id", "1"), ("from", "s.whatsapp.net")],
        vec![node("pair-device", &[], references)],
    );
    let reason = ends(World::new(config(), new_device(3)), 408, true, |world| {
        world.connect();
        world.serve(&offer);
        // Stanzas in between, so that the connection does not end with `Silence` first.
        for _ in 0..4 {
            world.advance(24_999);
            world.serve(&node("ib", &[], Vec::new()));
        }
        assert_eq!(world.session.state(), SessionState::Authenticating);
        world.advance(4);
    });
    assert_eq!(reason, EndReason::QrEnded);
}

#[test]
fn reasons_of_failed_handshakes() {
    let mut world = World::paired();
    world.options.chain = chain(&pair(99), None);
    let reason = ends(world, 400, false, World::connect);
    assert_eq!(reason, EndReason::Handshake(HandshakeError::LeafKey));

    let reason = ends(World::paired(), 500, false, |world| {
        world.opens = false;
        world.connect();
        let id = world.wanted.unwrap();
        world.session.handle_opened(world.now, id);
        world.session.handle_data(world.now, id, &[0, 0, 2, 0x1a, 0]);
    });
    assert_eq!(
        reason.to_string(),
        "invalid server hello: the field ephemeral is missing"
    );

    let mut credentials = super::harness::paired_device(1);
    credentials.me.as_mut().unwrap().id = "nobody@s.whatsapp.net".into();
    let reason = ends(World::new(config(), credentials), 500, false, World::connect);
    assert!(matches!(reason, EndReason::Login(_)), "{reason:?}");
}

#[test]
fn reasons_of_invalid_frames() {
    let reason = ends(World::connected(), 428, true, |world| {
        let link = world.link.as_mut().unwrap();
        world
            .session
            .handle_data(world.now, link.id, &[&[0, 0, 20][..], &[7; 20]].concat());
    });
    assert!(matches!(reason, EndReason::Noise(_)));
}

#[test]
fn reasons_of_requested_ends() {
    let reason = ends(World::connected(), 428, false, |world| {
        world.session.close(world.now);
    });
    assert_eq!(reason, EndReason::Requested);
    let mut received = Vec::new();
    let reason = ends(World::connected(), 401, false, |world| {
        assert!(world.session.log_out(world.now));
        while let Some(transmit) = world.session.poll_transmit(world.now) {
            if let baileys_native::session::Transmit::Message(_, message) = transmit {
                world.server().receive(&message);
            } else {
                received = std::mem::take(&mut world.server().received);
                let id = world.link.take().unwrap().id;
                world.session.handle_closed(world.now, id);
            }
        }
    });
    assert_eq!(reason, EndReason::LoggedOut);
    let removal = received.last().unwrap();
    assert_eq!((removal.attr("xmlns"), removal.attr("type")), (Some("md"), Some("set")));
}

#[test]
fn a_transport_that_does_not_close_is_abandoned() {
    let mut world = World::connected();
    world.closes = false;
    world.session.close(world.now);
    world.pump();
    assert_eq!(world.session.state(), SessionState::Closing);
    world.advance(5_000);
    assert_eq!(world.session.state(), SessionState::Disconnected);
    assert_eq!(world.last_reason(), EndReason::Requested);
}

#[test]
fn the_codes_equal_those_of_disconnect_reason() {
    // Source: Baileys 7.0.0-rc14, `Types`.
    let codes = [
        code::CONNECTION_CLOSED,
        code::CONNECTION_LOST,
        code::CONNECTION_REPLACED,
        code::LOGGED_OUT,
        code::BAD_SESSION,
        code::RESTART_REQUIRED,
        code::MULTIDEVICE_MISMATCH,
        code::FORBIDDEN,
        code::UNAVAILABLE_SERVICE,
    ];
    assert_eq!(codes, [428, 408, 440, 401, 500, 515, 411, 403, 503]);
}

/// One sample of each kind.
fn samples() -> Vec<EndReason> {
    vec![
        EndReason::Requested,
        EndReason::LoggedOut,
        EndReason::Transport {
            failure: Box::default(),
            status: None,
        },
        EndReason::Transport {
            failure: Box::new(Failure {
                is_permanent: true,
                ..Failure::default()
            }),
            status: None,
        },
        EndReason::LeaseEnded,
        EndReason::TransportClosed,
        EndReason::TimedOut,
        EndReason::Silence,
        EndReason::QrEnded,
        EndReason::from_stream_error(&node("stream:error", &[], Vec::new())),
        EndReason::from_failure(&node("failure", &[], Vec::new())),
        EndReason::StreamEnd,
        EndReason::NotMultiDevice,
        EndReason::Handshake(HandshakeError::LeafKey),
        EndReason::Pairing(PairingError::Hmac),
        EndReason::Login(LoginError::InvalidJid(String::new())),
        EndReason::Frame(FrameError::TooLarge { length: 2, limit: 1 }),
        EndReason::Noise(NoiseError::InvalidPrivateKey { length: 0 }),
        EndReason::Defect,
    ]
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_documented_reasons_equal_the_code() {
    let document = read("docs/session.md");
    let (_, section) = document.split_once("## Reasons for an end").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split('|').map(str::trim).collect()))
        .collect();
    let mut seen = 0;
    for reason in samples() {
        let mut name = reason.kind().to_owned();
        name[..1].make_ascii_uppercase();
        let named = |row: &&Vec<&str>| {
            let (names, _) = row[0].split_once(':').unwrap_or((row[0], ""));
            // A permanent failure of the transport has its own row.
            let is_permanent = matches!(&reason, EndReason::Transport { failure, .. } if failure.is_permanent);
            names.split(", ").any(|other| other.trim_matches('`') == name)
                && (name != "Transport" || row[0].contains("certificate") == is_permanent)
        };
        let found: Vec<_> = rows.iter().filter(named).collect();
        let [row] = found.as_slice() else {
            panic!("{name} has {} rows", found.len())
        };
        if let Ok(code) = row[1].parse::<u16>() {
            assert_eq!(reason.code(), code, "{name}");
        }
        let class = match reason.is_intended() {
            true => ReconnectClass::Final,
            false => ReconnectClass::of(reason.code()),
        };
        match row[2] {
            "final" => assert_eq!(class, ReconnectClass::Final, "{name}"),
            "never again" => assert_eq!(reason, EndReason::Defect),
            "again, after a delay" => assert_eq!(class, ReconnectClass::Backoff, "{name}"),
            other => assert_eq!(other, "by code", "{name}"),
        }
        seen += 1;
    }
    let names: usize = rows
        .iter()
        .map(|row| row[0].split(':').next().unwrap().split(", ").count())
        .sum();
    assert_eq!(seen, names);
}

#[test]
fn every_kind_is_declared_in_index_d_ts() {
    let declarations = read("index.d.ts");
    let (_, reason) = declarations.split_once("export interface EndReason {").unwrap();
    let (kinds, _) = reason.split_once(';').unwrap();
    let declared: BTreeSet<&str> = kinds.split('\'').skip(1).step_by(2).collect();
    let samples = samples();
    let known: BTreeSet<&str> = samples.iter().map(EndReason::kind).collect();
    assert_eq!(declared, known);
}
