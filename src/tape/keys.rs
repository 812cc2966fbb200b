//! Frequent attribute keys that are not tokens. Each has its own operation on a tape, as tokens do. JavaScript then
//! uses a constant string as the property name instead of a new string from the text.
//!
//! A missing key in this list costs time, but does not change a result.

/// The keys, in the approximate order of frequency, because the search is linear. Source: the attributes that Baileys
/// 6.17, 6.7 and 7 read and write.
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

/// The index of a key in [`KEYS`].
pub(super) fn find(key: &[u8]) -> Option<usize> {
    KEYS.iter().position(|known| known.as_bytes() == key)
}
