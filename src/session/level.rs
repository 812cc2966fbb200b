//! How full a queue is.

use super::Bounds;

/// Counts what is in a queue, and says when it has become full and when it has room again.
#[derive(Debug)]
pub(super) struct Level {
    bounds: Bounds,
    stanzas: usize,
    bytes: usize,
    full: bool,
    high_water: (usize, usize),
}

impl Level {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            stanzas: 0,
            bytes: 0,
            full: false,
            high_water: (0, 0),
        }
    }

    /// Whether so many bytes more would exceed the limit.
    pub(super) fn exceeds(&self, bytes: usize) -> bool {
        self.bytes.saturating_add(bytes) > self.bounds.limit
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.stanzas += 1;
        self.bytes += bytes;
        self.high_water = (self.high_water.0.max(self.stanzas), self.high_water.1.max(self.bytes));
        self.full |= self.stanzas >= self.bounds.stanzas || self.bytes >= self.bounds.bytes;
    }

    /// Takes a stanza off; says whether that has given a full queue room again.
    pub(super) fn remove(&mut self, bytes: usize) -> bool {
        self.remove_all(1, bytes)
    }

    /// Takes stanzas off that have so many bytes together; says whether that has given a full queue room again.
    pub(super) fn remove_all(&mut self, stanzas: usize, bytes: usize) -> bool {
        self.stanzas = self.stanzas.saturating_sub(stanzas);
        self.bytes = self.bytes.saturating_sub(bytes);
        let roomy = self.stanzas <= self.bounds.stanzas / 2 && self.bytes <= self.bounds.bytes / 2;
        let relieved = self.full && roomy;
        self.full &= !relieved;
        relieved
    }

    /// Takes all off; says whether the queue was full.
    pub(super) fn clear(&mut self) -> bool {
        self.stanzas = 0;
        self.bytes = 0;
        std::mem::take(&mut self.full)
    }

    /// Whether the high-water mark was reached and half of it not yet again.
    pub(super) const fn is_full(&self) -> bool {
        self.full
    }

    /// Stanzas and bytes in the queue.
    pub(super) const fn depth(&self) -> (usize, usize) {
        (self.stanzas, self.bytes)
    }

    /// The most stanzas and the most bytes there have been.
    pub(super) const fn high_water(&self) -> (usize, usize) {
        self.high_water
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_at_the_mark_and_relieved_at_half() {
        let mut level = Level::new(Bounds {
            stanzas: 4,
            bytes: 100,
            limit: 150,
        });
        level.add(10);
        level.add(90);
        assert!(level.is_full() && !level.exceeds(50) && level.exceeds(51));
        assert!(!level.remove(10) && level.is_full());
        assert!(level.remove(90) && !level.is_full());
        (0..4).for_each(|_| level.add(0));
        assert!(level.is_full());
        assert_eq!(
            [level.remove(0), level.remove(0), level.remove(0)],
            [false, true, false]
        );
        level.add(100);
        assert!(level.clear() && !level.clear());
        assert_eq!((level.depth(), level.high_water()), ((0, 0), (4, 100)));
    }
}
