//! The task of a session: time, key derivation, and the opening of transports.

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
    log::Log,
    shared_session::{Notify, SharedSession},
    sink::SessionSink,
};
use crate::{
    session::{Config, ConnectionId, Credentials, Session},
    transport,
};

/// Defects that a session's task survives; with the last it gives the session up.
const MAX_DEFECTS: usize = 8;

/// Makes a session, disconnected, and starts its task. Its log entries go to `log`.
///
/// # Errors
/// When the runtime's threads cannot be started or the system has no randomness.
pub fn start(
    endpoint: Endpoint,
    config: Config,
    credentials: Credentials,
    notify: Notify,
    log: Option<Arc<Log>>,
) -> io::Result<Handle> {
    let mut session = Session::new(config, credentials, Box::new(SystemEntropy::new()?));
    session.set_stopwatch(Box::new(stopwatch()));
    let shared = Arc::new(SharedSession::new(session, notify, log));
    transport::runtime()?.spawn(serve(Arc::clone(&shared), Arc::new(endpoint)));
    Ok(Handle::new(shared))
}

/// The task of a session: time, and the opening of transports.
async fn serve(shared: Arc<SharedSession>, endpoint: Arc<Endpoint>) {
    for _ in 0..MAX_DEFECTS {
        // A defect must end a connection, not the process, and must not go unnoticed.
        if AssertUnwindSafe(run(&shared, &endpoint)).catch_unwind().await.is_ok() {
            return;
        }
        contained(|| shared.fail("internal error"));
    }
    contained(|| shared.give_up());
}

/// Does what may meet the defect that it is done for.
fn contained(act: impl FnOnce()) {
    // There is nobody left to tell.
    let _ = panic::catch_unwind(AssertUnwindSafe(act));
}

async fn run(shared: &Arc<SharedSession>, endpoint: &Arc<Endpoint>) {
    while let Some(action) = shared.next_action() {
        if let Some(derivation) = action.derive {
            let shared = Arc::clone(shared);
            // Nobody waits for it.
            drop(tokio::task::spawn_blocking(move || shared.derive(derivation)));
        }
        if let Some(connection) = action.open {
            // Names take their time; the session's goes on meanwhile.
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
    match endpoint.resolve(routing.as_deref()).await {
        Ok(options) => {
            let _scope = shared.scope();
            tracing::debug!(
                host = endpoint.host,
                addresses = options.addresses.len(),
                "name resolved"
            );
            let sink = SessionSink::new(Arc::clone(&shared), connection);
            shared.open(connection, || transport::connect(options, sink));
        }
        Err(failure) => shared.cannot_open(connection, failure),
    }
}
