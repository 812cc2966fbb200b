//! The version of the binary.

/// The version of this binary. The JavaScript beside it must have the same.
#[napi_derive::napi(catch_unwind)]
pub(super) fn addon_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
