//! Keys of attributes that are no tokens but come often. On a tape each has an operation of its own, as tokens do, so that
//! JavaScript need not slice it out of the text, make it a property's name, and find the property's place.
//!
//! A key that is missing here costs time and changes no result.

/// The keys, those that come most often first: the search is linear. Source: the attributes that Baileys 6.17, 6.7 and 7
/// read and write.
pub const KEYS: &[&str] = &[
    "phone_number",
    "sender_pn",
    "sender_lid",
    "participant_pn",
    "participant_lid",
    "addressing_mode",
    "server_id",
    "recipient_pn",
    "recipient_lid",
    "peer_recipient_pn",
    "peer_recipient_lid",
    "sid",
    "lid",
    "val",
    "key-index",
    "recipient",
    "size",
    "display_name",
    "joinable",
    "s_o_pn",
    "creator_pn",
    "creator_country_code",
    "username",
    "sender_username",
    "participant_username",
    "recipient_username",
    "peer_recipient_username",
    "creator_username",
    "s_o_username",
    "is_hosted",
    "message_id",
    "author",
    "from_me",
    "caller_pn",
    "caller_country_code",
    "request_method",
    "has_more_patches",
    "native_flow_name",
    "decision-id",
    "decision-source",
    "hosting_type",
];

/// The place of a key, if it is one of these.
pub(super) fn find(key: &[u8]) -> Option<usize> {
    KEYS.iter().position(|known| known.as_bytes() == key)
}
