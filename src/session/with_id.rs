//! A stanza source that adds a missing id.

use crate::binary::{Content, Dictionary, EncodeError, NodeHead, NodeSource, Text, TokenId};

/// An owned string of the root node.
#[derive(Debug)]
enum Owned {
    Token(TokenId),
    Str(String),
    Ascii(Vec<u8>),
    Literal(String),
}

impl Owned {
    fn of(text: Text<'_>) -> Self {
        match text {
            Text::Token(token) => Self::Token(token),
            Text::Str(text) => Self::Str(text.to_owned()),
            Text::Ascii(text) => Self::Ascii(text.to_vec()),
            Text::Literal(text) => Self::Literal(text.to_owned()),
        }
    }

    fn as_text(&self) -> Text<'_> {
        match self {
            Self::Token(token) => Text::Token(*token),
            Self::Str(text) => Text::Str(text),
            Self::Ascii(text) => Text::Ascii(text),
            Self::Literal(text) => Text::Literal(text),
        }
    }

    fn as_str(&self, dictionary: Dictionary) -> &str {
        match self {
            Self::Token(token) => dictionary.token(*token).unwrap_or_default(),
            Self::Str(text) | Self::Literal(text) => text,
            Self::Ascii(text) => str::from_utf8(text).unwrap_or_default(),
        }
    }
}

/// A source with the tree of another source and an id in the root node. As in Baileys, a missing id is added as the
/// last attribute, and an empty id is replaced.
#[derive(Debug)]
pub(super) struct WithId<'a, S> {
    inner: &'a mut S,
    tag: Owned,
    attrs: Vec<(Owned, Owned)>,
    has_content: bool,
    /// Number of keys that were read. `None` after the root's attributes.
    place: Option<usize>,
}

impl<'a, S: NodeSource> WithId<'a, S> {
    /// Reads the root of `inner`. If it has no id, takes one from `fresh`. Also returns the id.
    pub(super) fn new(
        inner: &'a mut S,
        dictionary: Dictionary,
        fresh: impl FnOnce() -> String,
    ) -> Result<(Self, String), EncodeError> {
        let head = inner.node()?;
        let (tag, count, has_content) = (Owned::of(head.tag), head.attrs, head.has_content);
        let mut attrs = Vec::new();
        for _ in 0..count {
            let key = Owned::of(inner.attr_key()?);
            attrs.push((key, Owned::of(inner.attr_value()?)));
        }
        let place = attrs.iter().rposition(|(key, _)| key.as_str(dictionary) == "id");
        let present = place.and_then(|place| attrs.get_mut(place)).map(|(_, value)| value);
        let id = match present {
            Some(value) if !value.as_str(dictionary).is_empty() => value.as_str(dictionary).to_owned(),
            Some(value) => {
                let id = fresh();
                *value = Owned::Str(id.clone());
                id
            }
            None => {
                let id = fresh();
                attrs.push((Owned::Str("id".to_owned()), Owned::Str(id.clone())));
                id
            }
        };
        Ok((
            Self {
                inner,
                tag,
                attrs,
                has_content,
                place: Some(0),
            },
            id,
        ))
    }
}

impl<S: NodeSource> NodeSource for WithId<'_, S> {
    fn node(&mut self) -> Result<NodeHead<'_>, EncodeError> {
        match self.place {
            Some(_) => {
                let (attrs, has_content) = (self.attrs.len(), self.has_content);
                Ok(NodeHead {
                    tag: self.tag.as_text(),
                    attrs,
                    has_content,
                })
            }
            None => self.inner.node(),
        }
    }

    fn attr_key(&mut self) -> Result<Text<'_>, EncodeError> {
        match self.place {
            Some(place) => {
                let (key, _) = self.attrs.get(place).ok_or(EncodeError::InvalidSource)?;
                self.place = Some(place + 1);
                Ok(key.as_text())
            }
            None => self.inner.attr_key(),
        }
    }

    fn attr_value(&mut self) -> Result<Text<'_>, EncodeError> {
        match self.place {
            Some(next) => {
                let attr = next.checked_sub(1).and_then(|place| self.attrs.get(place));
                attr.map(|(_, value)| value.as_text()).ok_or(EncodeError::InvalidSource)
            }
            None => self.inner.attr_value(),
        }
    }

    fn content(&mut self) -> Result<Content<'_>, EncodeError> {
        self.place = None;
        self.inner.content()
    }
}
