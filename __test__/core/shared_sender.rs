//! Two senders share one counter: JavaScript and the I/O thread. The frames on the wire are always in order.

pub(crate) mod world;

use baileys_native::binary::{self, Dialect, Node};
use baileys_native::shared_sender::{KeepAliveConfig, MIN_INTERVAL, SharedSender};
use proptest::prelude::*;

use world::{INTERVAL, PREFIX, Step, World, keep_alive, open, opened, seal};

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Seal),
        8 => Just(Step::SendNext),
        1 => any::<u8>().prop_map(Step::Send),
        1 => Just(Step::Repeat),
        1 => any::<u8>().prop_map(Step::Drop),
        1 => Just(Step::Loose),
        1 => Just(Step::Foreign),
        4 => Just(Step::EndTurn),
        4 => Just(Step::Heartbeat),
        12 => (0..3 * INTERVAL as u16).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_javascript_does_no_counter_is_used_twice_and_ours_come_in_their_turn(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (mut shared_sender, mut world) = (opened(Dialect::V7), World::default());
        for step in &steps {
            world.apply(&mut shared_sender, step);
        }
        world.finish(&shared_sender);
    }
}

/// A sender after one frame. JavaScript is blocked since then.
fn blocked(dialect: Dialect) -> SharedSender {
    let mut shared_sender = opened(dialect);
    let frame = seal(&mut shared_sender, b"first");
    shared_sender.sent(&frame, 0);
    shared_sender
}

#[test]
fn the_query_equals_that_of_baileys_and_is_sent_every_interval() {
    for dialect in [Dialect::V7, Dialect::V6_7, Dialect::V6_17] {
        let mut shared_sender = blocked(dialect);
        assert_eq!(shared_sender.due(0, 0), Some(1_062));
        assert_eq!(keep_alive(&mut shared_sender, 1_061, 0), None);
        let frame = keep_alive(&mut shared_sender, 1_062, 0).unwrap();
        let payload = open(&frame, 1).unwrap();
        let mut inflated = Vec::new();
        let node = Node::decode(binary::unpack(&payload, &mut inflated).unwrap(), dialect).unwrap();
        let attrs: Vec<_> = node.attrs.iter().map(|(key, value)| (&key[..], &value[..])).collect();
        let id = format!("{PREFIX}1");
        assert_eq!(node.tag, "iq");
        assert_eq!(
            attrs,
            [
                ("id", &id[..]),
                ("to", "@s.whatsapp.net"),
                ("type", "get"),
                ("xmlns", "w:p")
            ]
        );
        assert_eq!(shared_sender.due(1_062, 0), Some(2_062));
        assert!(keep_alive(&mut shared_sender, 2_062, 0).is_some());
        // The client continues with the counter after the queries.
        assert_eq!(open(&seal(&mut shared_sender, b"next"), 3).unwrap(), b"next");
    }
}

#[test]
fn no_query_is_sent_while_the_thread_runs() {
    let mut shared_sender = blocked(Dialect::V7);
    assert_eq!(keep_alive(&mut shared_sender, 60_000, 59_751), None);
    assert_eq!(shared_sender.due(60_000, 59_751), Some(60_001));
    assert!(keep_alive(&mut shared_sender, 60_001, 59_751).is_some());
}

#[test]
fn nothing_is_sealed_before_the_first_frame_or_while_one_is_unsent() {
    let mut shared_sender = opened(Dialect::V7);
    assert_eq!(keep_alive(&mut shared_sender, 90_000, 0), None);
    let frame = seal(&mut shared_sender, b"first");
    assert_eq!(keep_alive(&mut shared_sender, 90_000, 0), None);
    shared_sender.sent(&frame, 90_000);
    let held = seal(&mut shared_sender, b"second");
    assert_eq!(keep_alive(&mut shared_sender, 180_000, 0), None);
    assert!(shared_sender.due(180_000, 0).is_some_and(|due| due > 180_000));
    shared_sender.sent(&held, 180_000);
    assert!(keep_alive(&mut shared_sender, 270_000, 0).is_some());
}

#[test]
fn the_sender_gives_up_after_too_many_unsent_frames() {
    let mut shared_sender = blocked(Dialect::V7);
    for _ in 0..2_000 {
        seal(&mut shared_sender, b"elsewhere");
    }
    assert_eq!(shared_sender.due(0, 0), None);
}

#[test]
fn the_sender_is_not_shared_without_a_link_and_an_interval() {
    let mut shared_sender = SharedSender::default();
    assert!(!shared_sender.open(|| panic!("taken"), Dialect::V7, 0));
    shared_sender.link(KeepAliveConfig {
        interval: MIN_INTERVAL - 1,
        id_prefix: PREFIX.to_owned(),
    });
    assert!(!shared_sender.open(|| panic!("taken"), Dialect::V7, 0));
    assert!(shared_sender.seal_frame(b"x", &mut Vec::new()).is_none() && shared_sender.due(0, 0).is_none());
}

#[test]
fn ids_have_the_form_of_those_of_baileys_and_all_random_bits() {
    let prefix = |random| KeepAliveConfig::new(INTERVAL, random).id_prefix;
    assert_eq!(prefix(0), "0.0-");
    assert_eq!(prefix(u128::MAX), format!("{0}.{0}-", u64::MAX));
    assert_eq!(prefix((3 << 64) + 4), "3.4-");
}

#[test]
fn a_closed_sender_seals_nothing_and_opens_no_other_handler() {
    let mut shared_sender = blocked(Dialect::V7);
    shared_sender.close();
    assert!(shared_sender.seal_frame(b"x", &mut Vec::new()).is_none());
    assert_eq!(keep_alive(&mut shared_sender, 90_000, 0), None);
    // A second handler on this socket uses its own sender.
    assert!(!shared_sender.open(|| panic!("taken"), Dialect::V7, 0));
}
