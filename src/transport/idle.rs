//! Calls a hook after connections have freed the memory of long messages.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The hook is called after this time without freed buffers.
const QUIET: Duration = Duration::from_millis(400);

static HOOK: OnceLock<fn()> = OnceLock::new();
/// Number of times that buffers were freed since the last call of the hook. 0 if no task is waiting to call it.
static RELEASES: AtomicU64 = AtomicU64::new(0);

/// Sets a function that is called after connections have freed large buffers and no more were freed for 400 ms. It
/// returns free memory to the operating system. It runs on a thread that may block. Only the first hook is used.
pub fn on_idle(hook: fn()) {
    let _ = HOOK.set(hook);
}

/// Records that a connection has freed large buffers. Must be called on the runtime.
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
