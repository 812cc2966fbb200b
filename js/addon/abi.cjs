// Generated from src/abi.rs; `UPDATE=1 cargo test --no-default-features --test core abi` writes it.

'use strict';

module.exports = {
  /** The kind of a node's content, in the head operation of a tape. */
  contentKind: {
    /** No content. */
    NONE: 0,
    /** A string. */
    TEXT: 1,
    /** Bytes. */
    BYTES: 2,
    /** Children. */
    LIST: 3
  },

  /** Operations of a tape. */
  op: {
    /** A head operation has the number of attributes, shifted left by this number of bits. */
    HEAD_SHIFT: 2,
    /** Replaces the hash of a shape if one of its keys has no operation. */
    NO_SHAPE: -1,
    /** The operation of the first key in `KEYS`: the first number that is not a token id. */
    FIRST_KEY: 1260
  },

  /** Sizes in the text of a tape. */
  text: {
    /**
     * JavaScript looks up strings that are shorter than this, so such a string on a tape is never a token. Rust
     * looks up longer strings, because a lookup in JavaScript would hash a new string and take ten times as
     * long.
     */
    LOOKUP_UNITS: 10,
    /**
     * Maximum length in units of a text that is passed to JavaScript as one string. JavaScript reads a longer
     * text in windows of this length, because a sliced string keeps its whole source string in memory.
     */
    WINDOW: 1024
  },

  /** Registers: indexes of numbers at the start of the shared operations. */
  register: {
    /** The number of operations of the tape. */
    OPS: 0,
    /** The length of the text in units: bytes if it is Latin-1, otherwise 16-bit units. */
    TEXT: 1,
    /** 1 if the text is UTF-16, 0 if it is Latin-1. */
    WIDE: 2,
    /** The number of content bytes, for both directions. */
    BYTES: 3,
    /** The number of input bytes that the decoder has read. */
    CONSUMED: 4,
    /** The offset of the payload or of the output in the buffer of a call. */
    AT: 5,
    /** Set to 1 if a frame is authentic but its payload is not a stanza; JavaScript sets it back to 0. */
    UNDECODABLE: 6,
    /** The index of the first operation of a tape. */
    FIRST_OP: 8
  },

  /** The words before each tape of a batch. */
  tapeHead: {
    /** The number of operations; 0 for a frame that JavaScript must not see. */
    OPS: 0,
    /** The length of the text in units. */
    UNITS: 1,
    /** The number of content bytes. */
    BYTES: 2,
    /** 1 if the text is UTF-16, 0 if it is Latin-1. */
    WIDE: 3,
    /** The number of these words. */
    WORDS: 4
  },

  /** The words before the records of a batch. */
  batchHead: {
    /** Room in the slab that the next record needs, in bytes. */
    SLAB_NEEDED: 0,
    /** Room for words that the next record needs, with these words. */
    WORDS_NEEDED: 1,
    /** Room for text that the next record needs, in bytes. */
    TEXT_NEEDED: 2,
    /** 1 if more records can be waiting. */
    HAS_MORE: 3,
    /** The number of bytes that were written to the slab. */
    SLAB_TAKEN: 4,
    /** Duration of the event loop's stall in milliseconds; 0 if there was none. */
    STALLED_MS: 5,
    /** The number of bytes of text that were written. */
    TEXT_TAKEN: 6,
    /** The number of these words. */
    WORDS: 7
  },

  /** The words of a record. The words of its tapes follow. */
  record: {
    /** A `socket_event` or `session_record`. */
    KIND: 0,
    /** The number of the socket or session. */
    SOURCE: 1,
    /** A number that depends on the kind. */
    VALUE: 2,
    /** The length of the payload in bytes. */
    LENGTH: 3,
    /** The number of tapes. */
    FRAMES: 4,
    /** The counter of the first frame. */
    COUNTER: 5,
    /** The number of words of the tapes. */
    TAPE_WORDS: 6,
    /** The bytes of text of the tapes. */
    TAPE_TEXT: 7,
    /** The content bytes of the tapes. */
    TAPE_BYTES: 8,
    /** The number of these words. */
    WORDS: 9
  },

  /** The kinds of a socket's records. */
  socketEvent: {
    /** Payload: a binary message. */
    BINARY: 0,
    /** Payload: a text message. */
    TEXT: 1,
    /** Payload: the payload of the ping. */
    PING: 2,
    /** Payload: the payload of the pong. */
    PONG: 3,
    /** Value: the status code; payload: the reason. */
    CLOSE_FRAME: 4,
    /** Value: the number of callbacks to call. */
    WRITTEN: 5,
    /** Messages can be sent. */
    OPEN: 6,
    /** Payload: a response head. */
    UPGRADE: 7,
    /** Payload: a response head and the body; value: the length of the head. */
    UNEXPECTED_RESPONSE: 8,
    /** Payload: the description of the error as JSON. */
    ERROR: 9,
    /** The connection has ended. */
    CLOSED: 10
  },

  /** The kinds of a session's records. */
  sessionRecord: {
    /** The answer to a query. Value: the number of the query. */
    ANSWER: 1,
    /** A failed query. Value: its number; payload: the error as JSON. */
    FAILED: 2,
    /** Payload: an event as JSON. */
    EVENT: 3,
    /**
     * A stanza that the session has sent by itself (value 0), or the answer to one (value 1). Payload: the encoded
     * stanza with the flag byte in front.
     */
    OWN: 4,
    /**
     * One stanza per tape. Before each tape are the number of matching patterns and their ids. The value differs
     * from all values of `socket_event`.
     */
    STANZAS: 100
  },

  /** Results of the codec and of the noise handler that are neither a text nor a length. */
  signal: {
    /** No frame. */
    NONE: 0,
    /**
     * The tape does not fit in the shared memory, or it has content bytes. The registers have the sizes; `take`
     * returns it.
     */
    MORE: 1,
    /** A frame of the handshake. The registers have its length; `takeOutput` returns it. */
    RAW: 2,
    /** Only the beginning of a frame was received. */
    PARTIAL: 3,
    /** A frame that JavaScript must not see. */
    HIDDEN: 4
  },

  /** Flags in the result of `noiseFinishInit`. */
  finishInit: {
    /** The I/O thread opens frames before JavaScript asks for them. */
    READS_AHEAD: 1,
    /** The I/O thread keeps the connection alive while JavaScript is blocked. */
    KEEPS_ALIVE: 2
  },

  /** Results of `send`. */
  accepted: {
    /** The message was not accepted. */
    NO: 0,
    /** The message was accepted. */
    NOW: 1,
    /** The message was accepted. A later `WRITTEN` record counts it when it is written. */
    LATER: 2
  },

  /**
   * Codes of the end of a connection: values of Baileys' `DisconnectReason` (source: Baileys 7.0.0-rc14,
   * `Types/index`).
   */
  statusCode: {
    /** The device is logged out. */
    LOGGED_OUT: 401,
    /** The account is banned. */
    FORBIDDEN: 403,
    /** The connection was lost, or an operation timed out. */
    CONNECTION_LOST: 408,
    /** The account does not use multi-device. */
    MULTIDEVICE_MISMATCH: 411,
    /** The connection was closed. */
    CONNECTION_CLOSED: 428,
    /** Another connection uses the same credentials. */
    CONNECTION_REPLACED: 440,
    /** The session cannot continue: its data is wrong. */
    BAD_SESSION: 500,
    /** The server is not available. */
    UNAVAILABLE_SERVICE: 503,
    /** The server requests a new connection, for example after pairing. */
    RESTART_REQUIRED: 515
  },

  /** The dialects of the codec, one per Baileys release line. */
  dialect: {
    /** Baileys 7. */
    V7: 0,
    /** Baileys 6.7. */
    V6_7: 1,
    /** Baileys 6.17. */
    V6_17: 2
  },

  /** Limits that are defined in other modules of the addon. */
  limit: {
    /** Maximum nesting depth of nodes. */
    MAX_DEPTH: 1024,
    /** Length of a sealed frame minus the length of its payload, in bytes. */
    FRAME_OVERHEAD: 19,
    /** Minimum keep-alive interval for queries of the I/O thread, in milliseconds. */
    MIN_KEEP_ALIVE_INTERVAL: 200
  },

  /** Status codes that concern the account. Many programs delete their credentials on some of these. */
  ACCOUNT_STATUSES: [401, 411, 440, 500, 515],

  /** Attribute keys that are not tokens, in the order of their operations. */
  KEYS: [
    'phone_number',
    'sender_pn',
    'sender_lid',
    'participant_pn',
    'participant_lid',
    'addressing_mode',
    'server_id',
    'recipient_pn',
    'recipient_lid',
    'peer_recipient_pn',
    'peer_recipient_lid',
    'sid',
    'lid',
    'val',
    'key-index',
    'recipient',
    'size',
    'display_name',
    'joinable',
    's_o_pn',
    'creator_pn',
    'creator_country_code',
    'username',
    'sender_username',
    'participant_username',
    'recipient_username',
    'peer_recipient_username',
    'creator_username',
    's_o_username',
    'is_hosted',
    'message_id',
    'author',
    'from_me',
    'caller_pn',
    'caller_country_code',
    'request_method',
    'has_more_patches',
    'native_flow_name',
    'decision-id',
    'decision-source',
    'hosting_type'
  ]
};
