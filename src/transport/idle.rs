//! Tells when connections have given back the memory that long messages took.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long no connection may have given buffers back.
const QUIET: Duration = Duration::from_millis(400);

static HOOK: OnceLock<fn()> = OnceLock::new();
/// Counts the times that buffers were given back since the hook ran last; 0 while no task waits to run it.
static RELEASES: AtomicU64 = AtomicU64::new(0);

/// Sets a function that is called, on a thread that may block, after connections have given back much memory and no
/// connection has done so for 400 ms: the time to return free memory to the operating system. The first hook stays.
pub fn on_idle(hook: fn()) {
    let _ = HOOK.set(hook);
}

/// Notes that a connection has given large buffers back. To be called on the runtime.
pub(super) fn released() {
    let Some(&hook) = HOOK.get() else { return };
    if RELEASES.fetch_add(1, Ordering::AcqRel) > 0 {
        return;
    }
    tokio::spawn(async move {
        let mut seen = 1;
        loop {
            tokio::time::sleep(QUIET).await;
            match RELEASES.compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        // The result is not needed.
        drop(tokio::task::spawn_blocking(hook));
    });
}
