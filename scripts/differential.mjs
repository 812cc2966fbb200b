// Runs the differential tests for a longer time, and repeats cases that they found.
//
//   npm run test:differential -- [--minutes 10] [--seed N] [--property NAME] [--line 7|6.7|6.17]
//   npm run test:differential -- --property NAME --line L --seed N --path P [--record]
//
// Without --minutes and --path every property runs once. --record stores the case in the corpus of its property.

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { LINE_NAMES, loadLine } from '../__test__/support/baileys-lines.mjs';
import { CODEC_PROPERTIES } from '../__test__/support/codec-properties.mjs';
import { explore, knownDifferences, SEED } from '../__test__/support/differential.mjs';
import { NOISE_PROPERTIES } from '../__test__/support/noise-properties.mjs';

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
const names = LINE_NAMES.filter(name => options.line === undefined || options.line.includes(name));
if (properties.length === 0 || names.length === 0) {
  console.error(
    'no such property or line; properties: ' + [...CODEC_PROPERTIES, ...NOISE_PROPERTIES].map(p => p.name).join(', ')
  );
  process.exit(2);
}
const lines = await Promise.all(names.map(loadLine));

async function record(entry, found) {
  const kind = CODEC_PROPERTIES.some(({ name }) => name === entry.property) ? 'codec' : 'noise';
  const file = new URL(`../__test__/vectors/corpus-${kind}.json`, import.meta.url);
  const corpus = JSON.parse(await readFile(file));
  corpus.push({ ...entry, found });
  await writeFile(file, JSON.stringify(corpus, undefined, 2) + '\n');
  console.log(`kept in ${file.pathname}`);
}

const failed = new Set();
let inputs = 0;

async function round(seed) {
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
  await round(seed);
  const seconds = Math.round((Date.now() - start) / 1000);
  console.log(`${seconds} s: ${inputs} inputs up to seed ${seed}, ${failed.size} properties failed`);
  seed = (seed + 1) | 0;
} while (Date.now() < end && failed.size < properties.length * lines.length);

console.log('Known differences:');
for (const difference of knownDifferences(properties.map(({ name }) => name))) console.log(`  ${difference}`);
process.exitCode = failed.size > 0 ? 1 : 0;
