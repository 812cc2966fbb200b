//! Measures where time is spent on inbound frames.
//!
//! Only a sample of the frames is measured: a measurement reads the clock four times, which takes about 0.1 µs, and a
//! small frame takes less than 1 µs.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::wire::OpenStep;

/// A monotonic clock in nanoseconds. The origin is arbitrary.
pub trait Stopwatch: Send {
    /// The current time.
    fn nanos(&self) -> u64;
}

impl<F: Fn() -> u64 + Send> Stopwatch for F {
    fn nanos(&self) -> u64 {
        self()
    }
}

/// Time spent on inbound frames, in nanoseconds. It is an estimate from one of [`FrameTimes::SAMPLED`] frames.
/// It serializes in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FrameTimes {
    /// Time for decryption.
    #[serde(rename = "decryptMs", serialize_with = "nanos_as_ms")]
    pub opening: u64,
    /// Time for decompression.
    #[serde(rename = "inflateMs", serialize_with = "nanos_as_ms")]
    pub inflating: u64,
    /// Time for decoding stanzas.
    #[serde(rename = "parseMs", serialize_with = "nanos_as_ms")]
    pub parsing: u64,
}

/// Serializes a time in nanoseconds as milliseconds.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
pub(crate) fn nanos_as_ms<S: Serializer>(nanos: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    duration_as_ms(&Duration::from_nanos(*nanos), serializer)
}

/// Serializes a duration as milliseconds.
pub(crate) fn duration_as_ms<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1000.0)
}

impl FrameTimes {
    /// One of this number of frames is measured, and its time is multiplied by this number.
    pub const SAMPLED: u32 = 16;
}

/// Measures the steps of sampled frames.
#[derive(Default)]
pub(super) struct FrameTimer {
    stopwatch: Option<Box<dyn Stopwatch>>,
    frames: u32,
    /// The start of the current step. `None` if the frame is not measured.
    began: Option<u64>,
    work: FrameTimes,
}

impl FrameTimer {
    pub(super) fn set_stopwatch(&mut self, stopwatch: Box<dyn Stopwatch>) {
        self.stopwatch = Some(stopwatch);
    }

    pub(super) const fn work(&self) -> FrameTimes {
        self.work
    }

    /// Starts a frame.
    pub(super) fn frame(&mut self) {
        self.frames = self.frames.wrapping_add(1);
        let measured = self.frames % FrameTimes::SAMPLED == 1;
        self.began = self
            .stopwatch
            .as_ref()
            .filter(|_| measured)
            .map(|stopwatch| stopwatch.nanos());
    }

    /// Ends a step and starts the next one.
    pub(super) fn done(&mut self, step: OpenStep) {
        let (Some(began), Some(stopwatch)) = (self.began, &self.stopwatch) else {
            return;
        };
        let now = stopwatch.nanos();
        let time = now.saturating_sub(began).saturating_mul(FrameTimes::SAMPLED.into());
        let part = match step {
            OpenStep::Decrypted => &mut self.work.opening,
            OpenStep::Inflated => &mut self.work.inflating,
            OpenStep::Walked => &mut self.work.parsing,
        };
        *part = part.saturating_add(time);
        self.began = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn measured_times_are_scaled_to_all_frames() {
        let mut sampler = FrameTimer::default();
        sampler.frame();
        sampler.done(OpenStep::Decrypted);
        assert_eq!(sampler.work(), FrameTimes::default());

        let time = Cell::new(0);
        let tick = move || {
            time.set(time.get() + 5);
            time.get()
        };
        let mut sampler = FrameTimer::default();
        sampler.set_stopwatch(Box::new(tick));
        for _ in 0..2 * FrameTimes::SAMPLED {
            sampler.frame();
            sampler.done(OpenStep::Decrypted);
            sampler.done(OpenStep::Inflated);
            sampler.done(OpenStep::Walked);
        }
        let each = u64::from(2 * 5 * FrameTimes::SAMPLED);
        assert_eq!(
            sampler.work(),
            FrameTimes {
                opening: each,
                inflating: each,
                parsing: each
            }
        );
    }
}
