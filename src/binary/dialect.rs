//! The differences between the Baileys releases in the encoding of nodes.

use super::number;
use super::tags::{AD_JID, FB_JID, INTEROP_JID, JID_PAIR};
use super::tokens::Dictionary;

/// How nodes are encoded: the dictionary, and the rules of a Baileys release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    dictionary: Dictionary,
    release: Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Release {
    V6_17,
    V6_7,
    V7,
}

/// Domain bytes of an AD_JID (source: `WAJIDDomains` in Baileys 7.0.0-rc14).
mod domain {
    pub(super) const WHATSAPP: u8 = 0;
    pub(super) const LID: u8 = 1;
    pub(super) const HOSTED: u8 = 128;
    pub(super) const HOSTED_LID: u8 = 129;
}

impl Dialect {
    /// Baileys 7.0.0-rc14.
    pub const V7: Dialect = Dialect {
        dictionary: Dictionary::V3,
        release: Release::V7,
    };
    /// Baileys 6.7.24.
    pub const V6_7: Dialect = Dialect {
        dictionary: Dictionary::V3,
        release: Release::V6_7,
    };
    /// Baileys 6.17.16.
    pub const V6_17: Dialect = Dialect {
        dictionary: Dictionary::V2,
        release: Release::V6_17,
    };

    /// The dictionary of the dialect.
    #[must_use]
    pub const fn dictionary(self) -> Dictionary {
        self.dictionary
    }

    /// Whether the empty string is encoded as BINARY_8 with length 0. Otherwise it is token 0.
    pub(super) fn empty_is_binary(self) -> bool {
        self.release == Release::V7
    }

    /// Whether a tag starts a JID.
    pub(super) fn is_jid_tag(self, tag: u8) -> bool {
        match tag {
            JID_PAIR | AD_JID => true,
            FB_JID | INTEROP_JID => self.release == Release::V7,
            _ => false,
        }
    }

    /// The server of an AD_JID with this domain byte.
    pub(super) fn server(self, domain: u8) -> &'static str {
        match (self.release, domain) {
            (_, domain::WHATSAPP) | (Release::V6_7, domain::HOSTED) => "s.whatsapp.net",
            (Release::V6_7 | Release::V6_17, _) | (Release::V7, domain::LID) => "lid",
            (Release::V7, domain::HOSTED) => "hosted",
            (Release::V7, domain::HOSTED_LID) => "hosted.lid",
            (Release::V7, _) => "s.whatsapp.net",
        }
    }

    /// The domain byte for a server. `agent` is the text after the first `_` of the user.
    pub(super) fn domain(self, server: &str, agent: Option<&str>) -> u8 {
        match (self.release, server) {
            (_, "lid") => domain::LID,
            (Release::V7, "hosted") => domain::HOSTED,
            (Release::V7, "hosted.lid") => domain::HOSTED_LID,
            (Release::V7, _) => agent.map_or(domain::WHATSAPP, number::parse_int),
            (Release::V6_7 | Release::V6_17, _) => domain::WHATSAPP,
        }
    }
}
