// The properties in which our noise handler must agree with Baileys' handler.

import { deflateSync } from 'node:zlib';
import { createRequire } from 'node:module';

import fc from 'fast-check';

import { CHUNKS, split } from './arbitraries.mjs';
import { silentLogger } from './baileys-client.mjs';
import { agree, framed, keyPairOf, NoisePeer } from './noise-peer.mjs';
import { outcomeOf } from './values.mjs';

const { addTrustedRoot } = createRequire(import.meta.url)('../../js/connect/trust.cjs');

const KEY = fc.uint8Array({ minLength: 32, maxLength: 32 });
const BYTES = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(255, 256, 4096, 9000, 70_000), fc.nat(255))
      .map(([n, byte]) => new Uint8Array(n).fill(byte))
  }
);
const ROUTING = fc.oneof(
  fc.constant(undefined),
  fc.constant(null),
  fc.uint8Array({ maxLength: 12 }),
  fc.constant(new Uint8Array(300))
);

const buffer = bytes => (bytes ? Buffer.from(bytes) : bytes);

function handlerOf(make, { header, pair, routingInfo }) {
  return make({ keyPair: pair, NOISE_HEADER: header, logger: silentLogger(), routingInfo: buffer(routingInfo) });
}

/** Runs `drive` with Baileys' handler and with ours. */
const both = async (line, drive) => ({
  theirs: await drive(line.theirs.makeNoiseHandler),
  ours: await drive(line.ours.makeNoiseHandler)
});

/* -------------------------------------------------------------------------------------------------- Steps ---- */

const step = (op, bytes) => bytes.map(bytes => ({ op, bytes }));

const STEP = fc.oneof(
  { weight: 4, arbitrary: step('encrypt', BYTES) },
  { weight: 4, arbitrary: step('decrypt', BYTES) },
  { weight: 1, arbitrary: step('decrypt-damaged', BYTES) },
  { weight: 1, arbitrary: step('decrypt-short', fc.uint8Array({ maxLength: 15 })) },
  { weight: 2, arbitrary: step('authenticate', BYTES) },
  { weight: 2, arbitrary: step('mix', BYTES) },
  { weight: 3, arbitrary: step('frame', BYTES) },
  { weight: 2, arbitrary: fc.constant({ op: 'finish', bytes: new Uint8Array() }) }
);

/** Calls the methods with the same arguments, one after another. Returns all results and errors. */
export async function driveSteps(make, { key, header, routingInfo, steps }) {
  const pair = keyPairOf(key);
  const handler = handlerOf(make, { header: Buffer.from(header), pair, routingInfo });
  const peer = new NoisePeer({ header, publicKey: pair.public });
  let hasSentFrame = false;
  const log = [];
  const apply = {
    encrypt(bytes) {
      const sealed = handler.encrypt(bytes);
      peer.open(sealed);
      return sealed;
    },
    decrypt: bytes => handler.decrypt(peer.seal(bytes)),
    'decrypt-damaged'(bytes) {
      const sealed = peer.sealLost(bytes);
      sealed[0] ^= 1;
      return handler.decrypt(sealed);
    },
    'decrypt-short'(bytes) {
      peer.sealLost(bytes);
      return handler.decrypt(bytes);
    },
    authenticate(bytes) {
      peer.authenticate(bytes);
      return handler.authenticate(bytes);
    },
    mix(bytes) {
      peer.mixIntoKey(bytes);
      return handler.mixIntoKey(bytes);
    },
    frame(bytes) {
      const frame = handler.encodeFrame(bytes);
      const preamble = hasSentFrame ? 0 : header.length + (routingInfo ? 7 + routingInfo.length : 0);
      hasSentFrame = true;
      if (peer.finished) peer.open(frame.subarray(preamble + 3));
      return frame;
    },
    finish() {
      peer.finishInit();
      peer.finished = true;
      return handler.finishInit();
    }
  };
  for (const { op, bytes } of steps) log.push({ op, ...(await outcomeOf(() => apply[op](Buffer.from(bytes)))) });
  return log;
}

