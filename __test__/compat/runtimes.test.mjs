// The record of the tests that fail on Bun and Deno.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merged } from '../../scripts/runtimes/known.mjs';

test('a test that failed in each run so far is recorded as always, and later as sometimes', () => {
  const first = merged(undefined, ['b', 'a']);
  assert.deepEqual(first, { always: ['a', 'b'] });
  const second = merged(first, ['b', 'c']);
  assert.deepEqual(second, { always: ['b', 'c'], sometimes: ['a'] });
  assert.deepEqual(merged(second, ['a', 'b', 'c']), second, 'it stays there');
  assert.deepEqual(merged(second, []), { sometimes: ['a', 'b', 'c'] });
});

test('a file without a failure has no record', () => {
  assert.equal(merged(undefined, []), undefined);
});
