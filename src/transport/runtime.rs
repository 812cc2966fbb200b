//! The one tokio runtime of the process.

use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// Threads that drive all connections. One suffices for the traffic that one JavaScript thread can take in, and costs
/// the least in wake-ups.
const WORKER_THREADS: usize = 1;

/// The runtime, started by the first connection. It lives as long as the process: connections of several environments
/// (worker threads) share it.
pub(crate) fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let started = Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(1)
        .thread_name("baileys-net")
        .enable_io()
        .enable_time()
        .build()?;
    // Where two threads race, the loser's runtime is idle and stops in the background.
    if let Err(surplus) = RUNTIME.set(started) {
        surplus.shutdown_background();
    }
    RUNTIME.get().ok_or_else(|| io::Error::other("no runtime"))
}
