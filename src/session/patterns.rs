//! Stanza patterns. They are matched with the head of a stanza, before the rest of the stanza is decoded.
//!
//! The patterns are the event names that Baileys' socket emits for each stanza (source: Baileys 7.0.0-rc14, `socket`):
//!
//! | pattern | matches |
//! | --- | --- |
//! | `frame` | every stanza |
//! | `TAG:id` | the id |
//! | `CB:tag` | the tag |
//! | `CB:tag,key` | the tag, and an attribute with this key |
//! | `CB:tag,key:value` | the tag, and an attribute with this key and value |
//! | `CB:tag,key:value,child` | the tag, the attribute, and the tag of the first child |
//! | `CB:tag,,child` | the tag, and the tag of the first child |

use super::head_filter::Head;

/// A parsed pattern. All parts that are given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// The tag. `None` matches any tag.
    pub tag: Option<String>,
    /// The value of the attribute `id`. `None` matches any stanza.
    pub id: Option<String>,
    /// Attributes that must be present. `None` as a value matches any value.
    pub attrs: Vec<(String, Option<String>)>,
    /// The tag of the first child. An empty text matches a stanza without a list of children. `None` matches any
    /// stanza.
    pub child: Option<String>,
}

/// The text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a stanza pattern")]
pub struct PatternError(pub String);

/// Identifies a watched pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatternId(pub u32);

impl Pattern {
    /// Parses the text of a pattern. Usually there is one result. If the text after `:` has a comma, there are two
    /// alternatives: the whole text is the value, or the text after the comma is the tag of a child.
    ///
    /// # Errors
    /// Fails with [`PatternError`] if the text cannot be the name of an event that Baileys emits for a stanza.
    pub fn parse(text: &str) -> Result<Vec<Self>, PatternError> {
        if text == "frame" {
            return Ok(vec![Self::default()]);
        }
        if let Some(id) = text.strip_prefix("TAG:") {
            return Ok(vec![Self {
                id: Some(id.to_owned()),
                ..Self::default()
            }]);
        }
        let rest = text.strip_prefix("CB:").filter(|rest| !rest.is_empty());
        let rest = rest.ok_or_else(|| PatternError(text.to_owned()))?;
        let (tag, rest) = match rest.split_once(',') {
            Some((tag, rest)) => (tag, Some(rest)),
            None => (rest, None),
        };
        let base = Self {
            tag: Some(tag.to_owned()),
            ..Self::default()
        };
        let Some(rest) = rest else { return Ok(vec![base]) };
        if let Some(child) = rest.strip_prefix(',') {
            return Ok(vec![Self {
                child: Some(child.to_owned()),
                ..base
            }]);
        }
        let Some((key, value)) = rest.split_once(':') else {
            return Ok(vec![Self {
                attrs: vec![(rest.to_owned(), None)],
                ..base
            }]);
        };
        let with = |value: &str, child: Option<&str>| Self {
            attrs: vec![(key.to_owned(), Some(value.to_owned()))],
            child: child.map(str::to_owned),
            ..base.clone()
        };
        let mut alternatives = vec![with(value, None)];
        if let Some((value, child)) = value.rsplit_once(',') {
            alternatives.push(with(value, Some(child)));
        }
        Ok(alternatives)
    }

    fn matches(&self, head: &Head) -> bool {
        self.tag.as_deref().is_none_or(|tag| tag == head.tag())
            && self.id.as_deref().is_none_or(|id| head.attr("id") == Some(id))
            && self.child.as_deref().is_none_or(|child| child == head.first_child())
            && self.attrs.iter().all(|(key, value)| match (head.attr(key), value) {
                (Some(actual), Some(value)) => actual == value,
                (actual, None) => actual.is_some(),
                (None, Some(_)) => false,
            })
    }

