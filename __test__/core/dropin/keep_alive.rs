//! Keep-alive queries while JavaScript is blocked.

use baileys_native::dropin::{KeptAlive, keep_alive::RETRY};
use proptest::prelude::*;

use super::harness::{INTERVAL, World, in_virtual_time, pass, query_number};

#[test]
fn keep_alive_queries_are_sent_until_a_blocked_thread_runs_again() {
    in_virtual_time(async {
        let mut world = World::new();
        world.send(b"first");
        world.received();
        pass(3_500).await;
        assert_eq!(world.queries(), [(1_062, 1), (2_062, 2), (3_062, 3)]);
        world.monitor.heartbeat();
        let counters = &world.counters;
        let kept_alive = KeptAlive {
            stalls: 1,
            blocked_ms: 3_500,
            keep_alives: 3,
        };
        assert_eq!(counters.kept_alive(), kept_alive);
        // The client continues with the counter after the queries.
        world.send(b"second");
        assert_eq!(world.received(), [(3_500, b"second".to_vec())]);
    });
}

#[test]
fn no_query_is_sent_while_the_thread_runs() {
    in_virtual_time(async {
        let mut world = World::new();
        world.send(b"first");
        for _ in 0..160 {
            pass(INTERVAL / 16).await;
            world.monitor.heartbeat();
        }
        assert_eq!(world.received().len(), 1);
        assert_eq!(world.counters.kept_alive().stalls, 0);
        assert!(!world.task.is_finished());
    });
}

#[test]
fn a_query_is_retried_until_the_connection_has_room() {
    in_virtual_time(async {
        let mut world = World::new();
        world.send(b"first");
        world.received();
        world.set_full(true);
        pass(1_062 + 2 * u64::try_from(RETRY.as_millis()).unwrap() - 1).await;
        assert_eq!(world.queries(), []);
        world.set_full(false);
        pass(1).await;
        tokio::task::yield_now().await;
        assert_eq!(world.queries(), [(1_562, 1)]);
    });
}

#[test]
fn no_query_is_sent_while_a_sealed_frame_is_unsent() {
    in_virtual_time(async {
        let mut world = World::new();
        world.send(b"first");
        let kept = world.seal(b"second");
        world.received();
        pass(10 * INTERVAL).await;
        assert_eq!(world.queries(), []);
        world.hold(kept);
        world.end_turn();
        assert_eq!(world.received(), [(10_000, b"second".to_vec())]);
        pass(2 * INTERVAL).await;
        assert_eq!(world.queries().len(), 1);
    });
}

#[test]
fn a_query_is_written_after_the_held_frames() {
    in_virtual_time(async {
        let mut world = World::new();
        world.hold(world.seal(b"first"));
        world.hold(world.seal(b"second"));
        pass(1_100).await;
        let payloads: Vec<_> = world.received().into_iter().map(|(_, payload)| payload).collect();
        assert_eq!(payloads[..2], [b"first".to_vec(), b"second".to_vec()]);
        assert_eq!(query_number(&payloads[2]), Some(1));
    });
}

#[test]
fn the_task_ends_when_a_frame_is_lost() {
    in_virtual_time(async {
        let world = World::new();
        world.send(b"first");
        let lost = world.seal(b"lost");
        world.hold(world.seal(b"out of turn"));
        drop(lost);
        pass(10 * INTERVAL).await;
        assert!(world.task.is_finished());
        // A frame with a wrong counter cannot be decrypted, and no query follows it.
        world.state.shared_sender().close();
    });
}

#[derive(Debug, Clone)]
enum Step {
    /// JavaScript seals frames and gives them to the socket in one turn.
    Hold(u8),
    EndTurn,
    /// JavaScript seals a frame and gives it to the socket later.
    Seal,
    GiveSealed,
    Heartbeat,
    Full(bool),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..5_u8).prop_map(Step::Hold),
        4 => Just(Step::EndTurn),
        1 => Just(Step::Seal),
        2 => Just(Step::GiveSealed),
        4 => Just(Step::Heartbeat),
        1 => any::<bool>().prop_map(Step::Full),
        8 => (0..3 * INTERVAL).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_held_the_server_opens_every_frame_in_order(steps in prop::collection::vec(step(), 1..60)) {
        let (expected, received) = in_virtual_time(async {
            let mut world = World::new();
            let (mut expected, mut received, mut sealed) = (Vec::new(), Vec::new(), None);
            for step in steps {
                match step {
                    // A sealed frame must be given to the socket first. Otherwise JavaScript itself sends frames out of
                    // order.
                    Step::Hold(_) if sealed.is_some() => {}
                    Step::Hold(count) => {
                        for _ in 0..count {
                            let payload = format!("frame {}", expected.len()).into_bytes();
                            world.hold(world.seal(&payload));
                            expected.push(payload);
                        }
                    }
                    Step::EndTurn => world.end_turn(),
                    Step::Seal if sealed.is_none() => {
                        let payload = format!("frame {}", expected.len()).into_bytes();
                        sealed = Some(world.seal(&payload));
                        expected.push(payload);
                    }
                    Step::Seal => {}
                    Step::GiveSealed => {
                        if let Some(frame) = sealed.take() {
                            world.hold(frame);
                        }
                    }
                    Step::Heartbeat => world.monitor.heartbeat(),
                    Step::Full(is_full) => world.set_full(is_full),
                    Step::Pass(time) => pass(time).await,
                }
                received.extend(world.received());
            }
            if let Some(frame) = sealed.take() {
                world.hold(frame);
            }
            world.end_turn();
            received.extend(world.received());
            (expected, received)
        });
        let mut queries = 0;
        let frames: Vec<_> = received
            .into_iter()
            .map(|(_, payload)| payload)
            .filter(|payload| {
                let number = (payload[0] == 0).then(|| query_number(payload)).flatten();
                queries += u32::from(number.is_some());
                // The queries are numbered without gaps.
                assert!(number.is_none_or(|number| number == queries));
                number.is_none()
            })
            .collect();
        prop_assert_eq!(frames, expected);
    }
}
