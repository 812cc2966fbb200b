/** Every export and member that this package shares with Baileys is compared by a test, or has a listed reason. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { LINE_NAMES, loadLine } from '../support/baileys-lines.mjs';
import { CODEC_PROPERTIES } from '../support/codec-properties.mjs';
import { SEED } from '../support/differential.mjs';
import { NOISE_PROPERTIES } from '../support/noise-properties.mjs';
import { LINES } from '../support/socket-log.mjs';
import { testSameResult } from '../support/socket-scenarios.mjs';
import { EXPORTS, NOISE_HANDLER, WEB_SOCKET_CLIENT } from '../support/surface.mjs';

const require = createRequire(import.meta.url);
const PROPERTIES = [...CODEC_PROPERTIES, ...NOISE_PROPERTIES];

/**
 * Names of the methods of a class and of its base classes below EventEmitter, and of the public properties that the
 * constructor sets (without `_`).
 */
function namesOf(Class) {
  const names = new Set(Object.keys(new Class('ws://x/', {})).filter(name => !name.startsWith('_')));
  let prototype = Class.prototype;
  for (; prototype.constructor.name !== 'EventEmitter'; prototype = Object.getPrototypeOf(prototype)) {
    for (const name of Object.getOwnPropertyNames(prototype)) names.add(name);
  }
  names.delete('constructor');
  return [...names].sort();
}

const handlerNames = ({ makeNoiseHandler }, line) => {
  const keyPair = { private: Buffer.alloc(32, 1), public: Buffer.alloc(32, 2) };
  const logger = { child: () => logger, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  return Object.keys(makeNoiseHandler({ keyPair, NOISE_HEADER: line.header, logger })).sort();
};

test('every export has a comparison or a listed exception', () => {
  assert.deepEqual(Object.keys(require('../../js/index.cjs')).sort(), Object.keys(EXPORTS).sort());
});

for (const name of LINE_NAMES) {
  test(`line ${name}: our exports have exactly the members of those of Baileys`, async () => {
    const line = await loadLine(name);
    const { Baileys, Native } = LINES.find(each => each.name === name);
    const theirs = { ...line.theirs, WebSocketClient: Baileys };
    for (const [exported, { excuse }] of Object.entries(EXPORTS)) {
      assert.equal(typeof theirs[exported], excuse ? 'undefined' : 'function', exported);
    }
    const shared = Object.keys(NOISE_HANDLER).filter(method => NOISE_HANDLER[method].excuse === undefined);
    assert.deepEqual(handlerNames(line.theirs, line), shared.sort());
    assert.deepEqual(handlerNames(line.ours, line), Object.keys(NOISE_HANDLER).sort());
    assert.deepEqual(namesOf(Native), Object.keys(WEB_SOCKET_CLIENT).sort());
    for (const member of namesOf(Baileys)) assert.ok(member in WEB_SOCKET_CLIENT, member);
  });
}

/** An object that records which of its functions, and which methods of its handlers, are called. */
function noting(object, called) {
  return new Proxy(object, {
    get(target, name) {
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...args) => {
        called.add(name);
        const result = value(...args);
        return name === 'makeNoiseHandler' ? noting(result, called) : result;
      };
    }
  });
}

for (const { name: propertyName, inputs, run } of PROPERTIES) {
  test(`${propertyName} uses the exports that it compares, on both sides`, async () => {
    const listed = Object.entries({ ...EXPORTS, ...NOISE_HANDLER }).flatMap(([name, { properties = [] }]) =>
      properties.includes(propertyName) ? [name] : []
    );
    assert.ok(listed.length > 0, `surface.mjs lists nothing for ${propertyName}`);
    const line = await loadLine('7');
    const [theirs, ours] = [new Set(), new Set()];
    const watched = { ...line, theirs: noting(line.theirs, theirs), ours: noting(line.ours, ours) };
    for (const input of fc.sample(inputs(line), { numRuns: 30, seed: SEED })) await run(watched, input);
    for (const name of listed) assert.ok(theirs.has(name) && ours.has(name), `${propertyName} never calls ${name}`);
  });
}

test('every named scenario and property exists', async () => {
  for (const [name, { properties, file, titles, excuse }] of Object.entries({
    ...EXPORTS,
    ...NOISE_HANDLER,
    ...WEB_SOCKET_CLIENT
  })) {
    assert.ok(properties?.length || titles?.length || excuse, `${name} is neither compared nor excused`);
    for (const property of properties ?? [])
      assert.ok(
        PROPERTIES.some(each => each.name === property),
        property
      );
    if (!file) continue;
    const source = await readFile(new URL(file, import.meta.url), 'utf8');
    for (const title of titles) assert.ok(source.includes(title), `${file} has no “${title}”`);
  }
});

testSameResult(
  'a new client',
  Client => {
    const url = new URL('ws://127.0.0.1:1/ws');
    const config = { connectTimeoutMs: 1 };
    const client = new Client(url, config);
    return {
      name: Client.name,
      sameUrl: client.url === url,
      sameConfig: client.config === config,
      socket: client.socket,
      listeners: client.eventNames(),
      maxListeners: client.getMaxListeners(),
      getters: [client.isOpen, client.isClosed, client.isClosing, client.isConnecting],
      lengths: ['connect', 'close', 'send'].map(name => client[name].length)
    };
  },
  {
    outcome: ({ getters }) =>
      `isOpen ${getters[0]}, isClosed ${getters[1]}, isClosing ${getters[2]}, isConnecting ${getters[3]}`
  }
);
