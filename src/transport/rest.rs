//! Coming to rest: when what long messages took has been given back for a while.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long no connection may have given buffers back.
const QUIET: Duration = Duration::from_millis(400);

static HOOK: OnceLock<fn()> = OnceLock::new();
/// Counts the times that buffers were given back; 0 where nobody waits for them to end.
static RELEASES: AtomicU64 = AtomicU64::new(0);

/// Has `hook` called, on a thread that may block, whenever connections that had taken much memory for long messages have
/// given it back and no other does for a while: the time to hand free memory to the operating system. The first hook stays.
pub fn on_rest(hook: fn()) {
    let _ = HOOK.set(hook);
}

/// A connection has given large buffers back. To be called on the runtime.
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
        // Nobody waits for it.
        drop(tokio::task::spawn_blocking(hook));
    });
}
