// The worker thread of a node. It renews the lease and takes slots, with its own connection to the database. So the
// sessions stay connected if encryption blocks the main thread for longer than a lease.
//
// Messages to the main thread:
//   { lease, taken, members, surplus }   after each renewal; `lease` is the id of the `Lease`
//   { ended }                            the lease with this id has ended, and the node has lost its slots
//   { released }                         the slots of the `release` with this number were released
//   { log }                              a line for the log
// Messages from the main thread:
//   { release, number }                  release these slots
//   { leave }                            take no more slots
//   { close }                            leave the cluster and end the thread

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Lease } from 'baileys-native';
import { Redis } from 'ioredis';
import { PostgresOwnership } from './postgres-ownership.mjs';
import { Expired, RedisOwnership } from './redis-ownership.mjs';
import { settings } from './settings.mjs';

/** A number that the main thread increments while it runs. */
const turns = new Int32Array(workerData.turns);

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const log = (/** @type {string} */ text) => port.postMessage({ log: text });

/** @type {Redis | undefined} */
let redis;
/** @type {RedisOwnership | PostgresOwnership} */
let ownership;
/** @type {Lease | undefined} */
let lease;
/** A node that leaves takes no slots. */
let isLeaving = false;
let isClosing = false;
/** When the main thread ran last. */
let ranAt = performance.now();
let lastTurns = 0;

/** Joins the cluster under a new name. */
async function join() {
  const member = `${settings.name}:${randomUUID()}`;
  if (settings.databaseUrl) return PostgresOwnership.open(settings.databaseUrl, member, settings);
  redis ??= new Redis(settings.redisUrl, { maxRetriesPerRequest: null });
  if (redis.listenerCount('error') === 0) redis.on('error', error => log(`Redis: ${error.message}`));
  return new RedisOwnership(redis, member, settings);
}

/** How long the main thread has not run, in milliseconds. */
function mainBlockedMs() {
  const now = performance.now();
  const count = Atomics.load(turns, 0);
  if (count !== lastTurns) [lastTurns, ranAt] = [count, now];
  return now - ranAt;
}

async function renew() {
  const blockedMs = mainBlockedMs();
  if (blockedMs > settings.hangMs) throw new Expired(`the main thread has not run for ${Math.round(blockedMs)} ms`);
  // Read before the request. So the lease that the database grants never starts before this time.
  const asked = Date.now();
  // A main thread that is blocked cannot connect more sessions now.
  const leaving = isLeaving || blockedMs > settings.leaseMs;
  const { members, surplus, taken } = await ownership.renew({ leaving });
  const until = asked + settings.leaseMs - settings.marginMs;
  if (lease === undefined) lease = new Lease(until);
  else if (!lease.renew(until)) throw new Expired('it was renewed too late');
  port.postMessage({ lease: lease.id, members, surplus, taken });
}

/**
 * Handles the end of the lease: other nodes can own the slots now. The sessions have already dropped their connections.
 * Joins again when the main thread runs.
 */
async function expire(/** @type {Error} */ { message }) {
  log(`the lease has ended: ${message}`);
  if (lease !== undefined) port.postMessage({ ended: lease.id });
  lease = undefined;
  await ownership.close();
  while (mainBlockedMs() > settings.leaseMs) await pause(settings.renewMs);
  ownership = await join();
}

port.on('message', async message => {
  if (message.release !== undefined) {
    await ownership.release(message.release).catch(error => log(`slots were not released: ${error.message}`));
    port.postMessage({ released: message.number });
  } else if (message.leave) {
    isLeaving = true;
  } else if (message.close) {
    isClosing = true;
  }
});

ownership = await join();
while (!isClosing) {
  try {
    await renew();
  } catch (error) {
    if (!(error instanceof Expired)) log(`the lease was not renewed: ${error.message}`);
    else await expire(error).catch(cause => log(`cannot join: ${cause.message}`));
  }
  await pause(settings.renewMs);
}
await ownership.close();
redis?.disconnect();
port.close();
