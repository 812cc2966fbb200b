//! Returns free memory to the operating system.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "malloc_trim is a C function")]
mod glibc {
    use std::ffi::c_int;

    unsafe extern "C" {
        pub(super) safe fn malloc_trim(pad: usize) -> c_int;
    }
}

/// Returns unused pages to the operating system. glibc only returns pages at the end of a heap: one small allocation
/// there keeps all freed pages below it.
pub(super) fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::malloc_trim(0);
}
