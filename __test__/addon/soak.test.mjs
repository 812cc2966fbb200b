// A short soak test, to check the command. `npm run test:soak` runs a long one.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/shared/root.mjs';

test('a short soak accounts for every stanza', { timeout: 600_000 }, async () => {
  const args = ['scripts/test-soak.mjs', '--minutes', '0.2', '--sessions', '6', '--bots', '3', '--cut', '500'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 540_000 });
  assert.match(
    stdout,
    /^All [1-9]\d* stanzas and their answers have arrived in order; [1-9]\d* connections were cut\.$/m
  );
  assert.match(stdout, /^3 bots, register +[1-9]/m);
  assert.match(stdout, /^6 sessions +[1-9]/m);
});
