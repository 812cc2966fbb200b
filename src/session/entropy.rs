//! Randomness, which the driver provides.

/// A source of random bytes that nobody can predict.
pub trait Entropy: Send {
    /// Fills `out`.
    fn fill(&mut self, out: &mut [u8]);
}

impl<F: FnMut(&mut [u8]) + Send> Entropy for F {
    fn fill(&mut self, out: &mut [u8]) {
        self(out);
    }
}