const STEPS = {
  name: 'noise-steps',
  title: 'noise handler: random interleavings of every method',
  runs: 400,
  inputs: () =>
    fc.record({
      key: KEY,
      header: fc.oneof(fc.constant(Uint8Array.of(87, 65, 6, 3)), fc.uint8Array({ maxLength: 6 })),
      routingInfo: ROUTING,
      steps: fc.array(STEP, { minLength: 1, maxLength: 14 })
    }),
  run: (line, input) => both(line, make => driveSteps(make, input)),
  drive: (line, input) => driveSteps(line.theirs.makeNoiseHandler, input)
};

/* ------------------------------------------------------------------------------------------------ Streams ---- */

const FRAME = fc.record({
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('stanza', 'compressed') },
    { weight: 2, arbitrary: fc.constantFrom('damaged', 'invalid', 'empty-payload') },
    { weight: 1, arbitrary: fc.constantFrom('zero', 'short', 'spurious') }
  ),
  bytes: BYTES
});

/** A stanza without tokens, so that its encoding is the same on all release lines. */
const stanza = (line, number, bytes) =>
  line.theirs.encodeBinaryNode({
    tag: `stanza#${number}`,
    attrs: { 'a key of none': `käse#${number}`, 'another one': '\u{1d11e}' },
    content: Buffer.from(bytes)
  });

const FRAMES = {
  stanza: (line, peer, number, bytes) => peer.seal(stanza(line, number, bytes)),
  compressed: (line, peer, number, bytes) =>
    peer.seal(Buffer.concat([Buffer.from([2]), deflateSync(stanza(line, number, bytes).subarray(1))])),
  damaged(line, peer, number, bytes) {
    const sealed = peer.sealLost(stanza(line, number, bytes));
    sealed[sealed.length - 1] ^= 128;
    return sealed;
  },
  invalid: (line, peer, number, bytes) => peer.seal(Buffer.from([0, 7, ...bytes.subarray(0, 20)])),
  'empty-payload': (line, peer) => peer.seal(Buffer.alloc(0)),
  zero(line, peer) {
    peer.sealLost(Buffer.alloc(0));
    return Buffer.alloc(0);
  },
  short(line, peer, number, bytes) {
    peer.sealLost(Buffer.alloc(0));
    return Buffer.from(bytes.subarray(0, 15));
  },
  spurious: (line, peer, number, bytes) => Buffer.concat([Buffer.from(bytes), Buffer.alloc(16)])
};

/** A stream and its peer: first handshake frames, then sealed frames. */
function streamOf(line, { key, raw, frames }) {
  const pair = keyPairOf(key);
  const peer = new NoisePeer({ header: line.header, publicKey: pair.public });
  peer.finishInit();
  const handshake = Buffer.concat(raw.map(bytes => framed(Buffer.from(bytes))));
  const sealed = Buffer.concat(frames.map(({ kind, bytes }, i) => framed(FRAMES[kind](line, peer, i, bytes))));
  return { pair, handshake, sealed };
}

/** Decodes the stream in chunks and awaits each. Returns the results in order. */
export async function driveStream(make, line, input) {
  const { raw, frames, sizes, finishes, throws } = input;
  const { pair, handshake, sealed } = streamOf(line, input);
  const handler = handlerOf(make, { header: line.header, pair });
  const log = [];
  let count = 0;
  const onFrame = frame => {
    log.push(frame);
    count++;
    if (finishes === 'within' && count === raw.length) void handler.finishInit();
    if (throws.includes(count)) throw new Error(`thrown by frame ${count}`);
  };
  const feed = async chunks => {
    for (const chunk of chunks) log.push(await outcomeOf(() => handler.decodeFrame(chunk, onFrame)));
  };
  if (finishes === 'within' && raw.length > 0) {
    await feed(split(Buffer.concat([handshake, sealed]), sizes));
  } else {
    await feed(split(handshake, sizes));
    await feed(raw.map(() => Buffer.alloc(0)));
    log.push(await outcomeOf(() => handler.finishInit()));
    await feed(split(sealed, sizes));
  }
  // Delivers the frames after a frame that failed.
  await feed([...raw, ...frames].map(() => Buffer.alloc(0)));
  return log;
}

