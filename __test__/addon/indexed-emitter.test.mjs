// Compares the emitter that skips events without listeners with Node's EventEmitter.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';

const { IndexedEmitter } = createRequire(import.meta.url)('../../js/baileys/indexed-emitter.cjs');

const SYMBOL = Symbol('event');
const NAMES = [
  'a',
  'b',
  'CB:ack',
  'CB:iq,,',
  'CB:ib,,',
  'error',
  'newListener',
  'removeListener',
  'x'.repeat(127),
  'x'.repeat(128),
  'y'.repeat(300),
  '',
  '__proto__',
  'constructor',
  SYMBOL,
  EventEmitter.errorMonitor,
  7
];
const ADDERS = ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener'];

const name = fc.constantFrom(...NAMES);
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('emit'), name, args: fc.array(fc.integer(), { maxLength: 4 }) })
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom(...ADDERS), name, id: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('off', 'removeListener'), name, id: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('removeAllListeners'), name: fc.option(name) }) },
  // Listeners that are added without the methods of this emitter.
  { weight: 1, arbitrary: fc.record({ op: fc.constant('borrowed'), name, id: fc.nat(3) }) }
);

/** Runs operations and returns everything that can be observed. */
function run(Emitter, operations) {
  const emitter = new Emitter();
  const log = [];
  let changed = false;
  const listeners = Array.from({ length: 4 }, (_, id) => (...args) => {
    log.push(['heard', id, ...args.filter(arg => typeof arg !== 'function')]);
    // This listener changes the listeners during the event.
    if (id === 3 && !changed) {
      changed = true;
      emitter.on('a', listeners[0]);
    }
  });
  for (const { op, name, id, args } of operations) {
    try {
      if (op === 'emit') log.push(emitter.emit(name, ...args));
      else if (op === 'borrowed') EventEmitter.prototype.on.call(emitter, name, listeners[id]);
      else if (op === 'removeAllListeners') emitter.removeAllListeners(...(name === null ? [] : [name]));
      else assert.equal(emitter[op](name, listeners[id]), emitter);
    } catch (error) {
      log.push([error.constructor.name, error.code]);
    }
    log.push(
      emitter.eventNames(),
      NAMES.map(each => emitter.listenerCount(each))
    );
  }
  return log;
}

test('an indexed emitter behaves like EventEmitter for random calls', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 25 }), operations => {
      assert.deepEqual(run(IndexedEmitter, operations), run(EventEmitter, operations));
    }),
    { numRuns: 1000 }
  );
});

test('a listener is called if it was added while a listener of another name was removed', () => {
  const emitter = new IndexedEmitter();
  const heard = [];
  emitter.once('TAG:1', () => heard.push(1));
  emitter.emit('TAG:1');
  emitter.once('TAG:22', () => heard.push(22));
  assert.equal(emitter.emit('TAG:22'), true);
  assert.deepEqual(heard, [1, 22]);
});

test("a 'removeListener' listener is called if it was added by EventEmitter.prototype", () => {
  const emitter = new IndexedEmitter();
  const heard = [];
  EventEmitter.prototype.on.call(emitter, 'a', () => {});
  emitter.emit('a');
  EventEmitter.prototype.on.call(emitter, 'removeListener', name => heard.push(name));
  emitter.removeAllListeners();
  assert.deepEqual(heard, ['a']);
});

test("an 'error' without a listener is thrown", () => {
  assert.throws(() => new IndexedEmitter().emit('error', new Error('mine')), /mine/);
});

test('an indexed emitter works with events.once and with captureRejections', async () => {
  const emitter = new IndexedEmitter({ captureRejections: true });
  queueMicrotask(() => emitter.emit('ready', 1));
  assert.deepEqual(await once(emitter, 'ready'), [1]);
  emitter.on('bad', async () => {
    throw new Error('rejected');
  });
  const failure = once(emitter, 'error');
  emitter.emit('bad');
  assert.match((await failure)[0].message, /rejected/);
});

test('emit() does not flatten names without a listener', () => {
  const emitter = new IndexedEmitter();
  emitter.on('CB:ack', () => assert.fail('not this one'));
  assert.equal(emitter.emit('CB:iq,id:1'), false);
  assert.equal(emitter.emit('CB:abc'), false);
});
