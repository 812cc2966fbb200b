/** The drop-in and NativeSession with TLS, Noise and WebSocket servers that misbehave. A part of `npm run test:hostile`. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXPECTED } from '../../scripts/hostile/expected.mjs';
import { ROWS, TESTED_PHASES } from '../../scripts/hostile/matrix.mjs';
import { faultOf, runRows } from '../../scripts/hostile/run.mjs';

const rows = ROWS.filter(row => TESTED_PHASES.includes(row.phase) && !row.isLong);

// Both layers at the same time, because a run mostly waits.
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

test('the lists of hostile peers and of expected outcomes have the same names', () => {
  const names = ROWS.map(({ phase, name }) => `${phase}: ${name}`);
  assert.deepEqual(Object.keys(EXPECTED).sort(), names.sort());
});
