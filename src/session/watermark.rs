//! Counts the contents of a queue.

use super::QueueLimits;

/// Counts the stanzas and bytes in a queue. It becomes full at a high-water mark and has room again at half of both.
#[derive(Debug)]
pub(super) struct Watermark {
    bounds: QueueLimits,
    stanzas: usize,
    bytes: usize,
    full: bool,
    high_water: (usize, usize),
}

impl Watermark {
    pub(super) fn new(bounds: QueueLimits) -> Self {
        Self {
            bounds,
            stanzas: 0,
            bytes: 0,
            full: false,
            high_water: (0, 0),
        }
    }

    /// Whether the limit would be exceeded with this number of additional bytes.
    pub(super) fn exceeds(&self, bytes: usize) -> bool {
        self.bytes.saturating_add(bytes) > self.bounds.limit
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.stanzas += 1;
        self.bytes += bytes;
        self.high_water = (self.high_water.0.max(self.stanzas), self.high_water.1.max(self.bytes));
        self.full |= self.stanzas >= self.bounds.stanzas || self.bytes >= self.bounds.bytes;
    }

    /// Removes one stanza. Returns true if the queue was full and has room again.
    pub(super) fn remove(&mut self, bytes: usize) -> bool {
        self.remove_all(1, bytes)
    }

    /// Removes stanzas with a total of `bytes`. Returns true if the queue was full and has room again.
    pub(super) fn remove_all(&mut self, stanzas: usize, bytes: usize) -> bool {
        self.stanzas = self.stanzas.saturating_sub(stanzas);
        self.bytes = self.bytes.saturating_sub(bytes);
        let roomy = self.stanzas <= self.bounds.stanzas / 2 && self.bytes <= self.bounds.bytes / 2;
        let has_room_again = self.full && roomy;
        self.full &= !has_room_again;
        has_room_again
    }

    /// Removes all stanzas. Returns true if the queue was full.
    pub(super) fn clear(&mut self) -> bool {
        self.stanzas = 0;
        self.bytes = 0;
        std::mem::take(&mut self.full)
    }

    /// Whether the queue has reached a high-water mark and has not fallen to half since then.
    pub(super) const fn is_full(&self) -> bool {
        self.full
    }

    /// The current numbers of stanzas and bytes.
    pub(super) const fn depth(&self) -> (usize, usize) {
        (self.stanzas, self.bytes)
    }

    /// The greatest numbers of stanzas and bytes so far.
    pub(super) const fn high_water(&self) -> (usize, usize) {
        self.high_water
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_full_at_its_mark_and_drained_at_half() {
        let mut watermark = Watermark::new(QueueLimits {
            stanzas: 4,
            bytes: 100,
            limit: 150,
        });
        watermark.add(10);
        watermark.add(90);
        assert!(watermark.is_full() && !watermark.exceeds(50) && watermark.exceeds(51));
        assert!(!watermark.remove(10) && watermark.is_full());
        assert!(watermark.remove(90) && !watermark.is_full());
        (0..4).for_each(|_| watermark.add(0));
        assert!(watermark.is_full());
        assert_eq!(
            [watermark.remove(0), watermark.remove(0), watermark.remove(0)],
            [false, true, false]
        );
        watermark.add(100);
        assert!(watermark.clear() && !watermark.clear());
        assert_eq!((watermark.depth(), watermark.high_water()), ((0, 0), (4, 100)));
    }
}
