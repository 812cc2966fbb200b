//! Functions that JavaScript calls.
#![expect(
    unsafe_code,
    reason = "Node-API is a C interface, and the safe wrappers are too slow for calls made for each stanza"
)]

use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::sys;

use super::call::{Call, MAX_ARGS};
use super::exception::{Exception, Outcome, check, panic_message, throw};

/// A function that JavaScript calls. All functions of one object share a state.
pub(in crate::bindings) trait RawFunction<S: 'static> {
    /// The name of the function in JavaScript.
    const NAME: &'static str;
    /// The number of arguments.
    const ARGS: usize;
    /// Runs the function.
    fn call(call: &mut Call, state: &S) -> Outcome;
}

/// Declares a [`RawFunction`]: its type, name, number of arguments, state and body.
macro_rules! raw_function {
    ($(#[doc = $doc:literal])* $type:ident, $name:literal, $args:literal, |$call:ident, $state:ident: $State:ty| $body:block) => {
        $(#[doc = $doc])*
        pub(in crate::bindings) struct $type;
        impl $crate::bindings::raw::RawFunction<$State> for $type {
            const NAME: &'static str = $name;
            const ARGS: usize = $args;
            fn call(
                $call: &mut $crate::bindings::raw::Call,
                $state: &$State,
            ) -> $crate::bindings::raw::Outcome {
                $body
            }
        }
    };
}
pub(in crate::bindings) use raw_function;

unsafe extern "C" fn trampoline<S: 'static, F: RawFunction<S>>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let mut call = Call {
        env,
        args: [ptr::null_mut(); MAX_ARGS],
    };
    let mut count = F::ARGS.min(MAX_ARGS);
    let mut data = ptr::null_mut();
    // SAFETY: Node-API fills exactly `count` places. Places of missing arguments are filled with `undefined`.
    let status = unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &mut count,
            call.args.as_mut_ptr(),
            ptr::null_mut(),
            &mut data,
        )
    };
    if status != sys::Status::napi_ok {
        throw(env, Exception::Status(status));
        return ptr::null_mut();
    }
    // SAFETY: `data` is the pointer that `Functions::add` registered. It points into an `Rc<S>`, and this function owns
    // a strong count of that `Rc` until its finalizer runs.
    let state = unsafe { &*data.cast::<S>() };
    let outcome = catch_unwind(AssertUnwindSafe(|| F::call(&mut call, state))).unwrap_or_else(|panic| {
        Err(Exception::Error {
            message: panic_message(&*panic),
            code: "ERR_INTERNAL",
        })
    });
    match outcome {
        Ok(value) => value,
        Err(exception) => {
            throw(env, exception);
            ptr::null_mut()
        }
    }
}

unsafe extern "C" fn release<S: 'static>(
    _env: sys::napi_env,
    data: *mut std::ffi::c_void,
    _hint: *mut std::ffi::c_void,
) {
    // SAFETY: `data` came from `Rc::into_raw` in `Functions::add`, and the finalizer of a function runs once.
    drop(unsafe { Rc::from_raw(data.cast::<S>()) });
}

/// An object under construction. Its functions share one state, and each function keeps the state alive.
pub(in crate::bindings) struct Functions<S> {
    env: sys::napi_env,
    object: sys::napi_value,
    state: Rc<S>,
}

impl<S: 'static> Functions<S> {
    pub(in crate::bindings) fn new(env: sys::napi_env, state: S) -> Result<Self, Exception> {
        let mut object = ptr::null_mut();
        // SAFETY: `env` is valid, because an exported function is running.
        check(unsafe { sys::napi_create_object(env, &mut object) })?;
        Ok(Self {
            env,
            object,
            state: Rc::new(state),
        })
    }

    pub(in crate::bindings) fn add<F: RawFunction<S>>(self) -> Result<Self, Exception> {
        let name = CString::new(F::NAME).unwrap_or_default();
        let data = Rc::into_raw(Rc::clone(&self.state)).cast_mut().cast();
        let mut function = ptr::null_mut();
        // SAFETY: all handles belong to this env and scope. `release` releases `data` when the function is collected.
        unsafe {
            check(sys::napi_create_function(
                self.env,
                name.as_ptr(),
                F::NAME.len() as isize,
                Some(trampoline::<S, F>),
                data,
                &mut function,
            ))?;
            check(sys::napi_add_finalizer(
                self.env,
                function,
                data,
                Some(release::<S>),
                ptr::null_mut(),
                ptr::null_mut(),
            ))?;
            check(sys::napi_set_named_property(
                self.env,
                self.object,
                name.as_ptr(),
                function,
            ))?;
        }
        Ok(self)
    }

    pub(in crate::bindings) fn object(self) -> sys::napi_value {
        self.object
    }
}
