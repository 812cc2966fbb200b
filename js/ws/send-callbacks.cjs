'use strict';

/** The callbacks of `send`, `ping` and `pong` of one connection. */

const {
  accepted: { LATER, NO: REFUSED }
} = require('../addon/abi.cjs');
const turn = require('../addon/loop-turn.cjs');
const { OPEN, STATE_NAMES } = require('./ready-state.cjs');

/** @typedef {(error?: Error | null) => void} SendCallback */

/**
 * A message whose callback waits.
 *
 * @typedef {object} WaitingMessage
 * @property {SendCallback | undefined} callback undefined if the message has none
 * @property {boolean} isCounted whether the addon will report it as written. Otherwise it is accepted already, and waits
 *   for the callbacks of the messages before it
 */

class SendCallbacks {
  /** Oldest first. @type {WaitingMessage[]} */
  #waiting = [];

  /**
   * Calls the callback of a message, or stores it until the message is written.
   *
   * @param {number} accepted the result of the addon's `send`
   * @param {SendCallback | undefined} callback
   * @param {number} readyState the state of the connection
   */
  settle(accepted, callback, readyState) {
    if (accepted === LATER) {
      this.#waiting.push({ callback: typeof callback === 'function' ? callback : undefined, isCounted: true });
    } else if (typeof callback !== 'function') {
      // Nobody waits.
    } else if (accepted === REFUSED && readyState === OPEN) {
      // The connection has ended in the addon, and JavaScript has not received that event yet. Node also writes to such a
      // socket. The callback gets its error after `close`, from which Baileys takes the reason.
      this.#waiting.push({ callback, isCounted: true });
    } else if (accepted === REFUSED) {
      callBack(callback, new Error(`WebSocket is not open: readyState ${readyState} (${STATE_NAMES[readyState]})`));
    } else if (this.#waiting.length > 0) {
      this.#waiting.push({ callback, isCounted: false });
    } else if (turn.isLong()) {
      turn.afterTurn(callback, null);
    } else {
      process.nextTick(callback, null);
    }
  }

  /**
   * Calls the callbacks of the oldest messages: they are written.
   *
   * @param {number} count
   */
  written(count) {
    let left = count;
    const stop = this.#waiting.findIndex(({ isCounted }) => isCounted && left-- === 0);
    for (const { callback } of this.#waiting.splice(0, stop === -1 ? Infinity : stop)) {
      if (callback) callBack(callback, null);
    }
  }

  /** Calls all callbacks with an error: the connection has ended. */
  fail() {
    for (const { callback } of this.#waiting) {
      if (!callback) continue;
      const error = new Error('Cannot call write after a stream was destroyed');
      callBack(callback, Object.assign(error, { code: 'ERR_STREAM_DESTROYED' }));
    }
    this.#waiting = [];
  }
}

/**
 * Calls a callback soon, and after those that wait for the end of the turn.
 *
 * @param {SendCallback} callback
 * @param {Error | null} error
 */
function callBack(callback, error) {
  if (turn.hasWaiting()) turn.afterTurn(callback, error);
  else process.nextTick(callback, error);
}

module.exports = { SendCallbacks };
