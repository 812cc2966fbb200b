// Compares the noise handlers of Baileys' release lines with ours for the same inputs. The peer uses node:crypto.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';

import { LINE_NAMES, loadLine } from '../support/baileys-lines.mjs';
import { compare, compareAll, explore, recordComparisons, knownDifferences, SEED } from '../support/differential.mjs';
import { FAULTS, NOISE_PROPERTIES } from '../support/noise-properties.mjs';
import { fromJson } from '../support/values.mjs';

const CORPUS = JSON.parse(await readFile(new URL('../vectors/corpus-noise.json', import.meta.url)));
const lines = new Map(await Promise.all(LINE_NAMES.map(async name => [name, await loadLine(name)])));
const property = name => NOISE_PROPERTIES.find(property => property.name === name);

after(() => {
  console.log('Known differences of the noise handler from Baileys:');
  for (const line of knownDifferences(NOISE_PROPERTIES.map(({ name }) => name))) console.log(`  ${line}`);
});

test('the noise handler equals Baileys for earlier failures (regression cases)', async t => {
  for (const { property: name, line, input, found } of CORPUS) {
    assert.ok(property(name), `the corpus names the unknown property ${name}`);
    await t.test(`${name} ${line}: ${found}`, () => compare(property(name), lines.get(line), fromJson(input)));
  }
});

const fixedKeys = Array.from({ length: 7 }, (_, i) => new Uint8Array(32).fill(i + 1));

test('every fault of a ServerHello has the same result as in Baileys', async t => {
  for (const line of lines.values()) {
    for (const fault of [undefined, ...FAULTS]) {
      await t.test(`line ${line.name}: ${fault ?? 'none'}`, () =>
        compareAll(
          `ServerHello: ${fault ?? 'no fault'}`,
          [
            [
              property('noise-handshake'),
              { keys: fixedKeys, fault, payload: new Uint8Array(3), routingInfo: undefined }
            ]
          ],
          line
        )
      );
    }
  }
});

for (const name of LINE_NAMES) {
  for (const property of NOISE_PROPERTIES) {
    test(`random inputs have the same result as in Baileys: ${property.name}, line ${name}, seed ${SEED}`, async () => {
      const { runs, known, failure } = await explore(property, lines.get(name), { seed: SEED });
      recordComparisons(property.title, lines.get(name), `${runs} inputs`, known);
      if (failure) assert.fail(failure.report);
    });
  }
}
