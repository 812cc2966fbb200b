'use strict';

// The addon keeps a connection alive while this thread is blocked; see docs/architecture.md. This file has the
// JavaScript half. A heartbeat shows that the thread runs. After a block, Baileys is told that the connection is alive
// before Baileys' own keep-alive timer runs.

const timers = require('node:timers');

const {
  limit: { MIN_KEEP_ALIVE_INTERVAL }
} = require('./abi.cjs');
const { core } = require('./shared-memory.cjs');
const { environmentSwitch } = require('../shared/environment.cjs');
const pump = require('./event-pump.cjs');

/** Baileys ends a connection that was silent for its keep-alive interval and this many milliseconds. */
const GRACE_MS = 5_000;

/** A timer that is this many milliseconds late, or an eighth of the interval, shows that the thread was blocked. */
const LATE_MS = 500;

/** The number of heartbeats in one interval. */
const BEATS = 16;

/** Baileys' timer runs at most this many milliseconds after ours, unless the thread is blocked between them. */
const CLOSE_MS = 20;

/** The longest interval for which the addon keeps a connection alive: the longest timer of Node.js. */
const MAX_INTERVAL = 2 ** 31 - 1;

/**
 * The keep-alive interval of a configuration in milliseconds; 0 if the addon must not keep the connection alive.
 *
 * @param {{ keepAliveIntervalMs?: unknown, keepAliveWhileBlocked?: unknown }} [config]
 */
function intervalOf(config) {
  const interval = Math.trunc(Number(config?.keepAliveIntervalMs));
  const wanted = config?.keepAliveWhileBlocked !== false && environmentSwitch('BAILEYS_NATIVE_KEEP_ALIVE') !== false;
  return wanted && interval >= MIN_KEEP_ALIVE_INTERVAL && interval <= MAX_INTERVAL ? interval : 0;
}

/**
 * @typedef {object} Party The noise handler of a socket.
 * @property {number} interval
 * @property {() => void} tell Tells Baileys that the connection is alive.
 * @property {() => number} sealed The number of frames that the handler has sealed.
 */

/** @type {Map<number, { interval: number, guard: NodeJS.Timeout }>} */
const watched = new Map();

/** @type {NodeJS.Timeout | undefined} */
let pulse;
let period = Infinity;

/**
 * Starts our timer for a socket. Call it before Baileys starts its timer of the same interval: Node runs timers of one
 * duration in the order in which they were started.
 *
 * @param {number} socket
 * @param {Party} party
 */
function enter(socket, party) {
  leave(socket);
  const { interval } = party;
  watched.set(socket, { interval, guard: startGuard(socket, party) });
  setPulse();
}

/**
 * @param {number} socket
 * @param {Party} party
 */
function startGuard(socket, party) {
  const { interval } = party;
  const late = Math.min(LATE_MS, interval / 8);
  let since = performance.now();
  const guard = timers.setInterval(() => {
    const now = performance.now();
    const delay = now - since - interval;
    since = now;
    // The socket may have ended before the handshake was finished.
    if (core.silence(socket) < 0) {
      leave(socket);
      return;
    }
    if (delay > late) tell(socket, party);
    standClose(socket, party, late);
  }, interval);
  return guard.unref();
}

/** @param {number} socket */
function leave(socket) {
  const entry = watched.get(socket);
  if (entry === undefined) return;
  timers.clearInterval(entry.guard);
  watched.delete(socket);
  setPulse();
}

/**
 * Tells Baileys that the connection is alive, unless the server was silent for too long.
 *
 * @param {number} socket
 * @param {Party} party
 */
function tell(socket, { interval, tell }) {
  const ago = core.silence(socket);
  if (ago >= 0 && ago <= interval + GRACE_MS) tell();
}

/**
 * Covers the time between our timer and Baileys' timer, which may run some milliseconds later: the thread may be
 * blocked in between. A timer of 1 ms checks for that until Baileys' timer has run. Baileys' timer sends a query, so
 * that `sealed` changes.
 *
 * @param {number} socket
 * @param {Party} party
 * @param {number} late
 */
function standClose(socket, party, late) {
  const sealed = party.sealed();
  const start = performance.now();
  let last = start;
  const look = () => {
    const entry = watched.get(socket);
    if (entry === undefined) return;
    const now = performance.now();
    const isLate = now - last > late;
    last = now;
    if (isLate) tell(socket, party);
    if (party.sealed() !== sealed) return;
    if (isLate) {
      // Our timer is started again, so that it runs before Baileys' next one.
      timers.clearInterval(entry.guard);
      entry.guard = startGuard(socket, party);
    } else if (now - start < late + CLOSE_MS) {
      again();
    }
  };
  const again = () => void timers.setTimeout(look, 1).unref();
  again();
}

/** Starts the heartbeat for the shortest interval of all sockets. */
function setPulse() {
  const shortest = Math.min(...Array.from(watched.values(), ({ interval }) => interval));
  if (shortest / BEATS === period) return;
  timers.clearInterval(pulse);
  period = shortest / BEATS;
  if (watched.size === 0) return;
  core.heartbeat();
  let since = performance.now();
  pulse = timers
    .setInterval(() => {
      const now = performance.now();
      const late = now - since > 3 * period;
      since = now;
      core.heartbeat();
      // Deliver the waiting stanzas before other timers run: the answer of a query can be among them, and its timeout
      // must not run first.
      if (late) pump.run();
    }, period)
    .unref();
}

module.exports = { GRACE_MS, intervalOf, enter, leave };
