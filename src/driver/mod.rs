//! Sessions on transports: with the real clock, real randomness, and threads.
//!
//! A session belongs to no thread. It lies behind a lock, and whoever has something for it takes that: the transport's
//! task with what came in, the user with a command, and the session's own task when time has passed or a transport is
//! to be opened. Whoever changed it then does what it wants done. So what comes in is looked at where it is read, with no other task
//! in between, and goes on being while the user's thread is busy.
//!
//! [`start`] makes a session and its task; the [`Handle`] is the user's end.

mod clock;
mod core;
mod handle;
mod log;
mod lookup;
mod sink;

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt;

use self::{
    clock::{SystemEntropy, stopwatch},
    core::Core,
};
pub use self::{
    handle::{Handle, WeakHandle},
    log::{Log, LogEntry, LogValue, TakeEntry},
};
use crate::{
    session::{Config, ConnectionId, Credentials, Session},
    transport::{self, ConnectOptions, Timing},
};

/// Where a session connects to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The name or address of the server, or of the proxy where `options` has one.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Everything else. The addresses are resolved for each connection, and need not be there.
    pub options: ConnectOptions,
}

/// Called when there are events to take and the user does not know yet; from any thread, and with no lock held that
/// [`Handle`] needs.
pub type Notify = Box<dyn Fn() + Send + Sync>;

/// Defects that a session's task survives; with the last it gives the session up.
const MAX_DEFECTS: usize = 8;

/// Makes a session, disconnected, and starts its task. What its code tells goes to `log`.
///
/// # Errors
/// Where the runtime's threads cannot be started or the system has no randomness.
pub fn start(
    endpoint: Endpoint,
    config: Config,
    credentials: Credentials,
    notify: Notify,
    log: Option<Arc<Log>>,
) -> io::Result<Handle> {
    let mut session = Session::new(config, credentials, Box::new(SystemEntropy::new()?));
    session.set_stopwatch(Box::new(stopwatch()));
    let core = Arc::new(Core::new(session, notify, log));
    transport::runtime()?.spawn(serve(Arc::clone(&core), Arc::new(endpoint)));
    Ok(Handle::new(core))
}

/// The task of a session: time, and the opening of transports.
async fn serve(core: Arc<Core>, endpoint: Arc<Endpoint>) {
    for _ in 0..MAX_DEFECTS {
        // A defect must end a connection, not the process, and must not go unnoticed.
        if AssertUnwindSafe(run(&core, &endpoint)).catch_unwind().await.is_ok() {
            return;
        }
        contained(|| core.fail("internal error"));
    }
    contained(|| core.give_up());
}

/// Does what may meet the defect that it is done for.
fn contained(act: impl FnOnce()) {
    // There is nobody left to tell.
    let _ = panic::catch_unwind(AssertUnwindSafe(act));
}

async fn run(core: &Arc<Core>, endpoint: &Arc<Endpoint>) {
    while let Some(work) = core.next_work() {
        if let Some(derivation) = work.derive {
            let core = Arc::clone(core);
            // Nobody waits for it.
            drop(tokio::task::spawn_blocking(move || core.derive(derivation)));
        }
        if let Some(connection) = work.open {
            // Names take their time; the session's goes on meanwhile.
            tokio::spawn(open(Arc::clone(core), connection, Arc::clone(endpoint)));
            continue;
        }
        match work.wait {
            Some(wait) => {
                if tokio::time::timeout(wait, core.woken()).await.is_err() {
                    core.timeout();
                }
            }
            None => core.woken().await,
        }
    }
}

async fn open(core: Arc<Core>, connection: ConnectionId, endpoint: Arc<Endpoint>) {
    match resolve(&endpoint).await {
        Ok(mut options) => {
            let _scope = core.scope();
            tracing::debug!(
                host = endpoint.host,
                addresses = options.addresses.len(),
                "name resolved"
            );
            if options.tls.is_some()
                && let Some(info) = core.with(Timing::Now, |session, _| session.credentials().routing_info.clone())
            {
                add_routing(&mut options.target, &info);
            }
            core.open(connection, options);
        }
        Err(error) => core.cannot_open(connection, &error.to_string()),
    }
}

/// Where to connect to now: names may mean other addresses than the last time.
async fn resolve(endpoint: &Endpoint) -> Result<ConnectOptions, Arc<io::Error>> {
    let lookup = lookup::lookup(&endpoint.host, endpoint.port);
    // A resolver that hangs is noticed by the session, which gives the connection up; this frees what is kept for it.
    let addresses = tokio::time::timeout(RESOLVE_TIMEOUT, lookup)
        .await
        .map_err(|_| Arc::new(io::Error::from(io::ErrorKind::TimedOut)))??;
    Ok(ConnectOptions {
        addresses,
        ..endpoint.options.clone()
    })
}

/// Names the routing in the request's query, where proxies of the server's look for it (source: Baileys 7.0.0-rc14,
/// socket).
fn add_routing(target: &mut String, info: &[u8]) {
    target.push(if target.contains('?') { '&' } else { '?' });
    target.push_str("ED=");
    target.push_str(&URL_SAFE_NO_PAD.encode(info));
}

/// How long a name may take to be resolved.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routing_is_added_to_what_query_there_is() {
        let routed = |target: &str| {
            let mut target = target.to_owned();
            add_routing(&mut target, &[251, 255, 1]);
            target
        };
        assert_eq!(routed("/ws/chat"), "/ws/chat?ED=-_8B");
        assert_eq!(routed("/ws/chat?a=b"), "/ws/chat?a=b&ED=-_8B");
    }
}
