//! Tests of the state that the owner of a connection and its task share, in every possible order of their steps:
//! `npm run test:loom`.
//!
//! The send queue is not modelled, because loom 0.7 reports a deadlock where one thread calls `try_lock` and another
//! one `lock`. Its order is tested with real threads in `tests/held.rs`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::FutureExt;
use loom::future::block_on;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::spawn;

use super::connection::{Connection, SharedConnection};
use super::idle::Releases;
use super::loop_turn::{Held, LoopTurn};
use crate::sync::Notify;

#[test]
fn an_abandoned_connection_ends() {
    loom::model(|| {
        let shared = Arc::new(SharedConnection::new(None));
        let connection = Connection::new(Arc::clone(&shared));
        let task = spawn(move || {
            block_on(poll_fn(|cx| {
                shared.waker.register(cx.waker());
                if shared.is_aborted() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }));
        });
        drop(connection);
        task.join().unwrap();
    });
}

#[test]
fn the_memory_hook_runs_after_the_last_release() {
    loom::model(|| {
        let releases = Arc::new(Releases::default());
        let hooks = Arc::new(AtomicU32::new(0));
        let release = |releases: Arc<Releases>, hooks: Arc<AtomicU32>| {
            move || {
                if !releases.add() {
                    return;
                }
                let mut seen = 1;
                while !releases.end_if_quiet(&mut seen) {
                    loom::thread::yield_now();
                }
                hooks.fetch_add(1, Ordering::AcqRel);
            }
        };
        let other = spawn(release(Arc::clone(&releases), Arc::clone(&hooks)));
        release(Arc::clone(&releases), Arc::clone(&hooks))();
        other.join().unwrap();
        // The hook was called once for both releases, or once for each. The next release starts a new wait.
        assert!((1..=2).contains(&hooks.load(Ordering::Acquire)));
        assert!(releases.add());
    });
}

/// A connection that counts how often its messages are written.
#[derive(Default)]
struct Flushes(AtomicU32);

impl Flushes {
    fn count(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }
}

impl Held for Flushes {
    fn flush(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[test]
fn messages_of_a_turn_that_does_not_end_are_written_although_the_task_was_about_to_sleep() {
    let mut model = loom::model::Builder::new();
    // Without this bound there are too many orders: the task takes many steps before it sleeps.
    model.preemption_bound = Some(3);
    model.check(|| {
        let turn = LoopTurn::new();
        let (ended, blocked) = (Arc::<Flushes>::default(), Arc::<Flushes>::default());
        let task = {
            let (shared, blocked) = (turn.shared(), Arc::clone(&blocked));
            // A period is over at once, and no wake is awaited: the task sleeps as early as possible.
            let period = async |task: &Notify| task.notified().now_or_never().is_some();
            spawn(move || {
                while blocked.count() == 0 {
                    block_on(shared.watch_until_idle(period));
                }
            })
        };
        let sender = turn.unwatched_sender();
        sender.hold(Arc::clone(&ended) as Arc<dyn Held>);
        turn.end();
        sender.hold(Arc::clone(&blocked) as Arc<dyn Held>);
        // The turn does not end. Loom reports a deadlock if the task is not woken.
        task.join().unwrap();
        assert_eq!((ended.count(), blocked.count()), (1, 1));
    });
}
