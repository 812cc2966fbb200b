// Compares errors in the shape of Baileys with those of `@hapi/boom`.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { SessionError } from 'baileys-native';

const require = createRequire(import.meta.url);
const { boom } = require('../../js/shared/boom.cjs');
const { Boom, isBoom } = createRequire(require.resolve('baileys'))('@hapi/boom');

/** The fields that a program may read. */
const seen = ({ message, isBoom, isServer, data, output }) => ({ message, isBoom, isServer, data, output });

test('boom() makes the same error as @hapi/boom for each status code', () => {
  for (let statusCode = 400; statusCode < 600; statusCode++) {
    const expected = seen(new Boom('Connection Closed', { statusCode }));
    for (const error of [
      boom('Connection Closed', statusCode),
      new SessionError('Connection Closed', 'ERR_CONNECTION_CLOSED', statusCode)
    ]) {
      assert.deepEqual(seen(error), expected);
      assert.ok(isBoom(error, statusCode));
    }
  }
  assert.deepEqual(seen(new SessionError('a text', 'ERR_PAIRING_CODE')), seen(new Boom('a text')));
});
