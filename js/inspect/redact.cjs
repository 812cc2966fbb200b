'use strict';

// Redacts stanzas before they leave the process. Their structure and harmless values stay; contents and secrets are
// replaced by their lengths.

/** Limits for one stanza. */
const MAX_NODES = 500;
const MAX_DEPTH = 32;
const MAX_ATTRS = 64;
const MAX_TEXT = 256;
/** The longest value of PLAIN_ATTRS. JIDs, ids and names are shorter; a longer value may be a token. */
const MAX_PLAIN = 64;

/**
 * Secret tags by reason. In and below these nodes only tags and {@link PLAIN_ATTRS} are shown. Bytes are never shown.
 *
 * @type {Record<string, string[]>}
 */
const SECRET_TAGS = {
  'messages, encrypted or not': ['enc', 'skmsg', 'plaintext', 'body', 'text', 'message_updates', 'rmr', 'reporting'],
  'keys of the Signal protocol': ['key', 'keys', 'skey', 'identity', 'signature', 'registration', 'value', 'digest'],
  'codes and proofs that link a device': [
    'pair-device',
    'pair-success',
    'pair-device-sign',
    'ref',
    'link_code_companion_reg',
    'device-identity',
    'key-index-list',
    'account',
    'unified_session'
  ],
  'tokens and logins': [
    'success',
    'tokens',
    'token',
    'tctoken',
    'cstoken',
    'media_conn',
    'routing_info',
    'edge_routing'
  ],
  'push endpoints and their keys': ['config'],
  'keys and relays of calls': ['relay', 'te', 'te2', 'rte', 'hbh_key', 'link_create', 'link_query', 'link_join'],
  'states of the account, encrypted': ['patch', 'patches', 'snapshot', 'mutation', 'record'],
  'links that let in': ['invite', 'accept_invite']
};

/** Other tags that are probably secret, also future ones. */
const SECRET_TAG =
  /key|token|secret|signature|credential|nonce|hmac|passw|passkey|crypt|cert|attest|pairing|companion|auth|^enc(?:[_:-]|$)|2fa|pincode|otp/i;

/** Names of attributes with keys, tokens, codes, or addresses that contain them. */
const SECRET_ATTR =
  /key|token|auth|secret|signature|credential|nonce|hmac|passw|passkey|cert|url|link|path|static|p256dh|endpoint|pin(?:_?code)?$|^code$|_code$|^ref$|otp|psk|salt|^iv$|^mac$|filehash|file_hash|value|^text$|_text$/i;

/** Attributes that are always shown. In secret nodes only these are shown. */
const PLAIN_ATTRS = new Set([
  'id',
  'from',
  'to',
  'jid',
  'participant',
  'recipient',
  'type',
  'xmlns',
  't',
  'v',
  'ts',
  'count',
  'class',
  'lid',
  'offline',
  'index',
  'key-index',
  'mediatype',
  'decrypt-fail',
  'stage',
  'ttl',
  'auth_ttl'
]);

/** A status code. It is shown also in attributes with secret names. */
const STATUS = /^\d{1,4}$/;
/** Text that looks like a key in base64 or hex, or like several keys separated by dots. */
const KEY_LIKE = /^[A-Za-z0-9+/_.:-]{40,}={0,2}$/;

const secretTags = new Set(Object.values(SECRET_TAGS).flat());

/** @param {string} tag */
const isSecret = tag => secretTags.has(tag) || SECRET_TAG.test(tag);

/** @param {string} text */
const shown = text => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);

/**
 * @param {string} name
 * @param {unknown} value
 * @param {boolean} secret
 */
function attribute(name, value, secret) {
  const text = String(value);
  const plain = PLAIN_ATTRS.has(name);
  if (plain ? text.length > MAX_PLAIN : secret) return { hidden: text.length };
  if (!plain && SECRET_ATTR.test(name) && !STATUS.test(text)) return { hidden: text.length };
  return KEY_LIKE.test(text) ? { hidden: text.length } : shown(text);
}

/** @typedef {{ nodes: number }} Budget the number of nodes that may follow */

/**
 * @param {any} node
 * @param {Budget} budget
 * @param {boolean} secret
 * @param {number} depth
 * @returns {object}
 */
function reduced({ tag, attrs, content }, budget, secret, depth) {
  budget.nodes--;
  tag = String(tag);
  secret ||= isSecret(tag);
  const entries = Object.entries(attrs ?? {}).filter(([, value]) => value !== undefined && value !== null);
  const result = {
    tag: shown(tag),
    attrs: entries.slice(0, MAX_ATTRS).map(([name, value]) => [shown(name), attribute(name, value, secret)])
  };
  if (content === undefined || content === null) return result;
  return { ...result, ...contents(content, budget, secret, depth) };
}

/**
 * @param {unknown} content
 * @param {Budget} budget
 * @param {boolean} secret
 * @param {number} depth
 * @returns {object}
 */
function contents(content, budget, secret, depth) {
  if (Array.isArray(content)) {
    const children = [];
    for (const child of content) {
      if (budget.nodes <= 0 || depth >= MAX_DEPTH) break;
      if (child !== null && typeof child === 'object') children.push(reduced(child, budget, secret, depth + 1));
    }
    const omitted = content.length - children.length;
    return omitted > 0 ? { children, omitted } : { children };
  }
  if (ArrayBuffer.isView(content) || content instanceof ArrayBuffer) return { bytes: content.byteLength };
  const text = String(content);
  return secret || KEY_LIKE.test(text) ? { hidden: text.length } : { text: shown(text) };
}

/**
 * Redacts a stanza. `attrs` of the result are pairs of name and value; a hidden value is `{ hidden: length }`. The
 * content is one of: `children` (with `omitted`, the number of children left out), `text`, `hidden` (length of a hidden
 * text), or `bytes` (length of bytes).
 *
 * @param {{ tag: string, attrs: object, content?: unknown }} node
 */
function redact(node) {
  return reduced(node, { nodes: MAX_NODES }, false, 0);
}

module.exports = { redact, SECRET_TAGS };
