//! The token dictionaries: generated data and a lookup table.

use std::fmt;

use super::TokenId;

mod v2;
mod v3;

/// Number of single-byte tokens. Their ids are `0..SINGLE`.
pub(super) const SINGLE: u8 = 236;
/// Number of tokens in a dictionary: the single-byte tokens and four times 256 double-byte tokens.
const TOKENS: usize = SINGLE as usize + 4 * 256;
/// Number of slots in the lookup table, a power of two. About a third is used, so most failed lookups end at the first
/// slot.
const SLOTS: usize = 4096;

static TABLE_2: Table = Table::new(2, &v2::TOKENS);
static TABLE_3: Table = Table::new(3, &v3::TOKENS);

/// A token dictionary of WhatsApp. Both sides of a connection use the dictionary with the version in the fourth byte of
/// the WhatsApp header.
#[derive(Clone, Copy)]
pub struct Dictionary(&'static Table);

struct Table {
    version: u8,
    tokens: &'static [&'static str; TOKENS],
    /// Length of the longest token in bytes.
    longest: usize,
    /// Open addressing with linear probing. A slot has part of the hash in its upper half and the token id in its lower
    /// half. 0 is a free slot, because the empty string (id 0) is not in the table.
    slots: [u32; SLOTS],
}

impl Dictionary {
    /// The dictionary for the header `W`, `A`, 6, 2. Baileys 6.17.16 uses it.
    pub const V2: Dictionary = Dictionary(&TABLE_2);
    /// The dictionary for the header `W`, `A`, 6, 3. Baileys 6.7 and 7 use it.
    pub const V3: Dictionary = Dictionary(&TABLE_3);

    /// The fourth byte of the WhatsApp header for this dictionary.
    #[must_use]
    pub const fn version(self) -> u8 {
        self.0.version
    }

    /// The text of a token. `None` if the dictionary has no such token.
    #[must_use]
    pub fn token(self, id: TokenId) -> Option<&'static str> {
        self.0.tokens.get(usize::from(id.0)).copied()
    }

    /// The token for a text. The empty string is token 0, but not every [`Dialect`](super::Dialect) encodes it as a
    /// token.
    #[must_use]
    pub fn find(self, text: &str) -> Option<TokenId> {
        let table = self.0;
        if text.len() > table.longest {
            return None;
        }
        if text.is_empty() {
            return Some(TokenId(0));
        }
        let hash = hash(text.as_bytes());
        let mut place = home(hash);
        loop {
            #[expect(clippy::indexing_slicing, reason = "masked to the table's length")]
            let slot = table.slots[place & (SLOTS - 1)];
            if slot == 0 {
                return None;
            }
            let id = TokenId((slot & 0xffff) as u16);
            if slot >> 16 == fingerprint(hash)
                && self
                    .token(id)
                    .is_some_and(|token| same(token.as_bytes(), text.as_bytes()))
            {
                return Some(id);
            }
            place += 1;
        }
    }
}

impl PartialEq for Dictionary {
    fn eq(&self, other: &Self) -> bool {
        self.version() == other.version()
    }
}

impl Eq for Dictionary {}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dictionary").field(&self.version()).finish()
    }
}

impl Table {
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated at compile time, where an error stops the build"
    )]
    const fn new(version: u8, tokens: &'static [&'static str; TOKENS]) -> Self {
        let mut slots = [0; SLOTS];
        let mut longest = 0;
        // Baileys fills a map in this order, so the last of equal tokens would be used. The generator checks that all
        // tokens are different.
        let mut id = 1;
        while id < TOKENS {
            let token = tokens[id].as_bytes();
            if token.len() > longest {
                longest = token.len();
            }
            let hash = hash(token);
            let mut place = home(hash);
            while slots[place % SLOTS] != 0 {
                place += 1;
            }
            slots[place % SLOTS] = fingerprint(hash) << 16 | id as u32;
            id += 1;
        }
        Table {
            version,
            tokens,
            longest,
            slots,
        }
    }
}

