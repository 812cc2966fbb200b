//! Calls a hook after connections have freed the memory of long messages.

use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use crate::sync::{AtomicU64, Ordering};

/// The hook is called after this time without freed buffers.
const QUIET: Duration = Duration::from_millis(400);

static HOOK: OnceLock<fn()> = OnceLock::new();
static RELEASES: LazyLock<Releases> = LazyLock::new(Releases::default);

/// Number of times that buffers were freed since the last call of the hook. 0 if no task is waiting to call it.
#[derive(Debug, Default)]
pub(super) struct Releases(AtomicU64);

impl Releases {
    /// Adds one. Returns true if no task is waiting to call the hook.
    pub(super) fn add(&self) -> bool {
        self.0.fetch_add(1, Ordering::AcqRel) == 0
    }

    /// Sets the number to 0 if it is still `seen`; otherwise updates `seen`. Returns whether it was still `seen`.
    pub(super) fn end_if_quiet(&self, seen: &mut u64) -> bool {
        let before = *seen;
        match self.0.compare_exchange(before, 0, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(now) => {
                *seen = now;
                false
            }
        }
    }
}

/// Sets a function that is called after connections have freed large buffers and no more were freed for 400 ms. It
/// returns free memory to the operating system. It runs on a thread that may block. Only the first hook is used.
pub fn on_idle(hook: fn()) {
    let _ = HOOK.set(hook);
}

/// Records that a connection has freed large buffers. Must be called on the runtime.
pub(super) fn released() {
    let Some(&hook) = HOOK.get() else { return };
    if !RELEASES.add() {
        return;
    }
    tokio::spawn(async move {
        let mut seen = 1;
        loop {
            tokio::time::sleep(QUIET).await;
            if RELEASES.end_if_quiet(&mut seen) {
                break;
            }
        }
        // The result is not needed.
        drop(tokio::task::spawn_blocking(hook));
    });
}
