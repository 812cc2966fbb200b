/**
 * Programs that replace functions of Node, like process-wide proxies: no connection bypasses the replaced functions.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, test } from 'node:test';
import { greetingServer } from '../support/proxy-scenarios.mjs';
import { certificate } from '../support/tls.mjs';
import { makeProject } from './support/project.mjs';

const FLAG = ['--import', 'baileys-native/register'];

/** A relay to a target that counts its connections. The replaced functions below connect to it. */
async function relay(target) {
  const state = { port: 0, count: 0, close: () => server.close() };
  const server = net.createServer(client => {
    state.count++;
    const socket = net.connect(target, '127.0.0.1');
    client.pipe(socket).pipe(client);
    for (const each of [client, socket]) each.on('error', () => {});
    client.on('close', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  state.port = server.address().port;
  return state;
}

/**
 * Functions that redirect connections to the target's port to the relay. `place` is a name in the warning.
 * `install(name)` replaces one function and returns a function that restores it.
 */
const REDIRECT = `
const http = require('node:http'), https = require('node:https'), net = require('node:net'), tls = require('node:tls');
const owners = { http, https, net, tls };
const [target, relay] = process.argv.slice(-2).map(Number);
const moved = value => {
  if (Array.isArray(value)) return Object.assign(value, { 0: moved(value[0]) });
  if (value === null || typeof value !== 'object' || Number(value.port) !== target) return value;
  return Object.assign(value, { port: relay });
};
function install(place, mark = () => {}) {
  const path = place.split('.');
  const key = path.pop();
  const owner = path.slice(1).reduce((value, name) => value[name], owners[path[0]]);
  const had = Object.hasOwn(owner, key);
  const original = owner[key];
  owner[key] = function (...args) { return original.apply(this, args.map(moved)); };
  mark(owner[key], original);
  require('node:module').syncBuiltinESMExports();
  return () => {
    if (had) owner[key] = original;
    else delete owner[key];
  };
}
`;

/** Connects once and prints the layer. */
const CONNECT = `
async function connect(Client, place) {
  const { once } = require('node:events');
  const secure = ${'/^(https|tls)\\./'}.test(place);
  const owner = secure ? https : http;
  const agent = /Agent/.test(place) ? new owner.Agent({ rejectUnauthorized: false }) : undefined;
  const url = new URL((secure ? 'wss' : 'ws') + '://127.0.0.1:' + target);
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  const client = new Client(url, { connectTimeoutMs: 20_000, agent });
  client.on('error', () => {});
  const message = Promise.race([once(client, 'message'), once(client, 'close').then(() => { throw new Error('closed'); })]);
  client.connect();
  await message;
  const layer = client.socket.constructor.name;
  const closed = once(client, 'close');
  await client.close();
  await closed;
  return layer;
}
`;

const PLAIN = [
  'http.request',
  'net.connect',
  'net.Socket.prototype.connect',
  'http.Agent.prototype.createConnection',
  'http.Agent.prototype.createSocket',
  'http.Agent.prototype.addRequest'
];
const SECURE = [
  'https.request',
  'tls.connect',
  'https.Agent.prototype.createConnection',
  'https.Agent.prototype.addRequest'
];

/**
 * Runs a program with a target and a relay to it. Resolves with its report, its warnings and the count of the relay.
 */
async function run(project, args, { tls, env = {} } = {}) {
  const target = await greetingServer(tls);
  const way = await relay(target.port);
  try {
    const ports = [String(target.port), String(way.port)];
    const { code, stdout, stderr } = await project.run([...args, ...ports], { NODE_NO_WARNINGS: '', ...env });
    assert.equal(code, 0, stderr);
    const warnings = stderr.match(/\[BAILEYS_NATIVE_\w+\][^\n]*/g) ?? [];
    return { report: JSON.parse(stdout), warnings, relayed: way.count, reached: target.ports.length };
  } finally {
    way.close();
    target.close();
  }
}

describe('intercepted functions with register', () => {
  for (const [name, places] of [
    ['ws:', PLAIN],
    ['wss:', SECURE]
  ]) {
    for (const [line, file] of [
      ['baileys', 'lib/Socket/Client/websocket.js'],
      ['baileys-6.17.16', 'lib/Socket/Client/websocket.js']
    ]) {
      test(`${line}, ${name} each function that was replaced after register was loaded is used`, async t => {
        const project = makeProject(t);
        const tls = name === 'wss:' ? await certificate({ names: ['127.0.0.1'] }) : undefined;
        project.write(
          'app.cjs',
          `${REDIRECT}${CONNECT}
          (async () => {
            const { WebSocketClient } = await import('${line}/${file}').then(module => module.default ?? module);
            const layers = [await connect(WebSocketClient, ${JSON.stringify(places[0])})];
            for (const place of ${JSON.stringify(places)}) {
              const undo = install(place);
              layers.push(await connect(WebSocketClient, place));
              undo();
            }
            layers.push(await connect(WebSocketClient, ${JSON.stringify(places[0])}));
            console.log(JSON.stringify(layers));
          })();`
        );
        const count = places.length;
        const { report, warnings, relayed, reached } = await run(project, [...FLAG, 'app.cjs'], { tls });
        assert.deepEqual(report, ['Socket', ...places.map(() => 'WebSocket'), 'Socket']);
        assert.deepEqual([relayed, reached], [count, count + 2]);
        const codes = warnings.map(text => text.slice(0, '[BAILEYS_NATIVE_AGENT]'.length));
        assert.deepEqual(
          codes,
          places.map(() => '[BAILEYS_NATIVE_AGENT]')
        );
        for (const [i, place] of places.entries())
          assert.ok(warnings[i].includes(`another package has replaced ${place}, perhaps to use a proxy`), warnings[i]);
      });
    }
  }

  test('a function that was replaced before register was loaded is used', async t => {
    const project = makeProject(t);
    project.write('preload.cjs', `${REDIRECT} install(process.env.PLACE);`);
    project.write(
      'app.mjs',
      `import { createRequire } from 'node:module';
      import { WebSocketClient } from 'baileys/lib/Socket/Client/websocket.js';
      const require = createRequire(import.meta.url);
      const http = require('node:http'), https = require('node:https');
      const target = Number(process.argv.at(-2));
      ${CONNECT}
      console.log(JSON.stringify(await connect(WebSocketClient, process.env.PLACE)));`
    );
    for (const PLACE of ['http.request', 'net.connect', 'net.Socket.prototype.connect']) {
      const args = ['--require', './preload.cjs', ...FLAG, 'app.mjs'];
      const { report, warnings, relayed } = await run(project, args, { env: { PLACE } });
      assert.deepEqual([report, warnings.length, relayed], ['WebSocket', 1, 1], PLACE);
      const ignored = await run(project, args, { env: { PLACE, BAILEYS_NATIVE_IGNORE_WRAPPERS: `other, ${PLACE}` } });
      assert.deepEqual([ignored.report, ignored.warnings, ignored.relayed], ['Socket', [], 0], PLACE);
      const on = await run(project, args, { env: { PLACE, BAILEYS_NATIVE_IGNORE_WRAPPERS: 'on' } });
      assert.deepEqual([on.report, on.warnings, on.relayed], ['Socket', [], 0], PLACE);
    }
  });

  test('wrappers of tracing libraries are supported, unless they contain another wrapper', async t => {
    const project = makeProject(t);
    // Wrappers with the marks of shimmer and OpenTelemetry, New Relic, and agent-base 4 and 5. Datadog's has no mark.
    project.write(
      'node_modules/dd-trace/index.js',
      `exports.patch = (owner, key) => {
        const original = owner[key];
        owner[key] = function (...args) { exports.traced = (exports.traced ?? 0) + 1; return original.apply(this, args); };
        return () => { owner[key] = original; };
      };`
    );
    project.write(
      'app.cjs',
      `${REDIRECT}${CONNECT}
      const { WebSocketClient } = require('baileys-6.17.16/lib/Socket/Client/websocket.js');
      const MARKS = {
        shimmer: (wrapper, original) => Object.assign(wrapper, { __wrapped: true, __original: original }),
        newRelic: (wrapper, original) => Object.assign(wrapper, { [Symbol('original')]: original, [Symbol('unwrap')]() {} }),
        agentBase: wrapper => Object.assign(wrapper, { __agent_base_https_request_patched__: true })
      };
      (async () => {
        const report = {};
        for (const [name, mark] of Object.entries(MARKS)) {
          const undo = install('http.request', mark);
          report[name] = await connect(WebSocketClient, 'http.request');
          undo();
        }
        const undoTrace = require('dd-trace').patch(net.Socket.prototype, 'connect');
        report.datadog = await connect(WebSocketClient, 'http.request');
        undoTrace();
        const undo = install('http.request');
        const undoAround = install('http.request', MARKS.shimmer);
        report.around = await connect(WebSocketClient, 'http.request');
        undoAround();
        undo();
        console.log(JSON.stringify(report));
      })();`
    );
    const { report, warnings, relayed } = await run(project, ['--require', 'baileys-native/register', 'app.cjs']);
    const native = { shimmer: 'Socket', newRelic: 'Socket', agentBase: 'Socket', datadog: 'Socket' };
    assert.deepEqual(report, { ...native, around: 'WebSocket' });
    assert.deepEqual([warnings.length, relayed], [1, 1]);
  });
});

test('without register, WebSocketClient and NativeSession open no connection if a function was replaced', async t => {
  const project = makeProject(t);
  project.write(
    'app.cjs',
    `${REDIRECT}
    const { NativeSession, WebSocketClient } = require('baileys-native');
    const { initAuthCreds } = require('baileys-6.17.16');
    const report = [];
    for (const place of ${JSON.stringify([...PLAIN, ...SECURE])}) {
      const undo = install(place);
      const scheme = /^(https|tls)\\./.test(place) ? 'wss' : 'ws';
      const url = scheme + '://127.0.0.1:' + target;
      const client = new WebSocketClient(url, {});
      client.on('error', error => report.push([place, 'client', error.code]));
      client.connect();
      try {
        new NativeSession({ auth: initAuthCreds(), url });
        report.push([place, 'session', 'made']);
      } catch (error) {
        report.push([place, 'session', error.code]);
      }
      undo();
    }
    process.on('exit', () => console.log(JSON.stringify(report.sort())));`
  );
  const { report, relayed, reached } = await run(project, ['app.cjs']);
  const expected = [...PLAIN, ...SECURE].flatMap(place => [
    [place, 'client', 'ERR_AGENT_UNSUPPORTED'],
    [place, 'session', 'ERR_AGENT_UNSUPPORTED']
  ]);
  assert.deepEqual(report, expected.sort());
  assert.deepEqual([relayed, reached], [0, 0]);
});
