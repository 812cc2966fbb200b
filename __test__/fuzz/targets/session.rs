//! A session with a server that sends any data. Payloads, calls of the user and time are in any order. The session is
//! logged in, or is not paired yet, or resumes when it connects again. The network in memory checks that the session's
//! requests are possible.

use arbitrary::{Arbitrary, Unstructured};
use baileys_native::session::{QueryOptions, SessionState};

use super::super::support::{
    harness::{World, config, new_device},
    server::node,
};

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    /// The server sends a correctly sealed payload.
    Payload(&'a [u8]),
    /// Bytes arrive that were not sealed.
    Bytes(&'a [u8]),
    Query {
        timeout: Option<u16>,
        is_idempotent: bool,
    },
    Send,
    Advance(u16),
    Pause,
    Resume,
    TakeEvents(bool),
    Break,
    Close,
    Connect,
}

/// A connected session of a new device: it waits for `pair-device`.
fn unpaired() -> World {
    let mut world = World::new(config(), new_device(3));
    world.connect();
    world
}

fn resuming() -> World {
    let mut config = config();
    config.resume = true;
    World::connected_with(config)
}

/// `data` is the kind of the session, and then a list of steps.
pub fn run(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let mut world = match source.arbitrary::<u8>().unwrap_or_default() % 4 {
        0 => unpaired(),
        1 => resuming(),
        _ => World::connected(),
    };
    world.watch("frame");
    while let Ok(step) = source.arbitrary() {
        if source.is_empty() {
            break;
        }
        apply(&mut world, &step);
    }
    world.takes_events = true;
    world.session.resume_reading(world.now);
    world.session.close(world.now);
    world.pump();
    world.advance(120_000);
    assert_eq!(world.session.state(), SessionState::Disconnected);
}

fn apply(world: &mut World, step: &Step<'_>) {
    let is_open = world.link.as_ref().is_some_and(|link| link.server.is_open());
    match *step {
        Step::Payload(payload) if is_open => world.server().send_payload(payload),
        Step::Bytes(bytes) if is_open => world.server().out.extend_from_slice(bytes),
        Step::Query { timeout, is_idempotent } => {
            let stanza = node("iq", &[("xmlns", "w:p")], Vec::new());
            let options = QueryOptions {
                timeout: timeout.map(u64::from),
                idempotent: is_idempotent,
            };
            let _ = world.session.query(world.now, &mut stanza.source(), options);
        }
        Step::Send => {
            let _ = world
                .session
                .send(world.now, &mut node("message", &[], Vec::new()).source());
        }
        Step::Advance(by) => world.advance(u64::from(by)),
        Step::Pause => world.session.pause_reading(world.now),
        Step::Resume => world.session.resume_reading(world.now),
        Step::TakeEvents(takes) => world.takes_events = takes,
        Step::Break if world.link.is_some() => world.drop_link(),
        Step::Close => drop(world.session.close(world.now)),
        Step::Connect => drop(world.session.connect(world.now)),
        Step::Payload(_) | Step::Bytes(_) | Step::Break => {}
    }
    world.pump();
}