const STREAM = {
  name: 'noise-stream',
  title: 'noise handler: streams of frames, damaged and cut at random',
  runs: 400,
  inputs: () =>
    fc.record({
      key: KEY,
      raw: fc.array(BYTES, { maxLength: 3 }),
      frames: fc.array(FRAME, { maxLength: 8 }),
      sizes: CHUNKS,
      finishes: fc.constantFrom('between', 'within'),
      throws: fc.oneof(
        { weight: 4, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 2 }) }
      )
    }),
  run: (line, input) => both(line, make => driveStream(make, line, input)),
  drive: driveStream
};

/** Decodes all chunks without awaiting, like a socket. */
async function driveConcurrently(make, line, { key, frames, sizes }) {
  const { pair, sealed } = streamOf(line, { key, raw: [], frames });
  const handler = handlerOf(make, { header: line.header, pair });
  await handler.finishInit();
  const log = [];
  await Promise.all(split(sealed, sizes).map(chunk => handler.decodeFrame(chunk, frame => log.push(frame))));
  return log;
}

const CONCURRENT = {
  name: 'noise-concurrent',
  title: 'noise handler: chunks that are not awaited',
  runs: 200,
  inputs: () =>
    fc.record({
      key: KEY,
      frames: fc.array(fc.record({ kind: fc.constantFrom('stanza', 'stanza', 'compressed'), bytes: BYTES }), {
        maxLength: 8
      }),
      sizes: CHUNKS
    }),
  run: (line, input) => both(line, make => driveConcurrently(make, line, input)),
  drive: (make, line, input) => driveStream(make, line, { ...input, raw: [], finishes: 'between', throws: [] })
};

/* ---------------------------------------------------------------------------------------------- Handshake ---- */

/** The possible faults of ServerHello. */
export const FAULTS = [
  'wrong-root',
  'wrong-issuer',
  'no-issuer',
  'tampered-leaf',
  'tampered-intermediate',
  'no-leaf',
  'no-leaf-details',
  'no-leaf-signature',
  'no-intermediate',
  'no-intermediate-details',
  'no-intermediate-signature',
  'no-intermediate-key',
  'short-signature',
  'wrong-leaf-key',
  'wrong-leaf-issuer',
  'empty-chain',
  'garbage-chain',
  'damaged-static',
  'damaged-payload',
  'short-static',
  'short-ephemeral',
  'weak-ephemeral',
  'no-ephemeral',
  'no-static',
  'no-payload'
];

const flipped = (bytes, at = bytes.length - 1) => {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
};

function certificate(line, issuer, details) {
  const { Details } = line.proto.CertChain.NoiseCertificate;
  const encoded = Buffer.from(Details.encode(Details.fromObject(details)).finish());
  return { details: encoded, signature: Buffer.from(line.curve.sign(issuer.private, encoded)) };
}

function chainOf(line, { root, intermediate, server, other, fault }) {
  if (fault === 'empty-chain') return Buffer.alloc(0);
  if (fault === 'garbage-chain') return Buffer.from('0aff', 'hex');
  const upper = certificate(line, fault === 'wrong-root' ? other : root, {
    serial: 1,
    ...(fault !== 'no-issuer' && { issuerSerial: fault === 'wrong-issuer' ? 7 : 0 }),
    ...(fault !== 'no-intermediate-key' && { key: intermediate.public })
  });
  const leaf = certificate(line, intermediate, {
    serial: 2,
    issuerSerial: fault === 'wrong-leaf-issuer' ? 9 : 1,
    key: fault === 'wrong-leaf-key' ? other.public : server.public
  });
  if (fault === 'tampered-leaf') leaf.details = flipped(leaf.details);
  if (fault === 'tampered-intermediate') upper.details = flipped(upper.details);
  if (fault === 'short-signature') leaf.signature = leaf.signature.subarray(1);
  if (fault === 'no-leaf-details') delete leaf.details;
  if (fault === 'no-leaf-signature') delete leaf.signature;
  if (fault === 'no-intermediate-details') delete upper.details;
  if (fault === 'no-intermediate-signature') delete upper.signature;
  const chain = {
    ...(fault !== 'no-leaf' && { leaf }),
    ...(fault !== 'no-intermediate' && { intermediate: upper })
  };
  return Buffer.from(line.proto.CertChain.encode(chain).finish());
}

