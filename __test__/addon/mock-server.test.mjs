// The mock server, with an unmodified Baileys 7.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import Module from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as baileys from 'baileys';
import { MockServer, sampleStanzas, trustTestRoot } from '../../js/testing/index.mjs';
import { closed, login, openSocket, pair, ping, recordingLogger } from '../support/baileys-client.mjs';
import { logInDevice, root, statusOf, trustRoot } from '../support/mock-clients.mjs';
import { startMockServer } from '../support/mock-server.mjs';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));
trustRoot();

describe('the mock server', () => {
  test('stop() can be called twice, rejects pending waits, and keeps no process alive', async () => {
    const script = `
      import { MockServer } from 'baileys-native/testing';
      const server = await MockServer.start();
      const waiting = server.waitFor(() => false, { timeoutMs: 600_000 }).catch(error => error.message);
      await Promise.all([server.stop(), server.stop()]);
      await server.stop();
      console.log(await waiting);
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: repository,
      timeout: 60_000
    });
    assert.equal(stdout, 'the mock server was stopped\n');
  });

  test('events and waitFor() work without records', async t => {
    const { server, sock } = await logInDevice(t, { record: false });
    const seen = server.waitFor(({ direction, node }) => direction === 'in' && node.attrs.xmlns === 'w:p');
    await ping(sock);
    assert.equal((await seen).node.attrs.type, 'get');
    assert.deepEqual(server.stanzas, []);
  });

  test('the error of waitFor() lists the received stanzas', async t => {
    const server = await startMockServer(t, { root });
    await assert.rejects(
      server.waitFor(() => false, { timeoutMs: 20 }),
      /no such stanza in 20 ms; .* none/
    );
  });

  test('trustTestRoot() can be undone, and refuses invalid arguments', () => {
    const details = { SERIAL: 0, PUBLIC_KEY: Buffer.alloc(32, 7) };
    const undo = trustTestRoot(details, Buffer.alloc(32, 8));
    assert.deepEqual(details.PUBLIC_KEY, Buffer.alloc(32, 8));
    undo();
    assert.deepEqual(details.PUBLIC_KEY, Buffer.alloc(32, 7));
    trustTestRoot({ SERIAL: 0 }, Buffer.alloc(32))();
    assert.throws(() => trustTestRoot({}, Buffer.alloc(32)), TypeError);
    assert.throws(() => trustTestRoot(details, Buffer.alloc(31)), TypeError);
  });

  for (const line of ['baileys-6.7.24', 'baileys-6.17.16']) {
    test(`${line} pairs, logs in and receives a flood`, async t => {
      const namespace = await import(line);
      const older = namespace.makeWASocket ? namespace : namespace.default;
      t.after(trustTestRoot(older, root.public));
      const server = await startMockServer(t, { root, preKeyCount: 100, baileys: line, greetingDelayMs: 250 });
      const auth = await pair({ baileys: older, server, scan: qr => server.scanQr(qr) });
      const logger = recordingLogger('warn');
      const sock = await login({ baileys: older, server, auth, config: { logger } });
      let received = 0;
      sock.ws.on('CB:relay', () => received++);
      await server.connections[1].prepareFlood(sampleStanzas.message, 500).start();
      await ping(sock);
      assert.equal(received, 500);
      assert.deepEqual(logger.entries, []);
    });
  }

  test('a client with another dictionary is reported', async t => {
    const server = await startMockServer(t, { root, baileys: 'baileys-6.17.16' });
    const failed = once(server, 'failure');
    const error = await closed(openSocket({ baileys, server }));
    assert.equal(statusOf(error), baileys.DisconnectReason.connectionClosed);
    assert.match((await failed)[0].message, /dictionary 3.*uses 2:/);
  });

  test('the example in the documentation works unchanged', async () => {
    const text = await readFile(join(repository, 'docs/testing.md'), 'utf8');
    const [, example] = /```js\n([\s\S]*?)```/.exec(text);
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', example], {
      cwd: repository,
      timeout: 60_000
    });
    assert.match(stdout, /the bot works\n/);
  });

  test('pending() accepts only a linked device', async t => {
    const server = await startMockServer(t, { tls: false });
    const [device] = server.devicesOf('15550005678');
    for (const wrong of [device, null, '15550005678']) {
      assert.throws(() => server.pending(wrong), { name: 'TypeError', message: /takes a device.*linked\?$/ });
    }
  });

  test('the server uses the package ws in a runtime that has another module of that name', async t => {
    // Bun resolves the name in this way.
    const resolve = Module._resolveFilename;
    t.after(() => (Module._resolveFilename = resolve));
    Module._resolveFilename = (name, ...rest) => (name === 'ws' ? name : resolve.call(Module, name, ...rest));
    for (const source of [baileys, undefined]) {
      const server = await startMockServer(t, { baileys: source, tls: false });
      assert.match(server.url, /^ws:/);
    }
  });

  test('an error names a Baileys package that cannot be found', async () => {
    await assert.rejects(MockServer.start({ baileys: 'no-such-baileys' }), /no-such-baileys/);
  });
});

test('the keys of handshakes are created while garbage is collected', { timeout: 180_000 }, async () => {
  // With an export as a JWK, Node.js 20 stands still here.
  const program = `import { generateX25519 } from './js/shared/x25519.cjs';
for (let left = 10_000; left > 0; left--) if (generateX25519().public.length !== 32) throw new Error('no key');`;
  const flags = ['--gc-interval=5', '--input-type=module', '--eval', program];
  await promisify(execFile)(process.execPath, flags, { cwd: repository, timeout: 170_000 });
});
