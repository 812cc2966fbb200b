// Measures one codec. The parent says what is measured next, so that it can measure several codecs in turn. The process
// first compares the codec with Baileys' own, and warms up with all stanzas.

import { openChannel } from '../../scripts/shared/channel.mjs';
import { EFFORT, timePrepared, timeRepeated } from '../lib/timing.mjs';
import { Peer, openCodec } from '../lib/backends.mjs';
import { checkCodec } from '../lib/codec-check.mjs';
import { makeStanza } from '../lib/corpus.mjs';

/** The most bytes of stanzas that are created before a batch. */
const PREPARED_BYTES = 8 * 1024 * 1024;

const { backend, operations, entries, level } = JSON.parse(process.argv[2]);
const effort = EFFORT[level];
const codec = await openCodec(backend);
const compared = await checkCodec(codec, entries);
const reference = await openCodec('js');
const payloads = Object.fromEntries(entries.map(name => [name, reference.encode(makeStanza(name))]));

let seed = 1000;
/** New stanzas with strings that were never used. */
const freshStanzas = name => count => Array.from({ length: count }, () => makeStanza(name, seed++));

/** The number of stanzas that are created before a batch. */
const maxPrepared = name => Math.max(4, Math.floor(PREPARED_BYTES / payloads[name].length / 8));

/** The last result. It is stored so that V8 does not remove the call. */
export let last;
const keep = node => {
  last = node;
};

const session = await codec.openSession();
const peer = new Peer();
session.encodeFrame(makeStanza('ack')); // the preamble, once

const OPERATIONS = {
  decode: (name, how) => timeRepeated(() => codec.decode(payloads[name]), how),

  encode: (name, how) =>
    timePrepared(
      freshStanzas(name),
      nodes => {
        for (let index = 0; index < nodes.length; index++) last = codec.encode(nodes[index]);
      },
      how,
      maxPrepared(name)
    ),

  seal: (name, how) =>
    timePrepared(
      freshStanzas(name),
      nodes => {
        for (let index = 0; index < nodes.length; index++) last = session.encodeFrame(nodes[index]);
      },
      how,
      maxPrepared(name)
    ),

  open: (name, how) =>
    timePrepared(
      count => Array.from({ length: count }, () => peer.frame(payloads[name])),
      async frames => {
        for (let index = 0; index < frames.length; index++) {
          const pending = session.decodeFrame(frames[index], keep);
          if (pending) await pending;
        }
      },
      how,
      maxPrepared(name)
    )
};

for (const operation of operations) {
  for (const name of entries) await OPERATIONS[operation](name, effort);
}

/** @type {() => Promise<number>} */
let measure;

process.on('disconnect', () => process.exit(1)); // the parent has ended
openChannel(process, {
  /** What the codec was compared for, and the sizes of the stanzas. */
  describe: () => ({
    compared,
    sizes: Object.fromEntries(entries.map(name => [name, payloads[name].length]))
  }),
  /** Warms up an operation with a stanza. */
  select: async ({ operation, name }) => {
    measure = await OPERATIONS[operation](name, effort);
    globalThis.gc?.();
  },
  /** Nanoseconds for one call of the selected operation. */
  measure: () => measure()
});