const fn home(hash: u64) -> usize {
    (hash >> 52) as usize
}

const fn fingerprint(hash: u64) -> u32 {
    (hash >> 32) as u32 & 0xffff
}

/// Hashes a text, eight bytes at a time. It does not have to resist chosen input: the table is fixed, and a failed
/// lookup visits only a few slots.
const fn hash(text: &[u8]) -> u64 {
    let mut state = SEED ^ (text.len() as u64) << 56;
    let mut rest = text;
    while let Some((word, after)) = rest.split_first_chunk() {
        state = mix(state, u64::from_le_bytes(*word));
        rest = after;
    }
    // The last bytes. They can overlap with bytes that were already mixed in.
    let word = if let Some(word) = text.last_chunk() {
        u64::from_le_bytes(*word)
    } else if let (Some(low), Some(high)) = (text.first_chunk(), text.last_chunk()) {
        (u32::from_le_bytes(*low) as u64) << 32 | u32::from_le_bytes(*high) as u64
    } else if let (Some(low), Some(high)) = (text.first_chunk(), text.last_chunk()) {
        (u16::from_le_bytes(*low) as u64) << 16 | u16::from_le_bytes(*high) as u64
    } else {
        match text {
            [byte, ..] => *byte as u64,
            [] => 0,
        }
    };
    mix(state, word)
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whether two short texts are equal. It makes no function call, because nearly all compared texts are equal.
fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        8..=16 => ends::<8>(one) == ends(other),
        4..=7 => ends::<4>(one) == ends(other),
        2..=3 => ends::<2>(one) == ends(other),
        _ => one == other,
    }
}

/// The first and the last `N` bytes.
fn ends<const N: usize>(text: &[u8]) -> (Option<&[u8; N]>, Option<&[u8; N]>) {
    (text.first_chunk(), text.last_chunk())
}

const fn mix(state: u64, word: u64) -> u64 {
    let product = (state ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
    product ^ product >> 29
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_found_under_its_own_id() {
        for dictionary in [Dictionary::V2, Dictionary::V3] {
            for id in 0..TOKENS as u16 {
                let text = dictionary.token(TokenId(id)).unwrap();
                assert_eq!(dictionary.find(text), Some(TokenId(id)), "{text}");
            }
            assert_eq!(dictionary.token(TokenId(TOKENS as u16)), None);
        }
    }

    #[test]
    fn other_texts_are_not_found() {
        for text in [
            "constructor",
            "toString",
            "__proto__",
            "iqq",
            "S.whatsapp.net",
            "tt",
            "\0",
            "é",
            &"a".repeat(99),
        ] {
            assert_eq!(Dictionary::V3.find(text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_compared_completely() {
        for length in 0..40 {
            let text = vec![b'a'; length];
            assert!(same(&text, &text));
            assert!(!same(&text, &vec![b'a'; length + 1]));
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'b';
                assert!(!same(&text, &other), "{at} of {length}");
            }
        }
    }

    #[test]
    fn hash_probes_are_short() {
        for dictionary in [Dictionary::V2, Dictionary::V3] {
            let slots = &dictionary.0.slots;
            let mut longest_run = 0;
            let mut run = 0;
            for slot in slots.iter().chain(slots) {
                run = if *slot == 0 { 0 } else { run + 1 };
                longest_run = longest_run.max(run);
            }
            assert!(longest_run <= 24, "{longest_run}");
        }
    }

    #[test]
    fn known_tokens_have_their_ids() {
        assert_eq!(Dictionary::V3.find("s.whatsapp.net"), Some(TokenId(3)));
        assert_eq!(Dictionary::V3.find("read-self"), Some(TokenId(236)));
        assert_eq!(Dictionary::V2.find("xmlstreamend"), Some(TokenId(2)));
        assert_eq!(Dictionary::V2.find("contact_blacklist"), Some(TokenId(236 + 3 * 256)));
    }
}
