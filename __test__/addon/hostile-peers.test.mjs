/** TLS servers, Noise responders and servers that misbehave, on the drop-in and on NativeSession: a part of `npm run test:hostile`. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXPECTED } from '../../scripts/hostile/expected.mjs';
import { ROWS, TESTED_PHASES } from '../../scripts/hostile/matrix.mjs';
import { faultOf, runRows } from '../../scripts/hostile/run.mjs';

const rows = ROWS.filter(row => TESTED_PHASES.includes(row.phase) && !row.isLong);

// Both at the same time: much of a run is waiting.
describe(`${rows.length} hostile peers`, { concurrency: true }, () => {
  for (const layer of /** @type {const} */ (['native', 'session'])) {
    test(`on ${layer}`, async t => {
      for await (const { row, result } of runRows(layer, rows)) {
        await t.test(`${row.phase}: ${row.name}`, () => {
          assert.equal(faultOf(row, layer, result), undefined, JSON.stringify(result));
        });
      }
    });
  }
});

test('every hostile peer has an expected outcome, and every expected outcome its peer', () => {
  const names = ROWS.map(({ phase, name }) => `${phase}: ${name}`);
  assert.deepEqual(Object.keys(EXPECTED).sort(), names.sort());
});
