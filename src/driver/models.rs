//! Tests of a session that its user and its task share, in every possible order of their steps: `npm run test:loom`.

use std::sync::Arc;

use loom::future::block_on;
use loom::sync::Notify;
use loom::thread::{Builder, JoinHandle};

use super::shared_session::SharedSession;
use crate::failure::Failure;
use crate::session::{CREDENTIALS_ENTROPY, Config, Credentials, Session, SessionEvent, SessionState};
use crate::transport::Timing;

/// The size of the stack of a thread. A session needs more than the default of loom.
const STACK: usize = 1 << 17;

fn spawn(act: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    Builder::new().stack_size(STACK).spawn(act).unwrap()
}

/// Steps of [`run`](super::task), without timers: every connection is refused.
async fn refuse_connections(shared: &SharedSession) {
    while let Some(action) = shared.next_action() {
        match action.open {
            Some(connection) => shared.cannot_open(connection, Failure::new("refused")),
            None => shared.woken().await,
        }
    }
}

#[test]
fn a_command_wakes_the_task_and_every_event_notifies_the_user() {
    let credentials = Credentials::generate(&[7; CREDENTIALS_ENTROPY]).unwrap();
    let mut model = loom::model::Builder::new();
    // Without a bound the model runs for hours.
    model.preemption_bound = Some(2);
    model.check(move || {
        let credentials = credentials.clone();
        spawn(move || connect_once(credentials)).join().unwrap();
    });
}

/// The user connects, takes events whenever it is notified until the connection is refused, and ends the session.
fn connect_once(credentials: Credentials) {
    let session = Session::new(Config::default(), credentials, Box::new(|out: &mut [u8]| out.fill(7)));
    let notified = Arc::new(Notify::new());
    let on_notify = Arc::clone(&notified);
    let shared = Arc::new(SharedSession::new(
        session,
        Box::new(move || on_notify.notify()),
        None,
        None,
    ));
    let task = {
        let shared = Arc::clone(&shared);
        spawn(move || block_on(refuse_connections(&shared)))
    };
    assert!(shared.with(Timing::Now, |session, now| session.connect(now)));
    let mut events = Vec::new();
    let has_failed =
        |event: &SessionEvent| matches!(event, SessionEvent::State(change) if change.from == SessionState::Connecting);
    while !events.iter().any(has_failed) {
        notified.wait();
        shared.take_events(usize::MAX, &mut events);
    }
    shared.finish();
    task.join().unwrap();
}
