// Every release line of Baileys, unmodified, with a blocked event loop: on its own socket layer the connection is lost,
// under `register` it stays open, and the stanzas of the addon are not visible.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stall } from '../../scripts/stall/run.mjs';
import { LINE_NAMES, packageOf } from '../support/baileys-lines.mjs';

/** `silenceMs` is longer than a busy machine pauses a process, and shorter than the block. */
const SHORT = { intervalMs: 800, blockedMs: 5_000, silenceMs: 3_500, stanzas: 2_000 };
/** The block is longer than Baileys' limit for silence: its interval and five seconds. */
const LONG = { intervalMs: 800, blockedMs: 7_000, silenceMs: 5_000, stanzas: 0 };
const TIMEOUT = { timeout: 600_000 };

for (const name of LINE_NAMES) {
  const packageName = packageOf(name);

  describe(`Baileys ${name}, blocked for many keep-alive intervals`, { concurrency: 2 }, () => {
    test(
      'with register the connection stays open: every stanza once and in order, pings answered, queries in both directions',
      TIMEOUT,
      async () => {
        const { keepAlives, pongs, keptAlive, ...found } = await stall({
          layer: 'native',
          packageName,
          pings: true,
          leastAnswers: 3,
          ...SHORT
        });
        // There is no code because the connection has not ended.
        assert.deepEqual(found, {
          received: 2_000,
          inOrder: 2_000,
          clientQueryAnswered: true,
          serverQueryAnswered: true,
          unsolicited: 0
        });
        assert.ok(keepAlives >= 3, `${keepAlives} keep-alive queries`);
        assert.ok(pongs >= 3, `${pongs} pongs`);
        // On a busy machine there may be another stall during the start.
        assert.ok(keptAlive.stalls >= 1 && keptAlive.keepAlives >= 3, JSON.stringify(keptAlive));
        assert.ok(keptAlive.blockedMs >= 4_900, JSON.stringify(keptAlive));
      }
    );

    test('on its own socket layer the connection is lost', TIMEOUT, async () => {
      const { received, code, keepAlives, pongs } = await stall({ layer: 'js', packageName, pings: true, ...SHORT });
      assert.ok(received < 2_000 && code !== undefined, `${received} stanzas, code ${code}`);
      assert.deepEqual([keepAlives, pongs], [0, 0]);
    });

    test(
      "the connection stays open if the server sends only answers to keep-alive queries for longer than Baileys' silence limit",
      TIMEOUT,
      async () => {
        const { code, clientQueryAnswered, serverQueryAnswered, unsolicited, keepAlives } = await stall({
          layer: 'native',
          packageName,
          leastAnswers: 3,
          ...LONG
        });
        assert.deepEqual(
          { code, clientQueryAnswered, serverQueryAnswered, unsolicited },
          { code: undefined, clientQueryAnswered: true, serverQueryAnswered: true, unsolicited: 0 }
        );
        assert.ok(keepAlives >= 3, `${keepAlives} keep-alive queries`);
      }
    );
  });
}

test(
  'if the server sends more than is read ahead, TCP applies back-pressure and nothing is lost',
  TIMEOUT,
  async () => {
    // 12 MB, of which 4 MB are read.
    const { code, received, inOrder, clientQueryAnswered, serverQueryAnswered } = await stall({
      layer: 'native',
      ...SHORT,
      stanzas: 3_000,
      bytes: 4_096
    });
    assert.deepEqual(
      { received, inOrder, clientQueryAnswered, serverQueryAnswered },
      { received: 3_000, inOrder: 3_000, clientQueryAnswered: true, serverQueryAnswered: true }
    );
    assert.equal(code, undefined);
  }
);

test("with keepAliveWhileBlocked: false the connection ends as on Baileys' own socket layer", TIMEOUT, async () => {
  const { received, code, keepAlives, keptAlive } = await stall({
    layer: 'native',
    keepAliveWhileBlocked: false,
    ...SHORT
  });
  assert.ok(received < 2_000 && code !== undefined, `${received} stanzas, code ${code}`);
  assert.equal(keepAlives, 0);
  assert.equal(keptAlive, undefined);
});

describe('a server without an idle timeout that sends stanzas during a block', { concurrency: 2 }, () => {
  const scenario = { ...LONG, stanzas: 500, toleratesSilence: true };

  test(
    'on its own socket layer Baileys closes the connection before it reads the received stanzas',
    TIMEOUT,
    async () => {
      const { code, received } = await stall({ layer: 'js', ...scenario });
      assert.deepEqual({ code, received }, { code: 408, received: 0 });
    }
  );

  test('with register Baileys reads the received stanzas', TIMEOUT, async () => {
    const { code, received, inOrder } = await stall({ layer: 'native', ...scenario });
    assert.deepEqual({ code, received, inOrder }, { code: undefined, received: 500, inOrder: 500 });
  });
});
