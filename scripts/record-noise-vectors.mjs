#!/usr/bin/env node
/**
 * Records the results of Baileys' Noise handler, certificate check, signatures and protobuf encoder for fixed inputs in
 * `__test__/vectors/noise-*.json`. With `--check` it compares instead, and fails if a file differs.
 *
 * The server's side is `noise-vectors/responder.mjs`, by `node:crypto`. This script does not use the addon.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chains, keys } from './noise-vectors/certificates.mjs';
import { recordMessages, recordPayloads } from './noise-vectors/payloads.mjs';
import { Responder } from './noise-vectors/responder.mjs';
import { sha256 } from './shared/noise-crypto.mjs';
import { importFiles, PACKAGES, rootOf } from './shared/baileys.mjs';

const require = createRequire(import.meta.url);
const libsignal = require('libsignal/src/curve.js');

/** @import { BaileysExports } from './noise-vectors/responder.mjs' */
const root = new URL('../', import.meta.url);
/** @param {Uint8Array} bytes */
const hex = bytes => Buffer.from(bytes).toString('hex');
const logger = { level: 'silent', child: () => logger, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
const routingInfo = Buffer.from('080208050807', 'hex');

/**
 * Loads the parts of an installed Baileys that are recorded.
 *
 * @param {string} name
 */
const load = async name => {
  const { version } = JSON.parse(await readFile(join(rootOf(name), 'package.json'), 'utf8'));
  const parts = await importFiles(name, [
    'noiseHandler',
    'crypto',
    'validateConnection',
    'defaults',
    'binary',
    'proto'
  ]);
  const baileys = Object.assign({ version }, ...parts);
  // The handler of version 7 reads the trusted root here, at the time of the handshake.
  baileys.WA_CERT_DETAILS.PUBLIC_KEY?.set(keys.root.public);
  return baileys;
};

/** @param {BaileysExports} baileys */
const makeHandler = (baileys, options = {}) =>
  baileys.makeNoiseHandler({
    keyPair: keys.clientEphemeral,
    NOISE_HEADER: baileys.NOISE_WA_HEADER,
    logger,
    ...options
  });

/** @param {BaileysExports} baileys */
const makeResponder = baileys =>
  new Responder({
    header: baileys.NOISE_WA_HEADER,
    ephemeral: keys.serverEphemeral,
    staticKey: keys.serverStatic
  });

/**
 * @param {BaileysExports} baileys
 * @param {object} fields
 */
const encodeMessage = ({ proto }, fields) => Buffer.from(proto.HandshakeMessage.encode(fields).finish());

/**
 * Records a handshake and the first frames in both directions.
 *
 * @param {BaileysExports} baileys
 * @param {any} options
 */
const recordHandshake = async (baileys, options) => {
  const noise = makeHandler(baileys, options);
  const responder = makeResponder(baileys);
  const chain = chains(baileys).good;
  const payload = Buffer.from('a client payload, opaque to the handshake');

  const clientHello = encodeMessage(baileys, { clientHello: { ephemeral: keys.clientEphemeral.public } });
  const clientHelloFrame = noise.encodeFrame(clientHello);
  const serverHello = encodeMessage(baileys, {
    serverHello: responder.serverHello(keys.clientEphemeral.public, chain)
  });
  const sealedStatic = await noise.processHandshake(
    baileys.proto.HandshakeMessage.decode(serverHello),
    keys.clientStatic
  );
  const finish = { static: sealedStatic, payload: noise.encrypt(payload) };
  const clientFinish = encodeMessage(baileys, { clientFinish: finish });
  const clientFinishFrame = noise.encodeFrame(clientFinish);
  const accepted = responder.clientFinish(finish);
  if (!accepted.payload.equals(payload) || !accepted.clientStatic.equals(keys.clientStatic.public)) {
    throw new Error('the responder does not agree with Baileys');
  }
  await noise.finishInit();

  const transport = [];
  for (const length of [0, 1, 15, 16, 17, 300]) {
    const plaintext = Buffer.alloc(length, length);
    const frame = noise.encodeFrame(plaintext);
    if (!responder.open(frame.subarray(3)).equals(plaintext)) {
      throw new Error('the responder cannot open what Baileys seals');
    }
    const sealed = responder.seal(plaintext);
    const opened = noise.decrypt(sealed);
    transport.push({ plaintext: hex(plaintext), frame: hex(frame), sealed: hex(sealed), opened: hex(opened) });
  }
  return {
    baileys: baileys.version,
    header: hex(baileys.NOISE_WA_HEADER),
    routingInfo: options.routingInfo ? hex(options.routingInfo) : null,
    keys: Object.fromEntries(
      Object.entries(keys).map(([name, pair]) => [name, { private: hex(pair.private), public: hex(pair.public) }])
    ),
    certificateChain: hex(chain),
    payload: hex(payload),
    clientHello: hex(clientHello),
    clientHelloFrame: hex(clientHelloFrame),
    serverHello: hex(serverHello),
    clientFinish: hex(clientFinish),
    clientFinishFrame: hex(clientFinishFrame),
    transport
  };
};

/**
 * The result of libsignal. Its `verifySignature` throws for malformed keys and signatures, and returns a boolean for
 * others. Baileys' `Curve.verify` (7.0.0-rc14 with libsignal 6.0.0) ignores that boolean: it accepts every well-formed
 * signature.
 *
 * @param {Uint8Array} publicKey
 * @param {Uint8Array} message
 * @param {Uint8Array} signature
 */
const isSignature = (publicKey, message, signature) => {
  try {
    const prefixed = publicKey.length === 33 ? publicKey : Buffer.concat([Buffer.from([5]), publicKey]);
    return libsignal.verifySignature(prefixed, message, signature);
  } catch {
    return false;
  }
};

/**
 * Whether the signatures of a chain are valid; `undefined` if it has none.
 *
 * @param {BaileysExports} baileys
 * @param {Uint8Array} chain
 */
const signaturesOf = ({ proto }, chain) => {
  try {
    const { leaf, intermediate } = proto.CertChain.decode(chain);
    const { key } = proto.CertChain.NoiseCertificate.Details.decode(intermediate.details);
    return {
      leaf: isSignature(key, leaf.details, leaf.signature),
      intermediate: isSignature(keys.root.public, intermediate.details, intermediate.signature)
    };
  } catch {
    return undefined;
  }
};

/**
 * Records the result of `processHandshake` for each chain, and the next sealed frame of the handler.
 *
 * @param {BaileysExports} baileys
 */
const recordCertificates = baileys =>
  Object.entries(chains(baileys)).map(([name, chain]) => {
    const noise = makeHandler(baileys);
    const hello = makeResponder(baileys).serverHello(keys.clientEphemeral.public, chain);
    const outcome = attempt(() => noise.processHandshake({ serverHello: hello }, keys.clientStatic));
    return {
      name,
      chain: hex(chain),
      serverHello: hex(encodeMessage(baileys, { serverHello: hello })),
      ...outcome,
      signatures: signaturesOf(baileys, chain),
      sealedAfterwards: hex(noise.encrypt(Buffer.from('afterwards')))
    };
  });

/**
 * Calls a function and returns `{ result }` or `{ error, statusCode }`.
 *
 * @param {() => any} call
 */
const attempt = call => {
  try {
    const result = call();
    return { result: result && hex(result) };
  } catch (error) {
    return { error: error.message, statusCode: error.output?.statusCode };
  }
};

/**
 * Records the methods of the handler in unusual orders.
 *
 * @param {BaileysExports} baileys
 */
const recordOperations = async baileys => {
  /**
   * @param {number} length
   * @param {number} [value]
   */
  const bytes = (length, value) => Buffer.alloc(length, value);
  /** @type {Record<string, any[][]>} */
  const scripts = {
    'sealing before any key': [
      ['encrypt', bytes(5, 1)],
      ['encrypt', bytes(0)],
      ['authenticate', bytes(3, 2)],
      ['encrypt', bytes(5, 1)]
    ],
    'one counter in the handshake': [
      ['mixIntoKey', bytes(32, 3)],
      ['encrypt', bytes(5, 1)],
      ['encrypt', bytes(6, 1)],
      ['mixIntoKey', bytes(0)],
      ['encrypt', bytes(7, 1)]
    ],
    'a failure consumes a counter value and mixes no hash': [
      ['mixIntoKey', bytes(32, 3)],
      ['decrypt', bytes(40, 9)],
      ['encrypt', bytes(5, 1)],
      ['decrypt', bytes(3, 9)],
      ['encrypt', bytes(5, 1)]
    ],
    'transport hashes nothing': [
      ['mixIntoKey', bytes(32, 3)],
      ['finishInit'],
      ['authenticate', bytes(3, 2)],
      ['encrypt', bytes(5, 1)],
      ['decrypt', bytes(40, 9)],
      ['encrypt', bytes(5, 1)]
    ],
    'mixing into the key shows at the next finishInit': [
      ['mixIntoKey', bytes(32, 3)],
      ['finishInit'],
      ['encrypt', bytes(5, 1)],
      ['mixIntoKey', bytes(33, 4)],
      ['encrypt', bytes(5, 1)],
      ['finishInit'],
      ['encrypt', bytes(5, 1)],
      ['finishInit'],
      ['encrypt', bytes(5, 1)]
    ],
    'finishInit at once': [['finishInit'], ['encrypt', bytes(70, 1)]]
  };
  const recorded = [];
  for (const [name, steps] of Object.entries(scripts)) {
    /** @type {any} */
    const noise = makeHandler(baileys);
    const outcomes = [];
    for (const [method, data] of steps) {
      const { result, error } = attempt(() => {
        const value = noise[method](data);
        return value instanceof Uint8Array ? value : undefined;
      });
      outcomes.push({ method, data: data && hex(data), result, failed: error !== undefined });
      await null;
    }
    recorded.push({ name, steps: outcomes });
  }
  return { ephemeralPublic: hex(keys.clientEphemeral.public), header: hex(baileys.NOISE_WA_HEADER), scripts: recorded };
};

/**
 * Adds the group order to the second half of a signature: another encoding of the same number.
 *
 * @param {Uint8Array} signature
 */
const unreduced = signature => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const sign = signature[63] & 0x80;
  const response = Buffer.from(signature.subarray(32));
  response[31] &= 0x7f;
  const value = BigInt(`0x${hex(response.reverse())}`) + order;
  const bytes = Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
  bytes[31] |= sign;
  return Buffer.concat([signature.subarray(0, 32), bytes]);
};

