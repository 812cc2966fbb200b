//! Compiles `proto/` with prost. protox replaces the `protoc` binary. For the addon, it also configures the linker.

use std::error::Error;

const PROTO_FILES: [&str; 3] = ["handshake.proto", "client.proto", "identity.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(PROTO_FILES, ["proto"])?;
    prost_build::Config::new().compile_fds(descriptors)?;

    #[cfg(feature = "node")]
    napi_build::setup();
    Ok(())
}
