// Sessions of an unmodified Baileys in child processes: how they end, and the effects of errors.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sampleStanzas } from 'baileys-native/testing';
import { startServerAndPrograms } from './support/server-and-programs.mjs';

/** The printed lines, parsed as JSON. */
const printed = ({ stdout }) =>
  stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));

/** Waits until the client of a connection has its listeners. */
const listening = (server, { id }) =>
  server.waitFor(({ connection, node }) => connection === id && node.attrs.type === 'ready');

/** Sends a flood to every client that logs in, until its connection ends. */
function floodLogins(server, count) {
  server.on('login', async connection => {
    try {
      await listening(server, connection);
      await connection.prepareFlood(sampleStanzas.message, count, { perMessage: 3 }).start();
    } catch {
      // The client has gone.
    }
  });
}

describe('a process ends', () => {
  for (const native of [false, true]) {
    test(`a process ends by itself after sock.end(), ${native ? 'native' : 'JavaScript'}`, async t => {
      const { start } = await startServerAndPrograms(t);
      const { code, stdout, stderr } = await start('end-session.mjs', { native }).ended;
      assert.deepEqual([code, stderr], [0, '']);
      const [{ isNative, resources }] = printed({ stdout });
      assert.equal(isNative, native);
      assert.deepEqual(
        resources.filter(name => name !== 'Timeout'),
        []
      );
    });
  }

  test('a process with an open socket runs until a signal ends it', async t => {
    const { start, login, server } = await startServerAndPrograms(t);
    const { child, ended } = start('stay-connected.mjs');
    const connection = await login();
    await listening(server, connection);
    const gone = new Promise(resolve => connection.once('close', resolve));
    // Only the socket keeps the process alive, and it answers.
    for (let i = 0; i < 3; i++) assert.equal(String(await connection.wsPing(`${i}`)), `${i}`);
    assert.equal(child.exitCode, null);
    child.kill('SIGTERM');
    assert.equal((await ended).signal, 'SIGTERM');
    await gone;
  });

  test('process.exit() in a listener ends a process during a flood', async t => {
    const { start, server } = await startServerAndPrograms(t);
    floodLogins(server, 20_000);
    const { code, signal, stderr } = await start('exit-in-listener.mjs').ended;
    assert.deepEqual([code, signal, stderr], [7, null, '']);
  });
});

describe('worker threads', () => {
  test('worker threads can be terminated while their sessions receive a flood', async t => {
    const { start, server } = await startServerAndPrograms(t);
    floodLogins(server, 20_000);
    const { code, signal, stdout, stderr } = await start('terminate-workers.mjs').ended;
    assert.deepEqual([code, signal, stderr], [0, null, '']);
    assert.deepEqual(printed({ stdout }), Array(4).fill({ isNative: true, received: 100, code: 1 }));
  });

  test('worker threads can have sessions while the main thread has one', async t => {
    const { start, server } = await startServerAndPrograms(t, { devices: 3 });
    floodLogins(server, 300);
    const { code, signal, stdout, stderr } = await start('three-sessions.mjs').ended;
    assert.deepEqual([code, signal, stderr], [0, null, '']);
    const received = Array(2).fill({ isNative: true, received: 100 });
    assert.deepEqual(printed({ stdout }), [{ isNative: true, received, codes: [0, 1] }]);
  });
});

describe('an exception in a listener of a stanza', () => {
  for (const native of [false, true]) {
    const backend = native ? 'native' : 'JavaScript';

    test(`an exception in a stanza listener is an unhandled rejection, ${backend}`, async t => {
      const { start, server } = await startServerAndPrograms(t);
      floodLogins(server, 10);
      const { code, signal, stderr } = await start('throw-in-listener.mjs', { native }).ended;
      assert.deepEqual([code, signal], [1, null]);
      assert.match(stderr, /Error: of a listener\n\s+at /);
    });
  }

  test('the connection stays open if the program handles the rejection', async t => {
    const { start, server } = await startServerAndPrograms(t);
    floodLogins(server, 10);
    const { code, stdout, stderr } = await start('throw-in-listener.mjs', { args: ['--survive'] }).ended;
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(printed({ stdout }), [{ message: 'of a listener', count: 10, isOpen: true }]);
  });
});

describe('a frame that cannot be opened', () => {
  const breakFirst = server =>
    server.once('login', async connection => {
      await listening(server, connection);
      await connection.sendRaw(Buffer.alloc(64, 7), { layer: 'frame' });
    });

  test("an invalid frame ends the process with Baileys' own JavaScript", async t => {
    const { start, server } = await startServerAndPrograms(t);
    breakFirst(server);
    const { code, signal, stdout, stderr } = await start('invalid-frame.mjs', { native: false }).ended;
    assert.deepEqual([code, signal, stdout], [1, null, '']);
    assert.match(stderr, /unable to authenticate data/);
  });

  test('an invalid frame ends its connection with baileys-native', async t => {
    const { start, server } = await startServerAndPrograms(t);
    breakFirst(server);
    const { code, stdout, stderr } = await start('invalid-frame.mjs').ended;
    assert.deepEqual([code, stderr], [0, '']);
    const [{ isNative, message, statusCode }] = printed({ stdout });
    assert.equal(isNative, true);
    assert.match(message, /unable to authenticate data/);
    assert.equal(statusCode, 408);
  });
});
