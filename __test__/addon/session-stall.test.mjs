// The connection of a NativeSession stays open while JavaScript is blocked. A connection of Baileys does not.

import assert from 'node:assert/strict';
import test from 'node:test';
import { stall } from '../../scripts/stall/run.mjs';

const scenario = { intervalMs: 400, blockedMs: 3_000, stanzas: 2_000 };

test(
  'a session stays connected while the event loop is blocked, and gets every stanza once and in order',
  { timeout: 90_000 },
  async () => {
    const { received, inOrder, code, keepAlives } = await stall({ layer: 'session', ...scenario });
    assert.deepEqual({ received, inOrder, code }, { received: 2_000, inOrder: 2_000, code: undefined });
    assert.ok(keepAlives >= 5, `${keepAlives} keep-alive queries`);
  }
);

test('the same block ends a connection of Baileys on its own socket layer', { timeout: 90_000 }, async () => {
  const { received, code, keepAlives } = await stall({ layer: 'js', ...scenario });
  assert.ok(received < 2_000 && code !== undefined, `${received} stanzas, code ${code}`);
  assert.equal(keepAlives, 0);
});
