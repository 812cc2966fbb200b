// The read-ahead: frames that the threads of the addon have decoded before JavaScript gets them.

import { measureCodecs } from '../lib/codecs.mjs';
import { ENTRIES } from '../lib/corpus.mjs';
import { alternate, runClient, startServer } from '../lib/process.mjs';
import { median } from '../lib/statistics.mjs';
import { compareCorpus } from './codec.mjs';

const LEVELS = { full: { rounds: 5, totalBytes: 8_000_000 }, quick: { rounds: 1, totalBytes: 1_000_000 } };

/** What Baileys' codec is measured for, and how many times in a round. */
const OPERATIONS = ['decode', 'open'];
const CODEC_ROUNDS = 3;

/** The median of each time over measurements of one codec. */
const medians = measured => ({
  nanoseconds: Object.fromEntries(
    OPERATIONS.map(operation => [
      operation,
      Object.fromEntries(
        ENTRIES.map(name => [name, median(measured.map(({ nanoseconds }) => nanoseconds[operation][name]))])
      )
    ])
  )
});

/** The read-ahead must decode at least this share of the messages. Otherwise the measurement is not valid. */
const MIN_SHARE = 0.9;

export default {
  name: 'read-ahead',
  title: 'frames decoded by the read-ahead',
  async run(level) {
    const { rounds, totalBytes } = LEVELS[level];
    const server = await startServer({ tls: true });
    try {
      const baileys = async () => {
        const settings = { operations: OPERATIONS, entries: ENTRIES, level, rounds: CODEC_ROUNDS };
        const measured = await measureCodecs(['js'], settings);
        return medians(measured.rounds.js);
      };
      const { js, native } = await alternate(['js', 'native'], rounds, backend =>
        backend === 'js'
          ? baileys()
          : runClient('read-ahead.mjs', { entries: ENTRIES, totalBytes }, { backend, server, register: false })
      );
      for (const { readAheadShare } of native) {
        const late = Object.entries(readAheadShare).filter(([, share]) => share < MIN_SHARE);
        if (late.length > 0) throw new Error(`not decoded by the read-ahead: ${late.map(([name]) => name).join(', ')}`);
      }
      const inAll = ({ hydrate, handOver }) =>
        Object.fromEntries(ENTRIES.map(name => [name, hydrate[name] + handOver[name]]));
      const times = native.map(round => ({ nanoseconds: { decode: round.hydrate, open: inAll(round) } }));
      const { decode, open } = compareCorpus(js, times, OPERATIONS);
      return { hydrate: decode, withHandOver: open };
    } finally {
      await server.stop();
    }
  }
};
