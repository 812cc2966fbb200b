//! The object with all functions that JavaScript calls for each stanza.

use std::sync::Arc;

use napi::bindgen_prelude::{Env, Object};

use super::core::Core;
use super::raw::{Exception, Functions};
use super::websocket::NodeEnvironment;
use super::{codec, noise, session, websocket};

/// Creates the object with the functions of an environment.
///
/// # Errors
/// Fails if Node-API cannot create the object.
#[napi_derive::napi(js_name = "createCore", ts_return_type = "object", catch_unwind)]
pub(super) fn create_core<'env>(env: &'env Env, environment: &NodeEnvironment) -> napi::Result<Object<'env>> {
    let core = Core::new(Arc::clone(environment.environment()));
    let functions = || -> Result<_, Exception> {
        Functions::new(env.raw(), core)?
            .add::<codec::Share>()?
            .add::<codec::Decode>()?
            .add::<codec::DecodePacked>()?
            .add::<codec::Take>()?
            .add::<codec::Unpack>()?
            .add::<codec::Encode>()?
            .add::<codec::TakeOutput>()?
            .add::<noise::NoiseNew>()?
            .add::<noise::NoiseRelease>()?
            .add::<noise::NoiseEncrypt>()?
            .add::<noise::NoiseDecrypt>()?
            .add::<noise::NoiseAuthenticate>()?
            .add::<noise::NoiseMixIntoKey>()?
            .add::<noise::NoiseFinishInit>()?
            .add::<noise::NoiseProcessHandshake>()?
            .add::<noise::Seal>()?
            .add::<noise::Open>()?
            .add::<noise::NoiseLink>()?
            .add::<noise::NoiseAdvance>()?
            .add::<noise::Feed>()?
            .add::<websocket::Heartbeat>()?
            .add::<websocket::Silence>()?
            .add::<websocket::ShareBatch>()?
            .add::<websocket::Drain>()?
            .add::<websocket::Send>()?
            .add::<websocket::EndTurn>()?
            .add::<websocket::WriteAll>()?
            .add::<websocket::SendControl>()?
            .add::<websocket::Buffered>()?
            .add::<session::SessionSend>()?
            .add::<session::SessionQuery>()
    };
    functions()
        .map(|functions| Object::from_raw(env.raw(), functions.object()))
        .map_err(|_| napi::Error::from_reason("Node-API could not create the core object"))
}
