//! The tokio runtime of the process.

use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// Number of threads for all connections. One thread is enough for the traffic that one JavaScript thread can handle,
/// and causes the fewest wake-ups.
const WORKER_THREADS: usize = 1;
/// Maximum number of threads for blocking work: TLS settings, whose files are read, and key derivations. A thread is
/// started when it is needed, and ends soon after its work.
const BLOCKING_THREADS: usize = 8;

/// The runtime. The first connection starts it. It exists until the process ends, and all environments (worker threads)
/// share it.
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
    // If two threads start a runtime at the same time, the second one is unused and stops in the background.
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
    fn blocking_work_does_not_delay_other_tasks() {
        const PATIENCE: Duration = Duration::from_secs(60);
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
