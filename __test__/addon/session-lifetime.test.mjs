// Sessions in processes and worker threads, and their garbage collection.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { BufferJSON } from 'baileys';
import { startFloodServer } from '../support/flood-server.mjs';
import { linkedCredentials, numbered, startServer, until } from '../support/native-session.mjs';

const options = { timeout: 180_000 };
const MAIN = JSON.stringify(fileURLToPath(new URL('../../js/index.cjs', import.meta.url)));
const BINDING = JSON.stringify(fileURLToPath(new URL('../../js/addon/binding.cjs', import.meta.url)));

/** The source of a program in which `open()` creates a session with the server. */
const prelude = server => `
  const { NativeSession, WebSocketClient, metrics } = require(${MAIN});
  const revive = (key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data, 'base64') : value);
  const creds = JSON.parse(${JSON.stringify(JSON.stringify(linkedCredentials(), BufferJSON.replacer))}, revive);
  const open = more => new NativeSession({
    url: ${JSON.stringify(server.url)},
    trustedRoot: Buffer.from(${JSON.stringify(server.rootKey.toString('hex'))}, 'hex'),
    // Each session is another device: two connections of one device would end each other.
    auth: { creds: { ...creds, me: { id: '1' + String(Math.random()).slice(2, 12) + ':1@s.whatsapp.net', name: 'A' } } },
    reconnect: false,
    ...more
  });
  const ping = { tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } };
`;

/** Time limit of a program, in milliseconds. Some start ten threads one after another. */
const PROGRAM_MS = 150_000;

