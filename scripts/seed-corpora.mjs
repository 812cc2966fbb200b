/**
 * Writes the seeds of the fuzz corpora from recorded traffic and test vectors: `node scripts/seed-corpora.mjs`. Inputs
 * that fuzzing has added are not changed.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { KeyUsageFlags, PURPOSES, issue } from '../__test__/support/x509.mjs';
import { ROOT } from './shared/root.mjs';

const CORPORA = join(ROOT, '__test__/fuzz/corpus');

/** The largest seed in bytes: larger stanzas make the fuzzer slow. */
const MAX_SEED = 4096;

/**
 * @param {string} target
 * @param {string} name
 * @param {Buffer} bytes
 */
function seed(target, name, bytes) {
  mkdirSync(join(CORPORA, target), { recursive: true });
  writeFileSync(join(CORPORA, target, `seed-${name}`), bytes);
}

/**
 * A list of chunk lengths in the format of `arbitrary`: for each a 1 and the length, then a 0.
 *
 * @param {number[]} lengths
 */
const chunks = lengths => Buffer.from([...lengths.flatMap((/** @type {number} */ length) => [1, length]), 0]);

/**
 * A frame of one payload.
 *
 * @param {Buffer} payload
 */
const framed = payload => Buffer.concat([Buffer.from([0, payload.length >> 8, payload.length & 0xff]), payload]);

const stanzas = readdirSync(join(ROOT, 'bench/core/corpus')).map(file => ({
  name: file.replace('.bin', ''),
  bytes: readFileSync(join(ROOT, 'bench/core/corpus', file))
}));
for (const { name, bytes } of stanzas) {
  if (bytes.length <= MAX_SEED) seed('decode', name, Buffer.concat([Buffer.from([0]), bytes]));
  const packed = deflateSync(bytes);
  if (packed.length <= MAX_SEED) seed('decode', `${name}-compressed`, Buffer.concat([Buffer.from([2]), packed]));
}
const small = stanzas.filter(({ bytes }) => bytes.length < 300);
for (const { name, bytes } of small) seed('frames', name, Buffer.concat([chunks([1, 2, 40]), framed(bytes)]));
seed('frames', 'several', Buffer.concat([chunks([5, 0, 255]), ...small.map(({ bytes }) => framed(bytes))]));
seed('frames', 'empty', Buffer.concat([chunks([]), Buffer.alloc(9)]));

const vectors = JSON.parse(readFileSync(join(ROOT, '__test__/vectors/noise-certificates.json'), 'utf8'));
const chains = vectors
  .map((/** @type {any} */ vector) => vector.chain)
  .filter((/** @type {unknown} */ text) => typeof text === 'string');
chains
  .slice(0, 20)
  .forEach((/** @type {string} */ chain, /** @type {number} */ place) =>
    seed('handshake', `chain-${place}`, Buffer.from(chain, 'hex'))
  );

/** Certificates in DER, each after its length. @param {{ cert: string }[]} chain */
const certificates = chain =>
  Buffer.concat(
    chain.flatMap(({ cert }) => {
      const der = Buffer.from(cert.replace(/-----.*-----/g, ''), 'base64');
      return [Buffer.of(der.length >> 8, der.length & 0xff), der];
    })
  );

const YEARS = { to: 3650 };
const authority = issue({ ...YEARS, subject: 'Root', isAuthority: true });
const between = issue({ ...YEARS, subject: 'Between', isAuthority: true, issuer: authority, pathLength: 0 });
const rsa = issue({ ...YEARS, subject: 'RSA', isAuthority: true, keyKind: 'rsa2048' });
const named = { ...YEARS, names: ['a.test', '*.a.test', '127.0.0.1', '::1'] };
/** @type {Record<string, { cert: string }[]>} */
const chainsOfServers = {
  direct: [issue({ ...named, issuer: authority }), authority],
  between: [issue({ ...named, issuer: between }), between, authority],
  'without-root': [issue({ ...named, issuer: between }), between],
  'self-signed': [issue(named)],
  'common-name': [issue({ ...YEARS, names: [], subject: 'a.test', issuer: authority }), authority],
  purposes: [issue({ ...named, purposes: [PURPOSES.server, PURPOSES.client], issuer: authority }), authority],
  usage: [issue({ ...named, usage: KeyUsageFlags.keyAgreement, issuer: authority }), authority],
  'version-1': [issue({ ...named, version: 1, issuer: authority }), authority],
  tampered: [issue({ ...named, isTampered: true, issuer: authority }), authority],
  rsa: [issue({ ...named, keyKind: 'rsa2048', issuer: rsa }), rsa],
  pss: [issue({ ...named, isPss: true, issuer: rsa }), rsa],
  ed25519: [issue({ ...named, keyKind: 'ed25519', issuer: authority }), authority]
};
for (const [name, chain] of Object.entries(chainsOfServers)) seed('certificate', name, certificates(chain));

