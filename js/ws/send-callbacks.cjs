'use strict';

/** The callbacks of `send`, `ping` and `pong` of one connection. */

const {
  accepted: { LATER, NO: REFUSED }
} = require('../addon/abi.cjs');
const turn = require('../addon/loop-turn.cjs');
const { OPEN, STATE_NAMES } = require('./ready-state.cjs');

/** @typedef {(error?: Error | null) => void} SendCallback */

class SendCallbacks {
  /**
   * One item for each message that is not written yet, oldest first. It is undefined if the message has no callback.
   *
   * @type {(SendCallback | undefined)[]}
   */
  #waiting = [];

  /**
   * Calls the callback of a message, or stores it until the message is written.
   *
   * @param {number} accepted the result of the addon's `send`
   * @param {SendCallback | undefined} callback
   * @param {number} readyState the state of the connection
   */
  settle(accepted, callback, readyState) {
    if (typeof callback !== 'function') {
      if (accepted === LATER) this.#waiting.push(undefined);
    } else if (accepted === LATER || (accepted === REFUSED && readyState === OPEN)) {
      // Refused while OPEN: the connection has ended in the addon, and JavaScript has not received that event yet. Node
      // also writes to such a socket. The callback gets its error after `close`, from which Baileys takes the reason.
      this.#waiting.push(callback);
    } else if (accepted === REFUSED) {
      const error = new Error(`WebSocket is not open: readyState ${readyState} (${STATE_NAMES[readyState]})`);
      process.nextTick(callback, error);
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
    for (const callback of this.#waiting.splice(0, count)) {
      if (callback) process.nextTick(callback, null);
    }
  }

  /** Calls all callbacks with an error: the connection has ended. */
  fail() {
    for (const callback of this.#waiting) {
      if (!callback) continue;
      const error = new Error('Cannot call write after a stream was destroyed');
      process.nextTick(callback, Object.assign(error, { code: 'ERR_STREAM_DESTROYED' }));
    }
    this.#waiting = [];
  }
}

module.exports = { SendCallbacks };
