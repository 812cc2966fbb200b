// Synchronous calls: decode, encode, encode and seal, open and decode, over the corpus; Baileys, this package and the
// WASM bridge.

import { measureCodecs } from '../lib/codecs.mjs';
import { ENTRIES } from '../lib/corpus.mjs';
import { compare, geometricMean, summarize } from '../lib/statistics.mjs';

const OPERATIONS = ['decode', 'encode', 'seal', 'open'];
const LEVELS = { full: { rounds: 15 }, quick: { rounds: 3 } };

/**
 * Compares two codecs for each operation: every entry of the corpus, the geometric mean in each round, and the worst
 * entry.
 *
 * @param {{ nanoseconds: Record<string, Record<string, number>> }[]} slower Rounds of the first codec.
 * @param {{ nanoseconds: Record<string, Record<string, number>> }[]} faster The same number of rounds of the second
 *   codec.
 */
export function compareCorpus(slower, faster, operations = OPERATIONS) {
  return Object.fromEntries(
    operations.map(operation => {
      const times = rounds => name => rounds.map(({ nanoseconds }) => nanoseconds[operation][name]);
      const entries = Object.keys(faster[0].nanoseconds[operation]).map(name => ({
        name,
        ...compare(times(slower)(name), times(faster)(name), 'less')
      }));
      const means = faster.map((round, index) =>
        geometricMean(
          entries.map(({ name }) => slower[index].nanoseconds[operation][name] / round.nanoseconds[operation][name])
        )
      );
      const worst = entries.reduce((least, entry) => (entry.ratio.median < least.ratio.median ? entry : least));
      return [operation, { entries, mean: summarize(means), worst: { name: worst.name, ratio: worst.ratio } }];
    })
  );
}

export default {
  name: 'codec',
  title: 'codec and sealing, synchronous',
  async run(level) {
    const settings = { operations: OPERATIONS, entries: ENTRIES, level, ...LEVELS[level] };
    const { compared, sizes, rounds } = await measureCodecs(['js', 'native', 'bridge'], settings);
    return {
      compared,
      sizes,
      baileys: compareCorpus(rounds.js, rounds.native),
      bridge: compareCorpus(rounds.bridge, rounds.native)
    };
  }
};
