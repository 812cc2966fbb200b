//! The one tokio runtime of the process.

use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// Threads that drive all connections. One suffices for the traffic that one JavaScript thread can take in, and costs
/// the least in wake-ups.
const WORKER_THREADS: usize = 1;
/// Threads for what blocks, look-ups of names above all: some that hang must not hold up the rest. Each is started when it is
/// needed and ends soon after.
const BLOCKING_THREADS: usize = 8;

/// The runtime, started by the first connection. It lives as long as the process: connections of several environments
/// (worker threads) share it.
pub(crate) fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let started = Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::{BLOCKING_THREADS, runtime};

    #[test]
    fn what_blocks_does_not_hold_up_the_rest() {
        const PATIENCE: Duration = Duration::from_secs(10);
        let runtime = runtime().unwrap();
        let blocked: Vec<_> = (1..BLOCKING_THREADS)
            .map(|_| {
                let (release, wait) = channel::<()>();
                runtime.spawn_blocking(move || wait.recv_timeout(PATIENCE).ok());
                release
            })
            .collect();
        let (sender, done) = channel();
        runtime.spawn_blocking(move || sender.send(()).ok());
        done.recv_timeout(PATIENCE / 2).unwrap();
        drop(blocked);
    }
}
