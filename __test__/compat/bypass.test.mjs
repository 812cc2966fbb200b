/** If Baileys runs on JavaScript although register is active, there is one warning with the cause. */

import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import causes from '../../js/loader/causes.cjs';
import { greetingServer } from '../support/proxy-scenarios.mjs';
import { makeProject } from './support/project.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
const HAS_CREATED = major > 22 || (major === 22 && minor >= 12);

const FLAG = ['--import', 'baileys-native/register'];
const CLIENT = 'baileys/lib/Socket/Client/websocket.js';

/** Connects twice with a class, and prints the class of its socket. */
const connect = (agent = 'undefined') => `
  import { once } from 'node:events';
  for (let i = 0; i < 2; i++) {
    const client = new WebSocketClient(new URL('ws://127.0.0.1:' + process.argv.at(-1)), { agent: ${agent} });
    const message = once(client, 'message');
    client.connect();
    await message;
    if (i === 0) console.log(client.socket.constructor.name);
    await client.close();
  }`;

/** Runs a program with the port of a server. Resolves with its output and its warnings. */
async function run(project, args, env) {
  const target = await greetingServer();
  try {
    const { code, stdout, stderr } = await project.run([...args, String(target.port)], env);
    assert.equal(code, 0, stderr);
    return { stdout: stdout.trim(), stderr, warnings: stderr.match(/\[BAILEYS_NATIVE_\w+\][^\n]*/g) ?? [] };
  } finally {
    target.close();
  }
}

test('a late import of register causes a warning', async t => {
  const project = makeProject(t);
  project.write(
    'app.mjs',
    `import 'baileys-native/register'; import { WebSocketClient } from '${CLIENT}';${connect()}`
  );
  const { stdout, warnings } = await run(project, ['app.mjs']);
  assert.equal(stdout, 'WebSocket');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /^\[BAILEYS_NATIVE_BYPASSED\] \w+: [Bb]aileys .*: Baileys was loaded before/);
  // Only newer versions of Node.js report a request while its caller is on the stack.
  if (HAS_CREATED) assert.match(warnings[0], /baileys 7\.0\.0-rc14 at /);
});

test('Baileys in a bundle, also of a test runner, causes a warning', async t => {
  const project = makeProject(t);
  project.write(
    'bundle.mjs',
    `import { EventEmitter } from 'node:events';
    import WebSocket from 'ws';
    export class WebSocketClient extends EventEmitter {
      constructor(url) { super(); this.url = url; }
      connect() {
        this.socket = new WebSocket(this.url, { origin: 'https://web.whatsapp.com' });
        this.socket.on('message', data => this.emit('message', data));
      }
      close() { this.socket.close(); }
    }`
  );
  project.write('app.mjs', `import { WebSocketClient } from './bundle.mjs';${connect()}`);
  const { warnings } = await run(project, [...FLAG, 'app.mjs']);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0],
    /^\[BAILEYS_NATIVE_BYPASSED\] \w+: Baileys opened a connection .*as external in the bundler/
  );
  if (HAS_CREATED) assert.match(warnings[0], /bundle\.mjs contains Baileys/);
  for (const [name, pattern] of [
    ['JEST_WORKER_ID', /Jest has its own module loader/],
    ['VITEST', /Vitest loads it with its own loader/]
  ]) {
    const inRunner = await run(project, [...FLAG, 'app.mjs'], { [name]: '1' });
    assert.equal(inRunner.warnings.length, 1);
    assert.match(inRunner.warnings[0], pattern);
  }
});

test('there is no warning if Baileys is replaced, was excluded on purpose, or had a warning', async t => {
  const project = makeProject(t);
  project.write('app.mjs', `import { WebSocketClient } from '${CLIENT}';${connect()}`);
  const native = await run(project, [...FLAG, 'app.mjs']);
  assert.deepEqual([native.stdout, native.stderr], ['Socket', '']);
  const verbose = await run(project, [...FLAG, 'app.mjs'], { BAILEYS_NATIVE: 'verbose' });
  assert.match(verbose.stderr, /^baileys 7\.0\.0-rc14 at .* runs on baileys-native \d+\.\d+\.\d+\n$/);
  project.write(
    'agent.mjs',
    `import http from 'node:http';
    import { WebSocketClient } from '${CLIENT}';
    class Own extends http.Agent {}${connect('new Own({ own: true })')}`
  );
  const left = await run(project, [...FLAG, 'agent.mjs']);
  assert.deepEqual(
    left.warnings.map(text => text.split(']')[0]),
    ['[BAILEYS_NATIVE_AGENT']
  );
  const root = project.copyPackage('baileys', 'node_modules/baileys');
  appendFileSync(join(root, 'lib/Socket/Client/websocket.js'), '\n// patched\n');
  const patched = await run(project, [...FLAG, 'app.mjs']);
  assert.equal(patched.stdout, 'WebSocket');
  assert.deepEqual(
    patched.warnings.map(text => text.split(']')[0]),
    ['[BAILEYS_NATIVE_PATCHED']
  );
});

test('the warning names the cause if the addon may not be loaded', async t => {
  const project = makeProject(t);
  project.write('app.mjs', `import { isActive } from 'baileys-native/register'; console.log(isActive());`);
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const permission = await run(project, [flag, '--allow-fs-read=*', '--allow-worker', ...FLAG, 'app.mjs']);
  assert.equal(permission.stdout, 'false');
  assert.equal(permission.warnings.length, 1, permission.stderr);
  assert.match(
    permission.warnings[0],
    /^\[BAILEYS_NATIVE_UNAVAILABLE\] .*--permission: allow addons with --allow-addons\./
  );
  const allowed = await run(project, [
    flag,
    '--allow-addons',
    '--allow-fs-read=*',
    '--allow-worker',
    ...FLAG,
    'app.mjs'
  ]);
  assert.deepEqual([allowed.stdout, allowed.warnings], ['true', []], allowed.stderr);
  const noexec = new Error('no binding', { cause: new Error('a.node: failed to map segment from shared object') });
  assert.match(causes.adviceFor(noexec), /mounted with noexec/);
  assert.equal(causes.adviceFor(new Error('Cannot find module x')), '');
});

test("register only warns inside Jest's module registry", async t => {
  const project = makeProject(t);
  project.write(
    'app.cjs',
    `globalThis.jest = {};
    console.log(require('baileys-native/register').isActive());`
  );
  const { stdout, warnings } = await run(project, ['app.cjs']);
  assert.equal(stdout, 'false');
  assert.match(warnings[0], /^\[BAILEYS_NATIVE_UNAVAILABLE\] .*Jest has its own module loader/);
});
