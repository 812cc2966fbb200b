//! Where the time for what comes in goes, measured on a few frames.

use crate::wire::Step;

/// Tells the time for durations, in nanoseconds since whenever.
pub trait Stopwatch: Send {
    /// The time.
    fn nanos(&self) -> u64;
}

impl<F: Fn() -> u64 + Send> Stopwatch for F {
    fn nanos(&self) -> u64 {
        self()
    }
}

/// Time spent on frames that came in, in nanoseconds: an estimate, from one frame in [`Work::SAMPLED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// On decryption.
    pub opening: u64,
    /// On decompression.
    pub inflating: u64,
    /// On taking stanzas apart.
    pub parsing: u64,
}

impl Work {
    /// One frame in so many is measured, and counts for that many.
    pub const SAMPLED: u32 = 16;

    pub(super) fn absorb(&mut self, other: &Self) {
        self.opening += other.opening;
        self.inflating += other.inflating;
        self.parsing += other.parsing;
    }
}

/// Measures the steps.
#[derive(Default)]
pub(super) struct Sampler {
    stopwatch: Option<Box<dyn Stopwatch>>,
    frames: u32,
    /// When the step at hand began, on a frame that is measured.
    began: Option<u64>,
    work: Work,
}

impl Sampler {
    pub(super) fn set_stopwatch(&mut self, stopwatch: Box<dyn Stopwatch>) {
        self.stopwatch = Some(stopwatch);
    }

    pub(super) const fn work(&self) -> Work {
        self.work
    }

    /// A frame has come.
    pub(super) fn frame(&mut self) {
        self.frames = self.frames.wrapping_add(1);
        let measured = self.frames % Work::SAMPLED == 1;
        self.began = self
            .stopwatch
            .as_ref()
            .filter(|_| measured)
            .map(|stopwatch| stopwatch.nanos());
    }

    /// A step is done, and the next one begins.
    pub(super) fn done(&mut self, step: Step) {
        let (Some(began), Some(stopwatch)) = (self.began, &self.stopwatch) else {
            return;
        };
        let now = stopwatch.nanos();
        let time = now.saturating_sub(began).saturating_mul(Work::SAMPLED.into());
        let part = match step {
            Step::Decrypted => &mut self.work.opening,
            Step::Inflated => &mut self.work.inflating,
            Step::Walked => &mut self.work.parsing,
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
    fn one_frame_in_many_stands_for_all() {
        let mut sampler = Sampler::default();
        sampler.frame();
        sampler.done(Step::Decrypted);
        assert_eq!(sampler.work(), Work::default());

        let time = Cell::new(0);
        let tick = move || {
            time.set(time.get() + 5);
            time.get()
        };
        let mut sampler = Sampler::default();
        sampler.set_stopwatch(Box::new(tick));
        for _ in 0..2 * Work::SAMPLED {
            sampler.frame();
            sampler.done(Step::Decrypted);
            sampler.done(Step::Inflated);
            sampler.done(Step::Walked);
        }
        let each = u64::from(2 * 5 * Work::SAMPLED);
        assert_eq!(
            sampler.work(),
            Work {
                opening: each,
                inflating: each,
                parsing: each
            }
        );
    }
}