/**
 * Records signatures, and the results of libsignal for valid and invalid ones.
 *
 * @param {BaileysExports} baileys
 */
const recordSignatures = ({ Curve }) => {
  const curve = require('curve25519-js');
  const recorded = [];
  for (let i = 0; i < 12; i++) {
    const { private: privateKey } = { private: sha256(`signer ${i}`) };
    const publicKey = Buffer.from(curve.generateKeyPair(new Uint8Array(privateKey)).public);
    const message = Buffer.alloc(i * 13, i);
    const random = Buffer.concat([sha256(`random ${i}`), sha256(`more random ${i}`)]);
    const signature = Buffer.from(
      curve.sign(new Uint8Array(privateKey), new Uint8Array(message), new Uint8Array(random))
    );
    /**
     * @param {number} at
     * @param {number} mask
     */
    const change = (at, mask) => {
      const copy = Buffer.from(signature);
      copy[at] ^= mask;
      return copy;
    };
    const cases = {
      'deterministic, as Baileys signs': [Curve.sign(privateKey, message), message, publicKey],
      'with random bytes': [signature, message, publicKey],
      'response not reduced': [unreduced(signature), message, publicKey],
      'prefixed key': [signature, message, Buffer.concat([Buffer.from([5]), publicKey])],
      'key with its unused bit set': [
        signature,
        message,
        Buffer.from(publicKey.map((b, at) => (at === 31 ? b | 0x80 : b)))
      ],
      'other message': [signature, Buffer.concat([message, Buffer.from([0])]), publicKey],
      'commitment changed': [change(i, 4), message, publicKey],
      'response changed': [change(32 + i, 4), message, publicKey],
      'sign changed': [change(63, 0x80), message, publicKey],
      'other key': [signature, message, keys.unrelated.public],
      'zero key': [signature, message, Buffer.alloc(32)],
      'short signature': [signature.subarray(0, 63), message, publicKey],
      'no signature': [Buffer.alloc(0), message, publicKey]
    };
    recorded.push({
      private: hex(privateKey),
      public: hex(publicKey),
      message: hex(message),
      random: hex(random),
      signature: hex(signature),
      cases: Object.entries(cases).map(([name, [sig, msg, key]]) => ({
        name,
        signature: hex(sig),
        message: hex(msg),
        public: hex(key),
        valid: isSignature(key, msg, sig)
      }))
    });
  }
  return recorded;
};

