'use strict';

// Messages of one turn of the event loop are written together at its end. If the turn takes longer than a few
// milliseconds, the I/O thread writes them.

const { performance } = require('node:perf_hooks');
const { setImmediate } = require('node:timers');

const { core } = require('./shared-memory.cjs');

/**
 * A turn may send for this number of milliseconds. After that, callbacks of messages wait for its end. Otherwise a
 * program that sends each message in the callback of the previous one would block the event loop.
 */
const MAX_MS = 2;

let isScheduled = false;
let hasExitListener = false;
/** Whether the process has emitted `exit`: no later turn may come. */
let isExiting = false;
/** When the first message of the turn was sent. */
let startedAt = 0;
/**
 * Callbacks that wait for the end of the turn, and their arguments.
 *
 * @type {[(value: any) => void, unknown][]}
 */
let waiting = [];

function endTurn() {
  isScheduled = false;
  core.endTurn();
  const callbacks = waiting;
  waiting = [];
  for (const [callback, value] of callbacks) process.nextTick(callback, value);
}

/**
 * Must be called before the first connection. `process.exit()` runs no immediates, and ends the I/O thread. What was sent
 * before it must be written.
 */
function writeAtExit() {
  if (hasExitListener) return;
  hasExitListener = true;
  process.on('exit', () => {
    isExiting = true;
    core.writeAll();
  });
}

/** Must be called after each message. The addon is then told when this turn ends. */
function sentInTurn() {
  sentAtOnce();
  if (isScheduled) return;
  isScheduled = true;
  startedAt = performance.now();
  setImmediate(endTurn);
}

/** Must be called after everything else that is sent: a close frame, a ping or a pong. */
function sentAtOnce() {
  if (isExiting) core.writeAll();
}

/** Whether this turn has sent messages for more than {@link MAX_MS}. Callbacks of messages then wait for its end. */
const isLong = () => isScheduled && performance.now() - startedAt > MAX_MS;

/**
 * Calls a function once the turn is over.
 *
 * @template Value
 * @param {(value: Value) => void} callback
 * @param {Value} value
 */
function afterTurn(callback, value) {
  waiting.push([callback, value]);
}

/** Whether callbacks wait for the end of the turn. */
const hasWaiting = () => waiting.length > 0;

module.exports = { writeAtExit, sentInTurn, sentAtOnce, isLong, afterTurn, hasWaiting };
