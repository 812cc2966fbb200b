// The time of the JavaScript thread for a frame that the read-ahead has already opened and decoded. It has two parts:
// the hand-over, in which the addon copies messages and tapes into memory of JavaScript, and `decodeFrame`, which
// builds the objects. Baileys has no read-ahead. So `decodeFrame` is compared with Baileys' synchronous decoding, and
// both parts together with its `decodeFrame`.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { performance } from 'node:perf_hooks';
import { WebSocketClient, makeNoiseHandler } from 'baileys-native';
import eventPump from '../../js/addon/event-pump.cjs';
import sharedMemory from '../../js/addon/shared-memory.cjs';
import { Peer, openCodec } from '../lib/backends.mjs';
import { askServer, runMeasurement } from '../lib/client.mjs';
import { floodList } from '../lib/flood-list.mjs';
import { performHandshake } from '../lib/session.mjs';
import { median } from '../lib/statistics.mjs';

const { core } = sharedMemory;
const { tapeCursor } = eventPump;

/** Frames are timed in groups of about this many milliseconds. */
const GROUP_MS = 2;

/** Time for the hand-over of batches, in milliseconds. */
let drainMs = 0;
const { drain } = core;
core.drain = (memory, position) => {
  const start = performance.now();
  try {
    return drain(memory, position);
  } finally {
    drainMs += performance.now() - start;
  }
};

class MeasuredReader {
  #noise;
  /** @type {(node: any) => void} */
  #onNode = () => {};
  #frames = 0;
  readAhead = 0;
  messages = 0;
  #ms = 0;
  /** For each group of frames: milliseconds for one frame in `decodeFrame`, and in the hand-over. */
  hydrating = [];
  handingOver = [];

  constructor(ws, noise) {
    this.#noise = noise;
    ws.on('message', data => this.#onMessage(data));
  }

  #onMessage(data) {
    this.messages++;
    if (tapeCursor.buffer === data && tapeCursor.frames > 0) this.readAhead++;
    const start = performance.now();
    void this.#noise.decodeFrame(data, node => {
      this.#frames++;
      this.#onNode(node);
    });
    this.#ms += performance.now() - start;
    if (this.#ms + drainMs >= GROUP_MS) this.#endGroup();
  }

  #endGroup() {
    if (this.#frames > 0) {
      this.hydrating.push(this.#ms / this.#frames);
      this.handingOver.push(drainMs / this.#frames);
    }
    this.#frames = 0;
    this.#ms = 0;
    drainMs = 0;
  }

  /**
   * Receives one flood.
   *
   * @param {any} flood
   * @param {(node: any, reject: (error: Error) => void) => void} [onNode] Called with its stanzas.
   */
  async receive(flood, onNode = () => {}) {
    await askServer('prepare', flood);
    this.#endGroup();
    this.hydrating = [];
    this.handingOver = [];
    this.readAhead = this.messages = 0;
    /** @type {Promise<void>} */
    const ended = new Promise((resolve, reject) => {
      this.#onNode = node => {
        if (node.tag === 'bench') resolve();
        else onNode(node, reject);
      };
    });
    await askServer('flood');
    await ended;
    this.#endGroup();
  }
}

/** Compares the stanzas of a flood with those that Baileys decodes from the same bytes. */
async function check(reader, flood, reference) {
  const expected = floodList(flood.stanza).map(node => reference.decode(reference.encode(node)));
  let seen = 0;
  await reader.receive(flood, (node, reject) => {
    try {
      assert.deepStrictEqual(node, expected[seen++ % expected.length]);
    } catch (error) {
      reject(error);
    }
  });
  assert.equal(seen, flood.count, 'the number of stanzas of a flood');
}

await runMeasurement(async ({ url, ca, rootKey, firstUser, entries, totalBytes }) => {
  const reference = await openCodec('js');
  const ws = new WebSocketClient(new URL(url), { agent: new Agent({ ca }), connectTimeoutMs: 20_000, options: {} });
  ws.connect();
  await once(ws, 'open');
  const trustedRoot = Buffer.from(rootKey, 'hex');
  const noise = await performHandshake({ ws, makeNoiseHandler, user: firstUser, trustedRoot });
  const reader = new MeasuredReader(ws, noise);
  await askServer('quiet');
  const hydrate = {};
  const handOver = {};
  const readAheadShare = {};
  const floods = entries.map(stanza => {
    const size = new Peer().frame(reference.encode(floodList(stanza)[0])).length;
    const count = Math.max(64, Math.min(20_000, Math.floor(totalBytes / size)));
    // The number of stanzas in a message of a busy server, up to 16 KB.
    return { stanza, count, perMessage: Math.max(1, Math.min(16, Math.floor(16_384 / size))) };
  });
  for (const flood of floods) {
    await check(reader, { ...flood, count: Math.min(flood.count, 512) }, reference);
    await reader.receive(flood);
  }
  for (const flood of floods) {
    await reader.receive(flood);
    hydrate[flood.stanza] = median(reader.hydrating) * 1e6;
    handOver[flood.stanza] = median(reader.handingOver) * 1e6;
    readAheadShare[flood.stanza] = reader.readAhead / reader.messages;
  }
  return { hydrate, handOver, readAheadShare };
});
