//! Compiles `proto/` with prost (protox stands in for a `protoc` binary) and, for the addon, sets the linker up.

fn main() {
    #[cfg(feature = "node")]
    napi_build::setup();
}
