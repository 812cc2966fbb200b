//! Raw Node-API: all `unsafe` code of the bindings except `malloc_trim`.
//!
//! The wrappers of `#[napi]` cost 150 to 400 ns per call for typed arrays and strings. The functions of this module cost
//! 30 to 70 ns, and JavaScript calls them for each stanza. The interface of this module is safe.

mod call;
mod exception;
mod functions;
mod memory;
mod wake;

pub(super) use call::Call;
pub(super) use exception::{Exception, Outcome};
pub(super) use functions::{Functions, RawFunction, raw_function};
pub(super) use memory::SharedMemory;
pub(super) use wake::Wake;