const main = async () => {
  // libsignal prints warnings about the keys of some cases.
  console.error = () => {};
  // One after the other: all versions share one protobufjs root, and the schema that is loaded last replaces the
  // others.
  const seven = await load(PACKAGES[7]);
  /** @type {Record<string, any>} */
  const files = {
    'noise-handshake-7': [await recordHandshake(seven, {}), await recordHandshake(seven, { routingInfo })],
    'noise-certificates': recordCertificates(seven),
    'noise-operations': await recordOperations(seven),
    'noise-signatures': recordSignatures(seven),
    'noise-payloads': recordPayloads(seven),
    'noise-messages': recordMessages(seven)
  };
  const six = await load(PACKAGES['6.7']);
  files['noise-handshake-6.7.24'] = [await recordHandshake(six, {}), await recordHandshake(six, { routingInfo })];
  const check = process.argv.includes('--check');
  for (const [name, content] of Object.entries(files)) {
    const file = new URL(`__test__/vectors/${name}.json`, root);
    const text = `${JSON.stringify(content, null, 2)}\n`;
    if (!check) {
      await writeFile(file, text);
    } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
      console.log(`${name}.json differs from what Baileys gives: run scripts/record-noise-vectors.mjs`);
      process.exitCode = 1;
    }
  }
};

await main();
