//! A node sink that stores the head of an inbound stanza. It writes the stanza to a tape only if the stanza is wanted.

use crate::{
    binary::{Content, Dictionary, NodeSink, Text},
    tape::{Tape, TapeWriter, Tapes},
};

/// A string in a [`Head`].
#[derive(Clone, Copy, Debug)]
enum Word {
    Token(&'static str),
    Own { start: usize, end: usize },
}

/// The head of a stanza: its tag, its attributes and the tag of the first child. One `Head` is reused for all stanzas.
#[derive(Debug)]
pub(super) struct Head {
    dictionary: Dictionary,
    strings: String,
    tag: Word,
    attrs: Vec<(Word, Word)>,
    child: Word,
    /// Memory for a string could not be allocated.
    is_out_of_memory: bool,
}

impl Head {
    pub(super) fn new(dictionary: Dictionary) -> Self {
        let nothing = Word::Token("");
        Self {
            dictionary,
            strings: String::new(),
            tag: nothing,
            attrs: Vec::new(),
            child: nothing,
            is_out_of_memory: false,
        }
    }

    fn clear(&mut self) {
        self.strings.clear();
        self.attrs.clear();
        self.tag = Word::Token("");
        self.child = Word::Token("");
        self.is_out_of_memory = false;
    }

    /// Clears the head. Frees capacity above `keep` bytes in each buffer.
    pub(super) fn trim(&mut self, keep: usize) {
        self.clear();
        self.strings.shrink_to(keep);
        self.attrs.shrink_to(keep / size_of::<(Word, Word)>());
    }

    /// The allocated memory in bytes.
    pub(super) const fn capacity(&self) -> usize {
        self.strings.capacity() + size_of::<(Word, Word)>() * self.attrs.capacity()
    }

    fn word(&mut self, text: Text<'_>) -> Word {
        if let Text::Token(token) = text {
            return Word::Token(self.dictionary.token(token).unwrap_or_default());
        }
        let text = text.resolve(self.dictionary);
        let start = self.strings.len();
        if self.strings.try_reserve(text.len()).is_err() {
            self.is_out_of_memory = true;
            return Word::Token("");
        }
        self.strings.push_str(text);
        Word::Own {
            start,
            end: self.strings.len(),
        }
    }

    /// Adds an attribute without its value.
    fn attribute(&mut self, key: Word) {
        if self.attrs.try_reserve(1).is_err() {
            self.is_out_of_memory = true;
            return;
        }
        self.attrs.push((key, Word::Token("")));
    }

    fn text(&self, word: Word) -> &str {
        match word {
            Word::Token(text) => text,
            Word::Own { start, end } => self.strings.get(start..end).unwrap_or_default(),
        }
    }

    pub(super) fn tag(&self) -> &str {
        self.text(self.tag)
    }

    /// The value of an attribute. If a key is repeated, the last value is used, as in a JavaScript object.
    pub(super) fn attr(&self, key: &str) -> Option<&str> {
        let found = self.attrs.iter().rev().find(|(name, _)| self.text(*name) == key);
        found.map(|(_, value)| self.text(*value))
    }

    /// The index of the first attribute with this key.
    pub(super) fn attr_place(&self, key: &str) -> Option<usize> {
        self.attrs.iter().position(|(name, _)| self.text(*name) == key)
    }

    /// The tag of the first child. It is empty if the content is not a list. For an empty list it is `undefined`, as in
    /// the event names of Baileys.
    pub(super) fn first_child(&self) -> &str {
        self.text(self.child)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FilterPhase {
    /// Before the root's tag.
    Start,
    /// In the root's attributes and content.
    Root,
    /// Before the first child's tag.
    Child,
    /// The head is complete and the stanza is wanted.
    Writing,
    /// The head is complete and the stanza is not wanted.
    Skipping,
}

/// The sink. It calls `wanted` once per stanza, when the head is complete.
pub(super) struct HeadFilter<'a, F> {
    head: &'a mut Head,
    tape: TapeWriter<'a>,
    wanted: F,
    phase: FilterPhase,
}

impl<'a, F: FnMut(&Head) -> bool> HeadFilter<'a, F> {
    pub(super) fn new(head: &'a mut Head, tapes: &'a mut Tapes, wanted: F) -> Self {
        head.clear();
        tapes.clear();
        Self {
            head,
            tape: TapeWriter::new(tapes),
            wanted,
            phase: FilterPhase::Start,
        }
    }

    /// Ends the stanza. Returns its tape if it is wanted.
    pub(super) fn finish(self) -> Option<Tape<'a>> {
        (self.phase == FilterPhase::Writing).then(|| self.tape.finish())
    }

    fn decide(&mut self) {
        self.phase = if (self.wanted)(self.head) {
            FilterPhase::Writing
        } else {
            FilterPhase::Skipping
        };
    }
}

impl<F: FnMut(&Head) -> bool> NodeSink for HeadFilter<'_, F> {
    fn is_out_of_memory(&self) -> bool {
        self.head.is_out_of_memory || self.tape.is_out_of_memory()
    }

    fn node(&mut self, tag: Text<'_>, attrs: usize) {
        match self.phase {
            FilterPhase::Start => {
                self.head.tag = self.head.word(tag);
                self.phase = FilterPhase::Root;
            }
            FilterPhase::Child => {
                self.head.child = self.head.word(tag);
                self.decide();
            }
            FilterPhase::Root | FilterPhase::Writing | FilterPhase::Skipping => {}
        }
        if self.phase != FilterPhase::Skipping {
            self.tape.node(tag, attrs);
        }
    }

    fn attr_key(&mut self, key: Text<'_>) {
        if self.phase == FilterPhase::Root {
            let key = self.head.word(key);
            self.head.attribute(key);
        }
        if self.phase != FilterPhase::Skipping {
            self.tape.attr_key(key);
        }
    }

    fn attr_value(&mut self, value: Text<'_>) {
        if self.phase == FilterPhase::Root {
            let value = self.head.word(value);
            if let Some((_, place)) = self.head.attrs.last_mut() {
                *place = value;
            }
        }
        if self.phase != FilterPhase::Skipping {
            self.tape.attr_value(value);
        }
    }

    fn content(&mut self, content: Content<'_>) {
        if self.phase == FilterPhase::Root {
            match content {
                Content::List(0) => {
                    self.head.child = Word::Token("undefined");
                    self.decide();
                }
                Content::List(_) => self.phase = FilterPhase::Child,
                Content::None | Content::Text(_) | Content::Bytes(_) => self.decide(),
            }
        }
        if self.phase != FilterPhase::Skipping {
            self.tape.content(content);
        }
    }
}
