//! The task of a session. It handles timers, key derivation and the opening of transports.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use futures_util::FutureExt;

use super::{
    clock::{SystemEntropy, stopwatch},
    endpoint::Endpoint,
    handle::Handle,
    shared_session::{NotifyUser, SharedSession},
    sink::SessionSink,
};
use crate::{
    session::{Config, ConnectionId, Credentials, Log, Session, log},
    transport,
};

/// Number of defects (panics of the task) after which the session is stopped.
const MAX_DEFECTS: usize = 8;

/// Creates a disconnected session and starts its task. Log entries are sent to `log`.
///
/// # Errors
/// Fails if the threads of the runtime cannot be started, or if the system's random number generator fails.
pub fn start(
    endpoint: Endpoint,
    config: Config,
    credentials: Credentials,
    notify: NotifyUser,
    log: Option<Arc<Log>>,
) -> io::Result<Handle> {
    let mut session = Session::new(config, credentials, Box::new(SystemEntropy::new()?));
    session.set_stopwatch(Box::new(stopwatch()));
    let shared = Arc::new(SharedSession::new(session, notify, log, endpoint.limiter.clone()));
    transport::runtime()?.spawn(serve(Arc::clone(&shared), Arc::new(endpoint)));
    Ok(Handle::new(shared))
}

/// Runs the task of a session, and restarts it after a defect.
async fn serve(shared: Arc<SharedSession>, endpoint: Arc<Endpoint>) {
    for _ in 0..MAX_DEFECTS {
        // A defect ends the connection, but not the process. It is logged and reported.
        if AssertUnwindSafe(run(&shared, &endpoint)).catch_unwind().await.is_ok() {
            return;
        }
        catch_panic(|| shared.fail("internal error"));
    }
    catch_panic(|| shared.stop_after_defects());
}

/// Calls `act` and catches a panic. The cause of the first panic can also make `act` panic.
fn catch_panic(act: impl FnOnce()) {
    // Nothing is left that could report this error.
    let _ = panic::catch_unwind(AssertUnwindSafe(act));
}

async fn run(shared: &Arc<SharedSession>, endpoint: &Arc<Endpoint>) {
    while let Some(action) = shared.next_action() {
        if let Some(derivation) = action.derive {
            let shared = Arc::clone(shared);
            // `derive` passes its result to the session, so nothing waits for this task.
            drop(tokio::task::spawn_blocking(move || shared.derive(derivation)));
        }
        if let Some(connection) = action.open {
            // The answer of the user can take long. It has its own task, so that timers continue.
            tokio::spawn(open(Arc::clone(shared), connection, Arc::clone(endpoint)));
            continue;
        }
        match action.wait {
            Some(wait) => {
                if tokio::time::timeout(wait, shared.woken()).await.is_err() {
                    shared.timeout();
                }
            }
            None => shared.woken().await,
        }
    }
}

async fn open(shared: Arc<SharedSession>, connection: ConnectionId, endpoint: Arc<Endpoint>) {
    let routing = shared.inspect(|session| session.credentials().routing_info.clone());
    match endpoint.connect_options(routing.as_deref()).await {
        Ok(options) => {
            log!(
                shared.log(),
                Debug,
                "name resolved",
                host = &*options.host,
                addresses = options.addresses.len(),
            );
            let sink = SessionSink::new(Arc::clone(&shared), connection);
            shared.open(connection, || transport::connect(options, sink));
        }
        Err(failure) => shared.cannot_open(connection, failure),
    }
}
