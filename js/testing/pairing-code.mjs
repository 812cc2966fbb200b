// Links a device by a pairing code: the part of the phone and the part of the server.
//
// Both sides encrypt their ephemeral keys with a key derived from the code (PBKDF2, AES-CTR), because the code has few
// bits. The device then seals a bundle with both identity keys for the phone, and both derive the ADV secret, which a
// QR code would contain.

import { createCipheriv, createDecipheriv, hkdfSync, pbkdf2Sync, randomBytes } from 'node:crypto';
import { S_WHATSAPP_NET, child, result } from './nodes.mjs';

/** @import { Stanza } from './types.d.ts' */

const ITERATIONS = 131_072;
const KEY = 32;
const SALT = 32;
const CTR_IV = 16;
const GCM_IV = 12;
const GCM_TAG = 16;
const BUNDLE_INFO = 'link_code_pairing_key_bundle_encryption_key';

const STAGES = { hello: 'companion_hello', primary: 'primary_hello', finish: 'companion_finish' };

/**
 * @param {string} code
 * @param {Uint8Array} salt
 */
const keyOfCode = (code, salt) => pbkdf2Sync(code, salt, ITERATIONS, KEY, 'sha256');
/**
 * @param {Uint8Array} secret
 * @param {Uint8Array} salt
 * @param {string} info
 */
const expand = (secret, salt, info) => Buffer.from(hkdfSync('sha256', secret, salt, info, KEY));

/**
 * Decrypts a key that was wrapped with a pairing code: salt, IV, ciphertext.
 *
 * @param {string} code
 * @param {Uint8Array | undefined} wrapped
 */
function unwrap(code, wrapped) {
  if (wrapped?.length !== SALT + CTR_IV + KEY) throw new Error('the wrapped key of companion_hello has a wrong length');
  const bytes = Buffer.from(wrapped);
  const key = keyOfCode(code, bytes.subarray(0, SALT));
  return createDecipheriv('aes-256-ctr', key, bytes.subarray(SALT, SALT + CTR_IV)).update(
    bytes.subarray(SALT + CTR_IV)
  );
}

/**
 * @param {string} code
 * @param {Uint8Array} publicKey
 */
function wrap(code, publicKey) {
  const [salt, iv] = [randomBytes(SALT), randomBytes(CTR_IV)];
  return Buffer.concat([salt, iv, createCipheriv('aes-256-ctr', keyOfCode(code, salt), iv).update(publicKey)]);
}

/**
 * Opens the bundle of companion_finish: two identity keys and random bytes.
 *
 * @param {Uint8Array | undefined} bytes
 * @param {Uint8Array} shared
 */
function openBundle(bytes, shared) {
  const bundle = Buffer.from(bytes ?? []);
  if (bundle.length !== SALT + GCM_IV + 3 * KEY + GCM_TAG) throw new Error('the key bundle has a wrong length');
  const key = expand(shared, bundle.subarray(0, SALT), BUNDLE_INFO);
  const decipher = createDecipheriv('aes-256-gcm', key, bundle.subarray(SALT, SALT + GCM_IV));
  decipher.setAuthTag(bundle.subarray(-GCM_TAG));
  const plain = decipher.update(bundle.subarray(SALT + GCM_IV, -GCM_TAG));
  try {
    decipher.final();
  } catch {
    throw new Error('the pairing code is wrong: the key bundle of the device cannot be opened');
  }
  return [0, 1, 2].map(index => plain.subarray(index * KEY, (index + 1) * KEY));
}

/**
 * @param {string} stage
 * @param {string} jid
 * @param {Record<string, Uint8Array>} fields
 */
const registration = (stage, jid, fields) => ({
  tag: 'link_code_companion_reg',
  attrs: { jid, stage },
  content: Object.entries(fields).map(([tag, content]) => ({ tag, attrs: {}, content }))
});

/**
 * Handles a stanza of an unlinked client if it belongs to linking by a code.
 *
 * @param {import('./connection.mjs').Connection} connection
 * @param {Stanza} node
 * @returns {{ answer: Stanza, asked?: string } | undefined} `asked`: the phone number for which a code is requested.
 */
export function takeCodeRequest(connection, node) {
  const request = child(node, 'link_code_companion_reg');
  if (node.tag !== 'iq' || request === undefined) return undefined;
  if (request.attrs.stage !== STAGES.hello) return undefined;
  const ref = randomBytes(16);
  const { jid } = request.attrs;
  const wrapped = child(request, 'link_code_pairing_wrapped_companion_ephemeral_pub')?.content;
  connection.codeRequest = { jid, ref, wrapped };
  const content = [{ tag: 'link_code_pairing_ref', attrs: {}, content: ref }];
  const answer = result(node, [{ tag: 'link_code_companion_reg', attrs: { stage: STAGES.hello }, content }]);
  return { answer, asked: jid.split('@')[0] };
}

/**
 * Acts as the phone on which the code is typed.
 *
 * @param {{ curve: any }} baileys
 * @param {any} connection The connection that has requested a code.
 * @param {{ code: string, account: any, identityKey: Buffer, timeoutMs: number, nextStanza: (accept: (node: any) =>
 *   boolean, timeoutMs: number) => Promise<any> }} options
 * @returns {Promise<Buffer>} The secret that seals the device's identity.
 */
export async function exchangeKeys({ curve }, connection, { code, account, identityKey, timeoutMs, nextStanza }) {
  const { jid, ref, wrapped } = connection.codeRequest;
  const companionEphemeral = unwrap(code, wrapped);
  const ephemeral = curve.generateKeyPair();
  const finished = nextStanza(node => child(node, 'link_code_companion_reg')?.attrs.stage === STAGES.finish, timeoutMs);
  const hello = registration(STAGES.primary, jid, {
    link_code_pairing_ref: ref,
    link_code_pairing_wrapped_primary_ephemeral_pub: wrap(code, ephemeral.public),
    primary_identity_pub: Buffer.from(account.keyPair.public)
  });
  const attrs = { from: S_WHATSAPP_NET, type: 'link_code_companion_reg', id: connection.nextId() };
  const sent = connection.send({ tag: 'notification', attrs, content: [hello] });
  const [node] = await Promise.all([finished, sent]);
  const finish = child(node, 'link_code_companion_reg');
  /** @param {string} tag */
  const field = tag => Buffer.from(child(finish, tag)?.content ?? []);
  if (!field('link_code_pairing_ref').equals(ref)) throw new Error('companion_finish has a wrong pairing ref');
  if (!field('companion_identity_public').equals(identityKey)) {
    throw new Error('companion_finish and the payload have different identity keys');
  }
  const shared = curve.sharedKey(ephemeral.private, companionEphemeral);
  const [companion, primary, random] = openBundle(field('link_code_pairing_wrapped_key_bundle'), shared);
  if (!companion.equals(identityKey) || !primary.equals(Buffer.from(account.keyPair.public))) {
    throw new Error('the key bundle has wrong identity keys');
  }
  const identityShared = curve.sharedKey(account.keyPair.private, identityKey);
  const secret = Buffer.concat([shared, identityShared, random].map(part => Buffer.from(part)));
  await connection.send(result(node));
  return expand(secret, Buffer.alloc(0), 'adv_secret');
}