/**
 * Pseudo-random bytes, the same in each run (xorshift32).
 *
 * @param {number} length
 * @param {number} state
 */
function randomBytes(length, state) {
  return Buffer.from(
    Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & 0xff;
    })
  );
}
for (let i = 1; i <= 10; i++) seed('session', `steps-${i}`, randomBytes(100 * i, i));
for (let i = 1; i <= 10; i++) seed('sender', `steps-${i}`, randomBytes(40 * i, 100 + i));

// The input of the target `read_ahead`, in the format of `arbitrary`: the kind of a frame is in the high bits of four
// bytes, and the length of bytes follows them.
const payloads = small.map(({ bytes }) =>
  Buffer.concat([Buffer.alloc(4), Buffer.of(0), bytes, Buffer.of(bytes.length + 1)])
);
payloads.forEach((payload, place) => {
  // No early frame, dialect 7, no chunk lengths: everything is one message.
  seed('read_ahead', `frame-${place}`, Buffer.concat([Buffer.of(0, 0, 0), payload]));
});
for (let i = 1; i <= 10; i++) seed('read_ahead', `steps-${i}`, randomBytes(60 * i, 200 + i));

const heads = {
  upgrade:
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nrest',
  interim: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nVia: \t a  \r\n\r\n',
  refused: 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\nwhy',
  obsolete: 'HTTP/1.0 503\r\nA: b\r\n c\r\n\r\n',
  'line-feeds': 'HTTP/1.1 101 S\nUpgrade: websocket\n\n',
  other: 'SSH-2.0-OpenSSH_9.9\r\n'
};
for (const [name, head] of Object.entries(heads)) {
  seed('response', name, Buffer.from(head));
  seed('proxy', `http-${name}`, Buffer.concat([Buffer.of(28 << 2), Buffer.from(head)]));
}
const answers = {
  'socks4-granted': [1, 0, 90, 0, 0, 0, 0, 0, 0, 7, 7],
  'socks4-refused': [1, 0, 91, 0, 0, 0, 0, 0, 0],
  'socks5-address': [2, 5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 80, 7],
  'socks5-name': [2 | (1 << 2), 5, 0, 5, 0, 0, 3, 3, 97, 98, 99, 0, 80, 7],
  'socks5-refused': [2, 5, 0, 5, 2, 0, 1],
  'socks5-password': [3, 5, 2, 1, 0, 5, 0, 0, 4, ...new Array(16).fill(1), 0, 80],
  'socks5-wrong-password': [3, 5, 2, 1, 1],
  'socks5-method': [3, 5, 255]
};
for (const [name, bytes] of Object.entries(answers)) seed('proxy', name, Buffer.from(bytes));

const webSockets = {
  message: [0x82, 2, 1, 2, 0x81, 2, 0x6f, 0x6b],
  fragments: [0x01, 2, 0xf0, 0x9f, 0x89, 1, 7, 0x00, 1, 0x98, 0x80, 1, 0x80],
  long: [0x82, 126, 0, 200, ...new Array(200).fill(3)],
  close: [0x88, 5, 3, 0xe8, 98, 121, 101, 0x82, 0],
  'close-without-code': [0x8a, 1, 1, 0x88, 0],
  'bad-text': [0x81, 2, 0xc3, 0x28],
  'bad-code': [0x88, 2, 3, 0xed],
  masked: [0x82, 0x80, 0, 0, 0, 0],
  reserved: [0xc2, 0],
  'too-long': [0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]
};
for (const [name, bytes] of Object.entries(webSockets)) {
  seed('websocket', name, Buffer.concat([chunks([]), Buffer.from(bytes)]));
  seed('websocket', `${name}-cut`, Buffer.concat([chunks([1, 1, 3]), Buffer.from(bytes)]));
}
