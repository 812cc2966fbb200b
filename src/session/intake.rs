//! One inbound stanza on its way from the walker: its first part is looked at, and the rest written to a tape only
//! where somebody wants it.

use crate::{
    binary::{Content, Dictionary, NodeSink, Text},
    tape::TapeWriter,
};

/// A string of a [`Head`].
#[derive(Clone, Copy, Debug)]
enum Word {
    Token(&'static str),
    Own { start: usize, end: usize },
}

/// The first part of a stanza: tag, attributes and the tag of the first child. Reused for many stanzas.
#[derive(Debug)]
pub(super) struct Head {
    dictionary: Dictionary,
    strings: String,
    tag: Word,
    attrs: Vec<(Word, Word)>,
    child: Word,
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
        }
    }

    fn clear(&mut self) {
        self.strings.clear();
        self.attrs.clear();
        self.tag = Word::Token("");
        self.child = Word::Token("");
    }

    /// Forgets the stanza, and gives memory beyond so many bytes of each part back.
    pub(super) fn trim(&mut self, keep: usize) {
        self.clear();
        self.strings.shrink_to(keep);
        self.attrs.shrink_to(keep / size_of::<(Word, Word)>());
    }

    /// The bytes of memory held.
    pub(super) const fn capacity(&self) -> usize {
        self.strings.capacity() + size_of::<(Word, Word)>() * self.attrs.capacity()
    }

    fn word(&mut self, text: Text<'_>) -> Word {
        let text = match text {
            Text::Token(token) => return Word::Token(self.dictionary.token(token).unwrap_or_default()),
            Text::Str(text) | Text::Literal(text) => text,
            Text::Ascii(text) => str::from_utf8(text).unwrap_or_default(),
        };
        let start = self.strings.len();
        self.strings.push_str(text);
        Word::Own {
            start,
            end: self.strings.len(),
        }
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

    /// The value of an attribute; of one that is there more than once the last.
    pub(super) fn attr(&self, key: &str) -> Option<&str> {
        let found = self.attrs.iter().rev().find(|(name, _)| self.text(*name) == key);
        found.map(|(_, value)| self.text(*value))
    }

    /// The number of attributes before one.
    pub(super) fn attr_place(&self, key: &str) -> Option<usize> {
        self.attrs.iter().position(|(name, _)| self.text(*name) == key)
    }

    /// The tag of the first child; empty without a list of children, and `undefined`, as Baileys writes it into event
    /// names, for an empty list.
    pub(super) fn first_child(&self) -> &str {
        self.text(self.child)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing has come yet.
    Start,
    /// The root's attributes and content.
    Root,
    /// The first child's tag.
    Child,
    /// The head is complete and the stanza wanted.
    Writing,
    /// The head is complete and nobody wants the stanza.
    Skipping,
}

/// The sink. `wanted` is asked once, when the head is complete.
pub(super) struct Intake<'a, F> {
    head: &'a mut Head,
    tape: &'a mut TapeWriter,
    wanted: F,
    stage: Stage,
}

impl<'a, F: FnMut(&Head) -> bool> Intake<'a, F> {
    pub(super) fn new(head: &'a mut Head, tape: &'a mut TapeWriter, wanted: F) -> Self {
        head.clear();
        tape.clear();
        Self {
            head,
            tape,
            wanted,
            stage: Stage::Start,
        }
    }

    /// Whether the stanza is on the tape.
    pub(super) fn is_written(&self) -> bool {
        self.stage == Stage::Writing
    }

    fn decide(&mut self) {
        self.stage = if (self.wanted)(self.head) {
            Stage::Writing
        } else {
            Stage::Skipping
        };
    }
}

impl<F: FnMut(&Head) -> bool> NodeSink for Intake<'_, F> {
    fn node(&mut self, tag: Text<'_>, attrs: usize) {
        match self.stage {
            Stage::Start => {
                self.head.tag = self.head.word(tag);
                self.stage = Stage::Root;
            }
            Stage::Child => {
                self.head.child = self.head.word(tag);
                self.decide();
            }
            Stage::Root | Stage::Writing | Stage::Skipping => {}
        }
        if self.stage != Stage::Skipping {
            self.tape.node(tag, attrs);
        }
    }

    fn attr_key(&mut self, key: Text<'_>) {
        if self.stage == Stage::Root {
            let key = self.head.word(key);
            self.head.attrs.push((key, Word::Token("")));
        }
        if self.stage != Stage::Skipping {
            self.tape.attr_key(key);
        }
    }

    fn attr_value(&mut self, value: Text<'_>) {
        if self.stage == Stage::Root {
            let value = self.head.word(value);
            if let Some((_, place)) = self.head.attrs.last_mut() {
                *place = value;
            }
        }
        if self.stage != Stage::Skipping {
            self.tape.attr_value(value);
        }
    }

    fn content(&mut self, content: Content<'_>) {
        if self.stage == Stage::Root {
            match content {
                Content::List(0) => {
                    self.head.child = Word::Token("undefined");
                    self.decide();
                }
                Content::List(_) => self.stage = Stage::Child,
                Content::None | Content::Text(_) | Content::Bytes(_) => self.decide(),
            }
        }
        if self.stage != Stage::Skipping {
            self.tape.content(content);
        }
    }
}