/** Makes both handlers trust a root key. The result undoes it. */
function trust(line, root) {
  const key = line.certDetails().PUBLIC_KEY;
  if (!key) return addTrustedRoot(root);
  const former = Buffer.from(key);
  key.set(root);
  return () => key.set(former);
}

/** Runs a handshake and sends a stanza in each direction. Returns the results or the error. */
export async function driveHandshake(make, line, { keys, fault, payload, routingInfo }) {
  const [pair, noiseKey, ephemeral, server, root, intermediate, other] = keys.map(keyPairOf);
  const handler = handlerOf(make, { header: line.header, pair, routingInfo });
  const peer = new NoisePeer({ header: line.header, publicKey: pair.public });
  peer.authenticate(ephemeral.public);
  peer.mixIntoKey(agree(ephemeral, pair.public));
  const serverHello = { ephemeral: ephemeral.public, static: peer.seal(server.public) };
  if (fault === 'short-static') {
    serverHello.static = peer.seal(server.public.subarray(1));
  }
  peer.mixIntoKey(agree(server, pair.public));
  serverHello.payload = peer.seal(chainOf(line, { root, intermediate, server, other, fault }));
  if (fault === 'damaged-static') serverHello.static = flipped(serverHello.static);
  if (fault === 'damaged-payload') serverHello.payload = flipped(serverHello.payload, 0);
  if (fault === 'short-ephemeral') serverHello.ephemeral = serverHello.ephemeral.subarray(1);
  if (fault === 'weak-ephemeral') serverHello.ephemeral = Buffer.alloc(32);
  if (fault?.startsWith('no-')) {
    const field = fault.slice(3);
    if (field in serverHello) serverHello[field] = null;
  }

  const log = [await outcomeOf(() => handler.encodeFrame(Buffer.from('client hello')))];
  const undo = trust(line, root.public);
  try {
    log.push(await outcomeOf(() => handler.processHandshake({ serverHello }, noiseKey)));
  } finally {
    undo();
  }
  if (log.at(-1).error) return log;
  const clientStatic = peer.open(log.at(-1).value);
  peer.mixIntoKey(agree(ephemeral, clientStatic));
  const sealed = handler.encrypt(Buffer.from(payload));
  log.push(sealed, peer.open(sealed), handler.encodeFrame(Buffer.from('client finish')));
  await handler.finishInit();
  peer.finishInit();
  const out = handler.encodeFrame(Buffer.from(payload));
  log.push(out, peer.open(out.subarray(3)));
  log.push(
    await outcomeOf(() => handler.decodeFrame(framed(peer.seal(stanza(line, 1, payload))), frame => log.push(frame)))
  );
  return log;
}

const HANDSHAKE = {
  name: 'noise-handshake',
  title: 'noise handler: random handshakes with faults',
  runs: 25,
  inputs: () =>
    fc.record({
      keys: fc.tuple(KEY, KEY, KEY, KEY, KEY, KEY, KEY),
      fault: fc.oneof(fc.constant(undefined), fc.constantFrom(...FAULTS)),
      payload: BYTES,
      routingInfo: ROUTING
    }),
  run: (line, input) => both(line, make => driveHandshake(make, line, input)),
  drive: driveHandshake
};

export const NOISE_PROPERTIES = [STEPS, STREAM, CONCURRENT, HANDSHAKE];
