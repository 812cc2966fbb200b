//! A check for free memory, before code of a library allocates it.
//!
//! The process aborts if such code gets no memory. Code of this crate reserves memory fallibly instead.

use std::hint::black_box;

/// Allocations of at most this many bytes are not checked.
const UNCHECKED: usize = 64 * 1024;

/// Whether `size` bytes can be allocated. They are allocated and freed, but not written to.
#[must_use]
pub(crate) fn is_available(size: usize) -> bool {
    if size <= UNCHECKED {
        return true;
    }
    let mut probe: Vec<u8> = Vec::new();
    let is_available = probe.try_reserve_exact(size).is_ok();
    // Otherwise the compiler may remove the allocation.
    black_box(probe);
    is_available
}