    /// The position in Baileys' order of events: `frame`, the id, the attributes, the child, the tag. Attributes are in
    /// the order of the stanza, and narrower patterns are first.
    fn rank(&self, head: &Head) -> usize {
        match (self.attrs.first(), &self.tag) {
            (Some((key, value)), _) => {
                let breadth = if self.child.is_some() {
                    0
                } else {
                    1 + usize::from(value.is_none())
                };
                2 + 3 * head.attr_place(key).unwrap_or_default() + breadth
            }
            (None, None) => usize::from(self.id.is_some()),
            (None, Some(_)) => usize::MAX - usize::from(self.child.is_some()),
        }
    }
}

/// The alternatives of a watched pattern that have the same tag, or that have no tag.
#[derive(Debug)]
struct Watch {
    id: PatternId,
    alternatives: Vec<Pattern>,
}

/// The patterns that match a stanza, in the order in which Baileys emits them. It is reused for all stanzas.
#[derive(Debug, Default)]
pub(super) struct Matched {
    ranks: Vec<(usize, PatternId)>,
    ids: Vec<PatternId>,
}

impl Matched {
    pub(super) fn ids(&self) -> &[PatternId] {
        &self.ids
    }

    pub(super) fn clear(&mut self) {
        self.ranks.clear();
        self.ids.clear();
    }

    fn take(&mut self, watch: &Watch, head: &Head) {
        if let Some(pattern) = watch.alternatives.iter().find(|pattern| pattern.matches(head)) {
            self.ranks.push((pattern.rank(head), watch.id));
        }
    }
}

/// All watched patterns.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    next: u32,
    /// Patterns with a tag, sorted by tag.
    by_tag: Vec<(String, Vec<Watch>)>,
    /// Patterns without a tag.
    any: Vec<Watch>,
}

impl Patterns {
    pub(super) fn watch(&mut self, alternatives: Vec<Pattern>) -> PatternId {
        let id = PatternId(self.next);
        self.next = self.next.wrapping_add(1);
        for pattern in alternatives {
            let watches = match &pattern.tag {
                Some(tag) => self.of_tag(tag),
                None => &mut self.any,
            };
            match watches.last_mut().filter(|watch| watch.id == id) {
                Some(watch) => watch.alternatives.push(pattern),
                None => watches.push(Watch {
                    id,
                    alternatives: vec![pattern],
                }),
            }
        }
        id
    }

    fn of_tag(&mut self, tag: &str) -> &mut Vec<Watch> {
        let place = match self.place(tag) {
            Ok(place) => place,
            Err(place) => {
                self.by_tag.insert(place, (tag.to_owned(), Vec::new()));
                place
            }
        };
        match self.by_tag.get_mut(place) {
            Some((_, watches)) => watches,
            // Unreachable: the index is valid. The crate does not use indexing that can panic.
            None => &mut self.any,
        }
    }

    fn place(&self, tag: &str) -> Result<usize, usize> {
        self.by_tag.binary_search_by(|(other, _)| other.as_str().cmp(tag))
    }

    pub(super) fn unwatch(&mut self, id: PatternId) -> bool {
        let before = self.len();
        for watches in self
            .by_tag
            .iter_mut()
            .map(|(_, watches)| watches)
            .chain([&mut self.any])
        {
            watches.retain(|watch| watch.id != id);
        }
        self.by_tag.retain(|(_, watches)| !watches.is_empty());
        self.len() < before
    }

    fn len(&self) -> usize {
        self.any.len() + self.by_tag.iter().map(|(_, watches)| watches.len()).sum::<usize>()
    }

    /// Finds the patterns that match. Returns true if there are any.
    pub(super) fn find(&self, head: &Head, matched: &mut Matched) -> bool {
        matched.clear();
        if let Some((_, watches)) = self.place(head.tag()).ok().and_then(|place| self.by_tag.get(place)) {
            watches.iter().for_each(|watch| matched.take(watch, head));
        }
        self.any.iter().for_each(|watch| matched.take(watch, head));
        if matched.ranks.len() > 1 {
            matched.ranks.sort_unstable();
        }
        matched.ids.extend(matched.ranks.iter().map(|(_, id)| *id));
        !matched.ids.is_empty()
    }
}
