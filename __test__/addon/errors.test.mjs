// Compares errors in the shape of Baileys with those of `@hapi/boom`, and the numbers of system errors with libuv's.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import test from 'node:test';
import { getSystemErrorName } from 'node:util';
import { SessionError } from 'baileys-native';

const require = createRequire(import.meta.url);
const { boom } = require('../../js/shared/boom.cjs');
const { libuvNumber } = require('../../js/shared/transport-error.cjs');
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

test('the number of a system error is that of libuv', () => {
  // Numbers of Winsock. `read` of an aborted connection is a reset in libuv.
  const numbers = {
    ECONNREFUSED: 107,
    WSAECONNABORTED: 10053,
    WSAECONNRESET: 10054,
    WSAEINPROGRESS: 10036,
    WSAETIMEDOUT: 10060,
    WSAECONNREFUSED: 10061
  };
  const nameOf = (number, syscall) => getSystemErrorName(libuvNumber(-number, syscall, numbers));
  assert.equal(nameOf(10061, 'connect'), 'ECONNREFUSED');
  assert.equal(nameOf(10060, 'connect'), 'ETIMEDOUT');
  assert.equal(nameOf(10054, 'write'), 'ECONNRESET');
  assert.equal(nameOf(10053, 'write'), 'ECONNABORTED');
  assert.equal(nameOf(10053, 'read'), 'ECONNRESET');
  // libuv has no error for it, and none for a number that Winsock does not have.
  for (const number of [10036, 9999]) assert.equal(libuvNumber(-number, 'connect', numbers), -number);
  // On this system both numbers are equal, unless it is Windows.
  for (const name of ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE']) {
    const number = process.platform === 'win32' ? constants.errno[`WSA${name}`] : constants.errno[name];
    if (number !== undefined) assert.equal(getSystemErrorName(libuvNumber(-number)), name);
  }
});
