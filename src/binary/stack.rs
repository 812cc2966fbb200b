//! A stack that stores its first elements without a heap allocation.

/// Number of elements without a heap allocation. The nesting of nodes is rarely deeper.
const INLINE: usize = 12;

pub(super) struct Stack<T> {
    inline: [T; INLINE],
    length: usize,
    spilled: Vec<T>,
}

impl<T: Copy + Default> Stack<T> {
    pub(super) fn new() -> Self {
        Stack {
            inline: [T::default(); INLINE],
            length: 0,
            spilled: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.length + self.spilled.len()
    }

    pub(super) fn push(&mut self, item: T) {
        match self.inline.get_mut(self.length) {
            Some(place) => {
                *place = item;
                self.length += 1;
            }
            None => self.spilled.push(item),
        }
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        match self.spilled.last_mut() {
            Some(last) => Some(last),
            None => self.inline.get_mut(self.length.checked_sub(1)?),
        }
    }

    pub(super) fn pop(&mut self) {
        if self.spilled.pop().is_none() {
            self.length = self.length.saturating_sub(1);
        }
    }
}

/// For each open node, the number of its children that are not complete yet.
pub(super) type Open = Stack<u16>;

impl Open {
    /// Marks a node as complete, and also each ancestor if this was its last child. Returns false if the root is
    /// complete.
    pub(super) fn complete(&mut self) -> bool {
        while let Some(left) = self.last_mut() {
            *left -= 1;
            if *left > 0 {
                return true;
            }
            self.pop();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_move_to_the_heap_and_back() {
        let mut stack = Stack::new();
        for item in 0..3 * INLINE {
            stack.push(item);
        }
        for item in (0..3 * INLINE).rev() {
            assert_eq!(stack.len(), item + 1);
            assert_eq!(stack.last_mut(), Some(&mut { item }));
            stack.pop();
        }
        assert_eq!(stack.last_mut(), None);
        stack.pop();
        assert_eq!(stack.len(), 0);
    }
}
