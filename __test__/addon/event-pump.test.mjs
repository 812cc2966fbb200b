// The event pump with a queue in JavaScript instead of the addon: in which turn of the event loop it dispatches events.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { beforeEach, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

const require = createRequire(import.meta.url);
const { batchHead, record } = require('../../js/addon/abi.cjs');

/** The number of the only source of events. */
const SOURCE = 7;

/** The events that the addon would have, as values of records. */
const queue = [];
let words;
const core = {
  shareBatch(shared) {
    words = shared;
  },
  drain() {
    words.fill(0, 0, batchHead.WORDS);
    const values = queue.splice(0);
    values.forEach((value, i) => {
      const at = batchHead.WORDS + i * record.WORDS;
      words.fill(0, at, at + record.WORDS);
      words[at + record.SOURCE] = SOURCE;
      words[at + record.VALUE] = value;
    });
    return values.length;
  },
  endTurn() {},
  writeAll() {}
};
const wake = { callback() {} };
const path = require.resolve('../../js/addon/shared-memory.cjs');
require.cache[path] = {
  id: path,
  filename: path,
  loaded: true,
  exports: { core, wake, environment: {}, nextPowerOfTwo: length => length }
};
const pump = require('../../js/addon/event-pump.cjs');
const turn = require('../../js/addon/loop-turn.cjs');

const order = [];
pump.add(SOURCE, { deliver: (_, value) => order.push(value) });
beforeEach(() => void order.splice(0));

/** Sends a message in a turn that takes longer than the time after which callbacks wait for its end. */
function sendInLongTurn(callback) {
  turn.sentInTurn();
  const end = performance.now() + 5;
  while (performance.now() < end);
  assert.ok(turn.isLong());
  turn.afterTurn(callback, undefined);
}

/** Adds events and wakes the pump, as the addon does if its queue was empty. */
function arrive(...values) {
  queue.push(...values);
  wake.callback();
}

test('events are dispatched at once if no callback waits', () => {
  arrive(1, 2);
  assert.deepEqual(order, [1, 2]);
});

test('events of two wakes in a long turn are dispatched after the callbacks of its messages', async () => {
  sendInLongTurn(() => order.push('callback'));
  arrive(1);
  arrive(2);
  arrive(3);
  assert.deepEqual(order, []);
  while (order.length < 4) await nextTurn();
  assert.deepEqual(order, ['callback', 1, 2, 3]);
});

test('runNow() dispatches the events that wait, before the callbacks', async () => {
  sendInLongTurn(() => order.push('callback'));
  arrive(1);
  queue.push(2);
  pump.runNow();
  assert.deepEqual(order, [1]);
  while (order.length < 3) await nextTurn();
  assert.deepEqual(order, [1, 'callback', 2]);
});

test('events are dispatched also while a program sends in each callback', async () => {
  let rounds = 0;
  const again = () => {
    order.push('callback');
    if (++rounds < 5) sendInLongTurn(again);
  };
  sendInLongTurn(again);
  arrive(1);
  while (rounds < 5) await nextTurn();
  assert.ok(order.indexOf(1) >= 1 && order.indexOf(1) <= 2, String(order));
});

test('events are dispatched in later turns also while and after a program has replaced setImmediate', async t => {
  t.mock.timers.enable({ apis: ['setImmediate'] });
  const values = Array.from({ length: 300 }, (_, value) => value);
  arrive(...values);
  assert.ok(order.length < values.length);
  t.mock.timers.reset();
  for (let turns = 0; turns < 3; turns++) await nextTurn();
  arrive(300);
  assert.deepEqual(order, [...values, 300]);
});
