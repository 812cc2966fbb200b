'use strict';

// The addon keeps a connection alive while this thread is blocked; see docs/architecture.md. This file has the
// JavaScript half. A heartbeat shows that the thread runs. After a block, this file reports to Baileys that the
// connection is alive, before Baileys' own keep-alive timer runs.

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
const HEARTBEATS = 16;

/** Baileys' timer runs at most this many milliseconds after ours, unless the thread is blocked between them. */
const TIMER_GAP_MS = 20;

/** The longest keep-alive interval, in milliseconds: the longest timer of Node.js. */
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
 * @typedef {object} KeepAliveClient The noise handler of a socket.
 * @property {number} interval
 * @property {() => void} reportAlive Reports to Baileys that the connection is alive.
 * @property {() => number} sealed The number of frames that the handler has sealed.
 */

/** @type {Map<number, { interval: number, timer: NodeJS.Timeout }>} */
const watched = new Map();

/** @type {NodeJS.Timeout | undefined} */
let heartbeatTimer;
let period = Infinity;

/**
 * Starts our timer for a socket. Call it before Baileys starts its timer of the same interval: Node runs timers of one
 * duration in the order in which they were started.
 *
 * @param {number} socket
 * @param {KeepAliveClient} client
 */
function startKeepAlive(socket, client) {
  stopKeepAlive(socket);
  const { interval } = client;
  watched.set(socket, { interval, timer: startTimer(socket, client) });
  scheduleHeartbeat();
}

/**
 * @param {number} socket
 * @param {KeepAliveClient} client
 */
function startTimer(socket, client) {
  const { interval } = client;
  const late = Math.min(LATE_MS, interval / 8);
  let since = performance.now();
  const timer = timers.setInterval(() => {
    const now = performance.now();
    const delay = now - since - interval;
    since = now;
    // The socket may have ended before the handshake was finished.
    if (core.silence(socket) < 0) {
      stopKeepAlive(socket);
      return;
    }
    if (delay > late) reportAlive(socket, client);
    watchBaileysTimer(socket, client, late);
  }, interval);
  return timer.unref();
}

/** @param {number} socket */
function stopKeepAlive(socket) {
  const entry = watched.get(socket);
  if (entry === undefined) return;
  timers.clearInterval(entry.timer);
  watched.delete(socket);
  scheduleHeartbeat();
}

/**
 * Reports to Baileys that the connection is alive, unless the server was silent for too long.
 *
 * @param {number} socket
 * @param {KeepAliveClient} client
 */
function reportAlive(socket, { interval, reportAlive: report }) {
  const ago = core.silence(socket);
  if (ago >= 0 && ago <= interval + GRACE_MS) report();
}

/**
 * Covers the time between our timer and Baileys' timer, which may run some milliseconds later: the thread may be
 * blocked in between. A timer of 1 ms checks for that until Baileys' timer has run. Baileys' timer sends a query, so
 * that `sealed` changes.
 *
 * @param {number} socket
 * @param {KeepAliveClient} client
 * @param {number} late
 */
function watchBaileysTimer(socket, client, late) {
  const sealed = client.sealed();
  const start = performance.now();
  let last = start;
  const look = () => {
    const entry = watched.get(socket);
    if (entry === undefined) return;
    const now = performance.now();
    const isLate = now - last > late;
    last = now;
    if (isLate) reportAlive(socket, client);
    if (client.sealed() !== sealed) return;
    if (isLate) {
      // Our timer is started again, so that it runs before Baileys' next one.
      timers.clearInterval(entry.timer);
      entry.timer = startTimer(socket, client);
    } else if (now - start < late + TIMER_GAP_MS) {
      again();
    }
  };
  const again = () => void timers.setTimeout(look, 1).unref();
  again();
}

/** Starts the heartbeat for the shortest interval of all sockets. */
function scheduleHeartbeat() {
  const shortest = Math.min(...Array.from(watched.values(), ({ interval }) => interval));
  if (shortest / HEARTBEATS === period) return;
  timers.clearInterval(heartbeatTimer);
  period = shortest / HEARTBEATS;
  if (watched.size === 0) return;
  core.heartbeat();
  let since = performance.now();
  heartbeatTimer = timers
    .setInterval(() => {
      const now = performance.now();
      const late = now - since > 3 * period;
      since = now;
      core.heartbeat();
      // Deliver the waiting stanzas before other timers run: the answer of a query can be among them, and its timeout
      // must not run first.
      if (late) pump.runNow();
    }, period)
    .unref();
}

module.exports = { GRACE_MS, intervalOf, startKeepAlive, stopKeepAlive };
