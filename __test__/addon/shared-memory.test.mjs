// Bytes in shared memory that another thread changes while the addon reads them.

import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { test } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { decodeBinaryNode, decodeDecompressedBinaryNode, makeNoiseHandler } from '../../js/index.mjs';
import { silentLogger } from '../support/baileys-client.mjs';
import { createSession, iq, linkedCredentials, startServer } from '../support/native-session.mjs';
import { framed, keyPairOf, NoisePeer } from '../support/noise-peer.mjs';

const CHARACTERS = 100_000;
const ROUNDS = 50;
/** The two values of the last byte: a complete character, or the first byte of a character with four bytes. */
const [WHOLE, BROKEN] = [0x78, 0xf0];

/** A stanza in shared memory, followed by other bytes. It has one attribute with many characters that are not ASCII. */
function sharedStanza() {
  const text = Buffer.from('é'.repeat(CHARACTERS) + 'x');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  const payload = Buffer.concat([Buffer.from([0, 248, 3, 25, 4, 254]), length, text]);
  const memory = new SharedArrayBuffer(payload.length + 3);
  const bytes = Buffer.from(memory);
  bytes.fill(0x82);
  payload.copy(bytes);
  return { memory, payload: Buffer.from(memory, 0, payload.length) };
}

if (!isMainThread) {
  const { memory, at } = workerData;
  const bytes = new Uint8Array(memory);
  parentPort.postMessage('ready');
  // Runs until the thread is terminated.
  for (let round = 0; ; round++) Atomics.store(bytes, at, round & 1 ? WHOLE : BROKEN);
} else {
  test('a stanza that another thread changes is decoded from one copy', async t => {
    const { memory, payload } = sharedStanza();
    const worker = new Worker(new URL(import.meta.url), { workerData: { memory, at: payload.length - 1 } });
    t.after(() => worker.terminate());
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    const seen = new Set();
    for (let round = 0; round < ROUNDS; round++) {
      const decode =
        round & 1 ? decodeBinaryNode(payload) : decodeDecompressedBinaryNode(payload.subarray(1), undefined);
      const { attrs } = await decode;
      const [text] = Object.values(attrs);
      seen.add(`${text.length - CHARACTERS}:${text.slice(CHARACTERS)}`);
    }
    for (const end of seen) assert.ok(['1:x', '1:\ufffd'].includes(end), `the text ends with ${JSON.stringify(end)}`);
  });

  const shared = bytes => {
    const copy = Buffer.from(new SharedArrayBuffer(bytes.length));
    Buffer.from(bytes).copy(copy);
    return copy;
  };

  test('a session copies the options that lie in shared memory', { timeout: 60_000 }, async t => {
    const server = await startServer(t, { acceptUnknown: true, tls: true });
    const views = [];
    /** The same value with all its bytes in shared memory. */
    const inShared = value => {
      if (value instanceof Uint8Array) {
        views.push(shared(value));
        return views.at(-1);
      }
      if (value === null || typeof value !== 'object') return value;
      if (Array.isArray(value)) return value.map(inShared);
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inShared(each)]));
    };
    const session = createSession(t, server, {
      agent: new Agent({ ca: shared(Buffer.from(server.ca)) }),
      trustedRoot: inShared(server.rootKey),
      creds: inShared(linkedCredentials())
    });
    assert.ok(views.length > 8);
    for (const view of views) view.fill(0);
    await session.connect();
    assert.equal((await session.query(iq())).attrs.type, 'result');
  });

  test('every method of a noise handler takes shared memory as its bytes', async () => {
    const header = Buffer.from([87, 65, 6, 3]);
    const keyPair = keyPairOf(Buffer.alloc(32, 7));
    const options = { keyPair, NOISE_HEADER: header, logger: silentLogger() };
    const run = async of => {
      const handler = makeNoiseHandler({ ...options, routingInfo: of(Buffer.from([8, 2])) });
      const peer = new NoisePeer({ header, publicKey: keyPair.public });
      const outputs = [];
      handler.authenticate(of(Buffer.from('data')));
      peer.authenticate(Buffer.from('data'));
      await handler.mixIntoKey(of(Buffer.from('key')));
      peer.mixIntoKey(Buffer.from('key'));
      outputs.push(handler.encrypt(of(Buffer.from('plain'))));
      peer.open(outputs[0]);
      outputs.push(handler.decrypt(of(peer.seal(Buffer.from('sealed')))));
      await handler.finishInit();
      peer.finishInit();
      outputs.push(handler.encodeFrame(of(Buffer.from([0, 248, 1, 25]))));
      await handler.decodeFrame(of(framed(peer.seal(Buffer.from([0, 248, 1, 25])))), frame => outputs.push(frame));
      return outputs;
    };
    assert.deepEqual(await run(shared), await run(bytes => bytes));
  });
}
