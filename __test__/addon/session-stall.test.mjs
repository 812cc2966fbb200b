// The connection of a NativeSession stays open while JavaScript is blocked. A connection of Baileys does not.

import assert from 'node:assert/strict';
import test from 'node:test';
import { stall } from '../../scripts/stall/run.mjs';

/** `silenceMs` is longer than a busy machine pauses a process, and shorter than the block. */
const scenario = { intervalMs: 400, blockedMs: 9_000, silenceMs: 7_500, stanzas: 2_000 };

test(
  'a session stays connected while the event loop is blocked, and gets every stanza once and in order',
  { timeout: 180_000 },
  async () => {
    const { received, inOrder, code, keepAlives } = await stall({ layer: 'session', leastAnswers: 3, ...scenario });
    assert.deepEqual({ received, inOrder, code }, { received: 2_000, inOrder: 2_000, code: undefined });
    assert.ok(keepAlives >= 3, `${keepAlives} keep-alive queries`);
  }
);

test('the same block ends a connection of Baileys on its own socket layer', { timeout: 180_000 }, async () => {
  const { received, code, keepAlives } = await stall({ layer: 'js', ...scenario });
  assert.ok(received < 2_000 && code !== undefined, `${received} stanzas, code ${code}`);
  assert.equal(keepAlives, 0);
});
