// Measures codecs in turn. Each has a process of its own, and they take turns of some milliseconds. A machine that is
// shared with others changes its speed from second to second; a ratio of two measurements in a row does not.

import { startChild } from '../../scripts/shared/child.mjs';
import { alternate, childPath } from './process.mjs';

/**
 * @template {'js' | 'native' | 'bridge'} Backend
 * @param {Backend[]} backends
 * @param {object} options
 * @param {string[]} options.operations Names of operations in `children/codec.mjs`.
 * @param {string[]} options.entries Names of stanzas.
 * @param {'full' | 'quick'} options.level
 * @param {number} options.rounds The number of turns, for each operation and stanza.
 * @returns {Promise<{
 *   compared: number;
 *   sizes: Record<string, number>;
 *   rounds: Record<Backend, { nanoseconds: Record<string, Record<string, number>> }[]>;
 * }>}
 */
export async function measureCodecs(backends, { operations, entries, level, rounds: count }) {
  const children = Object.fromEntries(
    backends.map(backend => {
      const settings = JSON.stringify({ backend, operations, entries, level });
      const options = { name: `codec.mjs (${backend})`, args: [settings], flags: ['--expose-gc'] };
      return [backend, startChild(childPath('codec.mjs'), { layer: 'session', ...options })];
    })
  );
  try {
    /** @type {any} */
    const rounds = Object.fromEntries(
      backends.map(backend => [
        backend,
        Array.from({ length: count }, () => ({
          nanoseconds: Object.fromEntries(operations.map(operation => [operation, {}]))
        }))
      ])
    );
    const described = [];
    for (const backend of backends) described.push(await children[backend].ask('describe'));
    for (const operation of operations) {
      for (const name of entries) {
        for (const backend of backends) await children[backend].ask('select', { operation, name });
        const times = await alternate(backends, count, backend => children[backend].ask('measure'));
        for (const backend of backends)
          for (const [round, nanoseconds] of times[backend].entries())
            rounds[backend][round].nanoseconds[operation][name] = nanoseconds;
      }
    }
    return { ...described[0], rounds };
  } finally {
    await Promise.all(Object.values(children).map(({ stop }) => stop()));
  }
}
