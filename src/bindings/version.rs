//! The version of the addon.

/// The version of the addon. It must be equal to the version of the JavaScript package.
#[napi_derive::napi(catch_unwind)]
pub(super) fn addon_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
