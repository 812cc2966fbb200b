/** The lifetime of processes and worker threads with sockets. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { closeAfter } from '../support/resources.mjs';
import { wsServer } from '../support/socket-log.mjs';

const clientPath = JSON.stringify(fileURLToPath(new URL('../../js/index.cjs', import.meta.url)));
const prelude = port => `
  const { WebSocketClient } = require(${clientPath});
  const url = 'ws://127.0.0.1:${port}/';
  const open = () => { const c = new WebSocketClient(url, {}); c.on('error', e => console.log(e.message)); c.connect(); return c; };
`;

/** Time without output after which a child process is killed, in milliseconds. */
const SILENCE = 60_000;

/** Runs code in a child process. Resolves with its output and its exit. */
async function runChild(code, { onLine = () => {} } = {}) {
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), SILENCE);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    timer.refresh();
    output += text;
    onLine(text, child);
  });
  child.stderr.setEncoding('utf8').on('data', text => (errors += text));
  const [exitCode, signal] = await once(child, 'close');
  clearTimeout(timer);
  return { output: output.trim(), errors, exitCode, signal };
}

/** A server that sends 50 messages every millisecond. */
const busyServer = () =>
  wsServer(s => {
    const timer = setInterval(() => {
      for (let i = 0; i < 50; i++) s.send('busy');
    }, 1);
    s.on('close', () => clearInterval(timer));
  });

test('a process ends by itself after its sockets are closed', { timeout: 120_000 }, async t => {
  const server = closeAfter(t, await wsServer(() => {}));
  const { output, exitCode, signal, errors } = await runChild(`${prelude(server.port)}
    const c = open();
    c.on('open', async () => { await c.close(); console.log('closed'); });
  `);
  assert.deepEqual({ output, exitCode, signal }, { output: 'closed', exitCode: 0, signal: null }, errors);
});

test('an open socket keeps its process alive until the server closes it', { timeout: 120_000 }, async t => {
  const server = closeAfter(t, await wsServer(s => s.on('message', () => s.close(1000))));
  const { output, exitCode } = await runChild(`${prelude(server.port)}
    const c = open();
    const start = Date.now();
    c.on('open', () => {
      // The timer is unreferenced: only the socket keeps the process alive.
      setTimeout(() => { console.log('still here'); c.send('x'); }, 300).unref();
    });
    c.on('close', code => console.log('close ' + code));
  `);
  assert.deepEqual([output, exitCode], ['still here\nclose 1000', 0]);
});

test('a socket that cannot connect does not keep its process alive', { timeout: 120_000 }, async () => {
  const { output, exitCode } = await runChild(`${prelude(1)} open().on('close', code => console.log(code));`);
  assert.deepEqual([output, exitCode], ['connect ECONNREFUSED 127.0.0.1:1\n1006', 0]);
});

for (const ending of ['process.exit(7)', "process.kill(process.pid, 'SIGTERM')", "throw new Error('deliberate')"]) {
  test(`a process with open and busy sockets ends with ${ending}`, { timeout: 120_000 }, async t => {
    const server = closeAfter(t, await busyServer());
    const { exitCode, signal } = await runChild(`${prelude(server.port)}
      const sockets = Array.from({ length: 10 }, open);
      let n = 0;
      sockets[9].on('message', () => { if (++n === 100) setTimeout(() => { ${ending} }); });
    `);
    const expected = { 'process.exit(7)': [7, null], "throw new Error('deliberate')": [1, null] }[ending] ?? [
      null,
      'SIGTERM'
    ];
    assert.deepEqual([exitCode, signal], expected);
  });
}

test('workers with open and busy sockets can be terminated repeatedly', { timeout: 240_000 }, async t => {
  const server = closeAfter(t, await busyServer());
  // In a child process in which only workers load the addon.
  const { output, exitCode, signal, errors } = await runChild(`
    const { Worker } = require('node:worker_threads');
    const code = ${JSON.stringify(`${prelude(server.port)}
      const { parentPort } = require('node:worker_threads');
      const sockets = Array.from({ length: 5 }, open);
      let n = 0;
      sockets[4].on('message', () => { if (++n === 20) parentPort.postMessage('busy'); });
    `)};
    (async () => {
      for (let round = 0; round < 10; round++) {
        const workers = [0, 1].map(() => new Worker(code, { eval: true }));
        await Promise.all(workers.map(worker => new Promise((resolve, reject) => {
          worker.once('message', resolve); worker.once('error', reject);
        })));
        await Promise.all(workers.map(worker => worker.terminate()));
        console.log(round);
      }
    })();
  `);
  assert.deepEqual(
    { output, exitCode, signal },
    { output: '0 1 2 3 4 5 6 7 8 9'.replaceAll(' ', '\n'), exitCode: 0, signal: null },
    errors
  );
});

test('a worker ends by itself, and its sockets belong only to it', { timeout: 120_000 }, async t => {
  const server = closeAfter(t, await wsServer(s => s.on('message', m => s.send(m))));
  const worker = new Worker(
    `${prelude(server.port)}
    const { parentPort } = require('node:worker_threads');
    const c = open();
    c.on('open', () => c.send('from the worker'));
    c.on('message', async m => { parentPort.postMessage(String(m)); await c.close(); });
  `,
    { eval: true }
  );
  t.after(() => worker.terminate());
  const [message] = await once(worker, 'message');
  assert.equal(message, 'from the worker');
  const [exitCode] = await once(worker, 'exit');
  assert.equal(exitCode, 0);
});
