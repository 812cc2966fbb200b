#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| baileys_native_fuzz::targets::certificate::run(data));
