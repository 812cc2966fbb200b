// Runs every release line of Baileys, unmodified, in child processes on JavaScript and on the native layer. The results of
// the bot and of the server must be the same.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, promisify } from 'node:util';
import { addTrustedRoot } from 'baileys-native/testing';
import { LINE_NAMES, packageOf } from '../support/baileys-lines.mjs';
import { record } from '../support/record.mjs';

const SESSION = fileURLToPath(new URL('support/line-session.mjs', import.meta.url));
const REGISTER = ['--import', 'baileys-native/register'];
const TIMEOUT = 600_000;

/**
 * @param {string[]} nodeFlags
 * @param {string[]} args
 */
async function session(nodeFlags, args) {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeFlags, SESSION, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    timeout: TIMEOUT
  });
  return JSON.parse(stdout);
}

/** For each behaviour: functions that return its part of a result, and a short text of that part. */
const BEHAVIOURS = {
  'connects and pairs by QR code': [({ seen, me }) => [seen[0], me], ([[event], me]) => `${event} as ${me}`],
  'logs in with saved credentials': [({ seen }) => seen.slice(1), seen => seen.map(([event]) => event).join(', ')],
  'receives stanzas: single, several in a message, compressed': [
    ({ received }) => received,
    ({ length }) => `${length} in`
  ],
  'sends stanzas in order': [({ presences }) => presences, ({ length }) => `${length} out`],
  'queries the server, and what it answers': [
    ({ traffic }) => traffic,
    traffic => `${traffic.filter(([, tag]) => tag === 'iq').length} queries`
  ],
  'logs no warning that the other does not': [({ warnings }) => warnings, ({ length }) => `${length} warnings`],
  'is ended by a stream error': [({ ending }) => ending, ending => `status ${ending}`]
};

/** Records the results of both layers for docs/compatibility.md. */
function recordBehaviours(line, javascript, native) {
  for (const [behaviour, [pick, textOf]] of Object.entries(BEHAVIOURS)) {
    const picked = pick(javascript);
    const same = isDeepStrictEqual(pick(native), picked);
    record({ section: 'lines', behaviour, line, javascript: textOf(picked), native: same ? 'same' : 'DIFFERS' });
  }
}

for (const name of LINE_NAMES) {
  const line = packageOf(name);
  test(`${line} pairs, logs in and exchanges traffic as with its own JavaScript`, async () => {
    const javascript = await session([], [line]);
    const native = await session(REGISTER, [line]);
    recordBehaviours(name, javascript, native);
    assert.deepEqual([javascript.active, javascript.native, native.active, native.native], [false, false, true, true]);
    assert.equal(native.me, '15550001234:1@s.whatsapp.net');
    assert.deepEqual(native.seen, [
      ['registered', native.me],
      ['login', native.me]
    ]);
    assert.equal(native.received.length, 620);
    assert.deepEqual(
      native.presences,
      Array.from({ length: 100 }, (_, i) => String(i))
    );
    assert.equal(native.ending, 503);
    const { active: _, native: __, ...expected } = javascript;
    const { active: ___, native: ____, ...actual } = native;
    assert.deepEqual(actual, expected);
  });
}

describe('a Baileys release without its own root key', () => {
  const line = 'baileys-6.17.16';

  test('a server is refused by baileys-native without addTrustedRoot()', async () => {
    const { native, seen, statusCode, message } = await session(REGISTER, [line, '--untrusted']);
    assert.deepEqual([native, statusCode, seen], [true, 400, []]);
    assert.match(message, /certificate/);
  });

  test('a Baileys release on its own JavaScript ignores addTrustedRoot()', async () => {
    const { native, me } = await session([], [line]);
    assert.deepEqual([native, me], [false, '15550001234:1@s.whatsapp.net']);
  });
});

test('Baileys 7 uses its own root key, and addTrustedRoot() changes nothing', async () => {
  const { native, seen, statusCode } = await session(REGISTER, ['baileys', '--only-added']);
  assert.deepEqual([native, statusCode, seen], [true, 400, []]);
});

test('addTrustedRoot() takes keys of 32 bytes', () => {
  for (const key of [Buffer.alloc(31), Buffer.alloc(33), 'a'.repeat(32), undefined]) {
    assert.throws(() => addTrustedRoot(key), TypeError);
  }
  const remove = addTrustedRoot(new Uint8Array(32));
  remove();
  remove();
});