/** Runs a program in a child process. Resolves with its output and its exit. */
async function run(code, flags = []) {
  const child = spawn(process.execPath, [...flags, '-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), PROGRAM_MS);
  const [output, errors] = [[], []];
  child.stdout.on('data', text => output.push(text));
  child.stderr.on('data', text => errors.push(text));
  const [exitCode, signal] = await once(child, 'close');
  clearTimeout(timer);
  return { output: output.join('').trim(), errors: errors.join(''), exitCode, signal };
}

const serve = t => startServer(t, { acceptUnknown: true, record: false });

test('a session keeps its process alive only from connect() to close()', options, async t => {
  const server = await serve(t);
  const { output, exitCode, errors } = await run(`${prelude(server)}
    open();
    const session = open();
    session.connect().then(() => {
      // The timer is unreferenced: only the session keeps the process alive.
      setTimeout(() => { console.log('still here'); session.close(); }, 300).unref();
    });
    session.on('close', ({ code }) => console.log(code));
  `);
  assert.deepEqual([output, exitCode], ['still here\n428', 0], errors);
});

test('a failed session rejects connect() and does not keep its process alive', options, async t => {
  const server = await serve(t);
  const { output, exitCode, errors } = await run(`${prelude(server)}
    // Simulates a session with too many internal errors.
    require(${BINDING}).loadBinding().Session.prototype.connect = () => false;
    const session = open();
    session.connect().catch(({ code }) => session.close().then(() => console.log(code)));
  `);
  assert.deepEqual([output, exitCode], ['ERR_SESSION_FAILED', 0], errors);
});

test('a session does not keep its process alive after the final loss of its connection', options, async t => {
  const server = await serve(t);
  server.on('login', connection => connection.drop());
  const { output, exitCode, errors } = await run(`${prelude(server)}
    const session = open();
    session.connect().catch(() => {});
    session.on('close', ({ kind }) => console.log(kind));
  `);
  assert.match(output, /^transport/);
  assert.equal(exitCode, 0, errors);
});

for (const [ending, expected] of [
  ['process.exit(7)', [7, null]],
  ["process.kill(process.pid, 'SIGTERM')", [null, 'SIGTERM']],
  ["throw new Error('deliberate')", [1, null]]
]) {
  test(`a process with busy sessions ends with ${ending}`, options, async t => {
    const server = await serve(t);
    server.on('login', connection =>
      connection
        .prepareFlood(numbered, 2_000)
        .start()
        .catch(() => {})
    );
    const { exitCode, signal, errors } = await run(`${prelude(server)}
      let n = 0;
      for (let i = 0; i < 3; i++) {
        const session = open();
        session.onStanza('CB:message', () => { if (++n === 500) ${ending}; });
        session.connect();
      }
    `);
    assert.deepEqual([exitCode, signal], expected, errors);
  });
}

/** The I/O thread can be faster than the end of the process. */
const ROUNDS = 5;

for (const ending of ['process.exit(0)', 'sessions.forEach(session => session.close()); process.exit(0)']) {
  test(`all stanzas of a turn arrive when it ends with ${ending}`, options, async t => {
    const [server, flood] = await Promise.all([serve(t), startFloodServer(t)]);
    const received = new Map();
    server.on('stanza', ({ direction, node }, connection) => {
      if (direction !== 'in' || node.tag !== 'message') return;
      received.set(connection, [...(received.get(connection) ?? []), node.attrs.n]);
    });
    const program = `${prelude(server)}
      const sessions = Array.from({ length: 6 }, open);
      Promise.all(sessions.map(session => session.connect())).then(() => {
        // The I/O thread is busy.
        const reader = new WebSocketClient(${JSON.stringify(flood)}, {});
        reader.once('message', () => {
          for (let n = 0; n < 20; n++)
            for (const session of sessions) session.sendNode({ tag: 'message', attrs: { n: String(n) } });
          ${ending};
        });
        reader.connect();
      });
    `;
    for (let round = 0; round < ROUNDS; round++) {
      const { exitCode, errors } = await run(program);
      assert.equal(exitCode, 0, errors);
    }
    await until(() => server.connections.every(({ state }) => state === 'closed'));
    const expected = Array.from({ length: 20 }, (_, n) => String(n));
    assert.deepEqual([...received.values()], Array(ROUNDS * 6).fill(expected));
  });
}

test('an exception in a listener is an uncaught exception, and no stanza is lost', options, async t => {
  const server = await serve(t);
  server.on('login', connection => connection.prepareFlood(numbered, 4, { perMessage: 4 }).start());
  const { output, exitCode, errors } = await run(`${prelude(server)}
    const seen = [];
    process.on('uncaughtException', ({ message }) => seen.push(message));
    const session = open();
    session.onStanza('CB:message', ({ attrs }) => {
      seen.push(attrs.n);
      if (attrs.n === '1') throw new Error('deliberate');
      if (attrs.n === '3') session.close().then(() => console.log(seen.join()));
    });
    session.connect();
  `);
  assert.deepEqual([output, exitCode], ['0,1,deliberate,2,3', 0], errors);
});

for (const [what, logger] of [
  ['a method', '{ level: "debug", trace: log, debug: log, info: log, warn: log }'],
  ['isLevelEnabled', '{ isLevelEnabled: log, trace() {}, debug() {}, info() {}, warn() {} }'],
  ['the level', '{ get level() { return log(); }, trace() {}, debug() {}, info() {}, warn() {} }']
]) {
  test(`an exception of the logger is an uncaught exception, and the session ends: ${what}`, options, async t => {
    const server = await serve(t);
    const { output, exitCode, errors } = await run(`${prelude(server)}
      const seen = [];
      process.on('uncaughtException', ({ message }) => seen.push(message));
      let isBroken = false;
      const log = () => { if (isBroken) throw new Error('deliberate'); };
      const session = open({ logger: ${logger} });
      session.on('close', ({ kind }) => seen.push(kind));
      session.connect().then(() => {
        isBroken = true;
        return session.close();
      }).then(() => process.on('exit', () => console.log([...new Set(seen)].sort().join())));
    `);
    assert.deepEqual([output, exitCode], ['deliberate,requested', 0], errors);
  });
}

test('each worker can have sessions, and can be terminated while they are busy', options, async t => {
  const server = await serve(t);
  server.on('login', connection =>
    connection
      .prepareFlood(numbered, 2_000)
      .start()
      .catch(() => {})
  );
  const worker = `${prelude(server)}
    const { parentPort } = require('node:worker_threads');
    const session = open();
    let n = 0;
    session.onStanza('CB:message', () => { if (++n === 200) parentPort.postMessage(metrics().sessions); });
    session.connect();
  `;
  const { output, exitCode, signal, errors } = await run(`${prelude(server)}
    const { Worker } = require('node:worker_threads');
    (async () => {
      const own = open();
      await own.connect();
      for (let round = 0; round < 5; round++) {
        const workers = [0, 1].map(() => new Worker(${JSON.stringify(worker)}, { eval: true }));
        await Promise.all(workers.map(worker => new Promise((resolve, reject) => {
          worker.once('message', resolve); worker.once('error', reject);
        })));
        await Promise.all(workers.map(worker => worker.terminate()));
      }
      await own.query(ping);
      console.log(metrics().sessions);
      await own.close();
    })();
  `);
  assert.deepEqual({ output, exitCode, signal }, { output: '1', exitCode: 0, signal: null }, errors);
});

test('a worker with a session ends by itself', options, async t => {
  const server = await serve(t);
  const { output, exitCode, errors } = await run(`
    const { Worker } = require('node:worker_threads');
    const worker = new Worker(${JSON.stringify(`${prelude(server)}
      const session = open();
      session.connect().then(() => session.query(ping)).then(({ attrs }) => {
        require('node:worker_threads').parentPort.postMessage(attrs.type);
        return session.close();
      });
    `)}, { eval: true });
    worker.on('message', message => console.log(message));
    worker.on('exit', code => console.log(code));
  `);
  assert.deepEqual([output, exitCode], ['result\n0', 0], errors);
});

test('unreferenced sessions are garbage-collected, connected sessions are not', options, async t => {
  const server = await serve(t);
  const { output, exitCode, errors } = await run(
    `${prelude(server)}
    const { setTimeout: delay } = require('node:timers/promises');
    (async () => {
      // In separate functions, so that no stack frame refers to the sessions.
      await (() => { const session = open(); return session.connect().then(() => session.close()); })();
      for (let i = 0; i < 50; i++) (() => { const session = open(); session.on('node', () => {}); session.stanzas(); })();
      // Only its connection keeps it alive.
      await (() => open().connect())();
      for (let i = 0; i < 500 && metrics().sessions > 1; i++) { gc(); await delay(20); }
      console.log(metrics().sessions, metrics().states.connected);
      process.exit();
    })();
  `,
    ['--expose-gc']
  );
  assert.deepEqual([output, exitCode], ['1 1', 0], errors);
});
