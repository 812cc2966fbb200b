//! The open nodes of a walk over a stanza: nodes whose children are not all complete yet.

use smallvec::SmallVec;

/// Number of open nodes that need no heap allocation. Stanzas are rarely nested deeper.
const INLINE: usize = 12;

/// For each open node, the number of its children that are not complete yet. The innermost node is last.
pub(super) struct OpenNodes(SmallVec<[u16; INLINE]>);

impl OpenNodes {
    pub(super) fn new() -> Self {
        Self(SmallVec::new())
    }

    /// The number of open nodes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Opens a node with at least one child.
    pub(super) fn push(&mut self, children: u16) {
        self.0.push(children);
    }

    /// Marks a node as complete, and also each ancestor if this was its last child. Returns false if the root is
    /// complete.
    pub(super) fn complete(&mut self) -> bool {
        while let Some(left) = self.0.last_mut() {
            *left -= 1;
            if *left > 0 {
                return true;
            }
            self.0.pop();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_completed_at_every_depth() {
        let mut open = OpenNodes::new();
        for depth in 0..3 * INLINE {
            assert_eq!(open.len(), depth);
            open.push(2);
        }
        for depth in (1..=3 * INLINE).rev() {
            assert_eq!(open.len(), depth);
            // The first child of each node is complete already, except in the innermost node.
            if depth == 3 * INLINE {
                assert!(open.complete());
            }
            assert_eq!(open.complete(), depth > 1);
        }
        assert_eq!(open.len(), 0);
        assert!(!open.complete());
    }
}
