// The record of the tests that fail on Bun and Deno.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { merged, numberOf } from '../../scripts/runtimes/known.mjs';
import { REASONS } from '../../scripts/runtimes/reasons.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';

const read = path => readFileSync(join(ROOT, path), 'utf8');

test('a test that failed in each run so far is recorded as always, and later as sometimes', () => {
  const first = merged(undefined, ['b', 'a']);
  assert.deepEqual(first, { always: ['a', 'b'] });
  const second = merged(first, ['b', 'c']);
  assert.deepEqual(second, { always: ['b', 'c'], sometimes: ['a'] });
  assert.deepEqual(merged(second, ['a', 'b', 'c']), second, 'it stays there');
  assert.deepEqual(merged(second, []), { sometimes: ['a', 'b', 'c'] });
});

test('the number of failures is a range if some tests fail sometimes', () => {
  assert.equal(numberOf({ always: ['a', 'b'] }), '2');
  assert.equal(numberOf({ always: ['a', 'b'], sometimes: ['c'] }), '2 to 3');
  assert.equal(numberOf({ sometimes: ['c'] }), '0 to 1');
});

test('a file without a failure has no record', () => {
  assert.equal(merged(undefined, []), undefined);
});

test('docs/platforms.md has the files and the numbers of failures of failures.json', () => {
  const cells = /^\| (bun|deno) +\| `([^`]+)` +\| (\d+(?: to \d+)?) of \d+ +\|/gm;
  const documented = [...read('docs/platforms.md').matchAll(cells)].map(([, ...row]) => row.join(' '));
  const recorded = Object.entries(JSON.parse(read('scripts/runtimes/failures.json'))).flatMap(([runtime, files]) =>
    Object.entries(files)
      .filter(([file]) => REASONS[runtime][file]?.run !== false)
      .map(([file, known]) => `${runtime} ${file} ${numberOf(known)}`)
  );
  assert.ok(recorded.length > 20);
  assert.deepEqual(documented.sort(), recorded.sort());
});
