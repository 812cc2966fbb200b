/**
 * Runs the differential tests for a longer time, and repeats inputs that have failed.
 *
 *     npm run test:differential -- [--minutes 10] [--seed N] [--property NAME] [--line 7|6.7|6.17]
 *     npm run test:differential -- --property NAME --line L --seed N --path P [--record]
 *
 * Without --minutes and --path every property runs once. --record adds the failed input to the corpus of its property.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { LINE_NAMES, loadLine } from '../__test__/support/baileys-lines.mjs';
import { CODEC_PROPERTIES } from '../__test__/support/codec-properties.mjs';
import { explore, knownDifferences, SEED } from '../__test__/support/differential.mjs';
import { NOISE_PROPERTIES } from '../__test__/support/noise-properties.mjs';

/** @import { CorpusEntry } from '../__test__/support/differential.mjs' */

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    property: { type: 'string', multiple: true },
    line: { type: 'string', multiple: true },
    record: { type: 'boolean' }
  }
});

const properties = [...CODEC_PROPERTIES, ...NOISE_PROPERTIES].filter(
  ({ name }) => options.property === undefined || options.property.includes(name)
);
const names = /** @type {Parameters<typeof loadLine>[0][]} */ (LINE_NAMES).filter(
  name => options.line === undefined || options.line.includes(name)
);
if (properties.length === 0 || names.length === 0) {
  console.error(
    'no such property or line; properties: ' + [...CODEC_PROPERTIES, ...NOISE_PROPERTIES].map(p => p.name).join(', ')
  );
  process.exit(2);
}
const lines = await Promise.all(names.map(loadLine));

/**
 * Adds a failed input to a corpus.
 *
 * @param {CorpusEntry} entry
 * @param {string} found How it was found.
 */
async function record(entry, found) {
  const kind = CODEC_PROPERTIES.some(({ name }) => name === entry.property) ? 'codec' : 'noise';
  const file = new URL(`../__test__/vectors/corpus-${kind}.json`, import.meta.url);
  const corpus = JSON.parse(await readFile(file, 'utf8'));
  corpus.push({ ...entry, found });
  await writeFile(file, JSON.stringify(corpus, undefined, 2) + '\n');
  console.log(`added to ${file.pathname}`);
}

/** The properties that have failed, with their release lines. They are not run again. */
const failed = new Set();
let inputs = 0;

/**
 * Runs every property on every release line.
 *
 * @param {number} seed
 */
async function runAll(seed) {
  for (const property of properties) {
    for (const line of lines) {
      const id = `${property.name} ${line.name}`;
      if (failed.has(id)) continue;
      const result = await explore(property, line, { seed, path: options.path });
      inputs += result.runs;
      if (result.failure === undefined) continue;
      failed.add(id);
      console.error(result.failure.report);
      if (options.record) await record(result.failure.entry, `seed ${seed}`);
    }
  }
}

const start = Date.now();
const end = start + Number(options.minutes ?? 0) * 60_000;
let seed = Number(options.seed ?? (options.minutes === undefined ? SEED : start % 2 ** 31));
do {
  await runAll(seed);
  const seconds = Math.round((Date.now() - start) / 1000);
  console.log(`${seconds} s: ${inputs} inputs up to seed ${seed}, ${failed.size} properties failed`);
  seed = (seed + 1) | 0;
} while (Date.now() < end && failed.size < properties.length * lines.length);

console.log('Known differences:');
for (const difference of knownDifferences(properties.map(({ name }) => name))) console.log(`  ${difference}`);
process.exitCode = failed.size > 0 ? 1 : 0;
