'use strict';

// What this thread has to do so that the addon can stand in for it while it does not run, see docs/architecture.md: it shows
// that it runs, and when it runs again it tells Baileys that the connection lives before Baileys' own timer asks.

const timers = require('node:timers');

const {
  limit: { MIN_KEEP_ALIVE_INTERVAL }
} = require('./abi.cjs');
const { core } = require('./shared-memory.cjs');
const { environmentSwitch } = require('../shared/environment.cjs');
const pump = require('./event-pump.cjs');

/** Baileys gives a connection up of which it has heard nothing for its interval and so many milliseconds. */
const GRACE_MS = 5_000;

/** A timer that is later than this, or than an eighth of the interval, shows that the thread was blocked. */
const LATE_MS = 500;

/** How often in an interval this thread shows that it runs. */
const BEATS = 16;

/** How long Baileys' timer may be behind ours of the same interval, beyond what a block between them may have added. */
const CLOSE_MS = 20;

/** The longest interval for which the addon keeps a connection alive: that of a timer of Node.js. */
const MAX_INTERVAL = 2 ** 31 - 1;

/**
 * The interval for which a connection with this configuration is to be kept alive, 0 where it is not.
 *
 * @param {{ keepAliveIntervalMs?: unknown, keepAliveWhileBlocked?: unknown }} [config]
 */
function intervalOf(config) {
  const interval = Math.trunc(Number(config?.keepAliveIntervalMs));
  const wanted = config?.keepAliveWhileBlocked !== false && environmentSwitch('BAILEYS_NATIVE_KEEP_ALIVE') !== false;
  return wanted && interval >= MIN_KEEP_ALIVE_INTERVAL && interval <= MAX_INTERVAL ? interval : 0;
}

/**
 * @typedef {object} Party Who sends through a socket.
 * @property {number} interval
 * @property {() => void} tell Tells it that the connection lives.
 * @property {() => number} sealed How many frames it has sealed.
 */

/** @type {Map<number, { interval: number, guard: NodeJS.Timeout }>} */
const watched = new Map();

/** @type {NodeJS.Timeout | undefined} */
let pulse;
let period = Infinity;

/**
 * From now on the addon stands in for this thread on a socket. To be called before Baileys starts its timer of the same
 * interval: timers of one duration run in the order in which they were started, and keep it.
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
    // A handler may have finished its handshake when its socket was gone already.
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
 * Tells Baileys that the connection lives, where it does.
 *
 * @param {number} socket
 * @param {Party} party
 */
function tell(socket, { interval, tell }) {
  const ago = core.silence(socket);
  if (ago >= 0 && ago <= interval + GRACE_MS) tell();
}

/**
 * Our timer has run, but Baileys' may follow some milliseconds later, and the thread be blocked between them. So
 * until it has run, which shows in a frame, the shortest timer is ahead of it.
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
      // Baileys' timer, which is next, is ahead of ours now, and would stay there.
      timers.clearInterval(entry.guard);
      entry.guard = startGuard(socket, party);
    } else if (now - start < late + CLOSE_MS) {
      again();
    }
  };
  const again = () => void timers.setTimeout(look, 1).unref();
  again();
}

/** Shows often enough that this thread runs, for the shortest interval there is. */
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
      // What came meanwhile goes first: it may be what the timers wait for.
      if (late) pump.run();
    }, period)
    .unref();
}

module.exports = { intervalOf, enter, leave };
