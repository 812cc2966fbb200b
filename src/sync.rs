//! Locks and atomics of the structures that two threads share. With the feature `loom` they are those of loom, which
//! runs a test in every possible order of the two threads (`npm run test:loom`). Otherwise they are those of the
//! standard library.

#[cfg(not(feature = "loom"))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

#[cfg(not(feature = "loom"))]
pub(crate) use futures_util::task::AtomicWaker;
#[cfg(not(feature = "loom"))]
pub(crate) use tokio::sync::Notify;

#[cfg(feature = "loom")]
pub(crate) use self::model::{AtomicWaker, Notify};
#[cfg(feature = "loom")]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// The two primitives of other libraries, built from those of loom.
#[cfg(feature = "loom")]
mod model {
    use std::sync::PoisonError;
    use std::task::{Poll, Waker};

    use super::Mutex;

    /// As `futures_util::task::AtomicWaker`.
    #[derive(Debug, Default)]
    pub(crate) struct AtomicWaker(Mutex<Option<Waker>>);

    impl AtomicWaker {
        pub(crate) fn register(&self, waker: &Waker) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
        }

        pub(crate) fn wake(&self) {
            let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// As `tokio::sync::Notify` with one waiter. The permit is behind a lock: loom would also try orders of atomic writes
    /// in which a `swap` does not read the latest one.
    #[derive(Debug, Default)]
    pub(crate) struct Notify {
        has_permit: Mutex<bool>,
        waiter: AtomicWaker,
    }

    impl Notify {
        pub(crate) fn notify_one(&self) {
            *self.has_permit.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.waiter.wake();
        }

        pub(crate) async fn notified(&self) {
            std::future::poll_fn(|cx| {
                self.waiter.register(cx.waker());
                let mut has_permit = self.has_permit.lock().unwrap_or_else(PoisonError::into_inner);
                if std::mem::take(&mut *has_permit) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        }
    }
}
