// The worker thread of a node that renews the lease and takes slots. It has its own connection to the database. The main
// thread can be busy with encryption for longer than a lease; the sessions stay connected meanwhile.
//
// Messages to the main thread:
//   { lease, taken, members, surplus }   after each renewal; `lease` is the id of the `Lease`
//   { ended }                            the lease with this id has ended, together with its slots
//   { released }                         the answer to `release`: the request's number
//   { closed }                           the answer to `close`
// Messages from it: { release, number }, { leave } and { close }.

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Lease } from 'baileys-native';
import { Redis } from 'ioredis';
import { PostgresOwnership } from './postgres-ownership.mjs';
import { Expired, RedisOwnership } from './redis-ownership.mjs';
import { settings } from './settings.mjs';

/** The main thread increments it while it runs. */
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

/** Joins under a new name. */
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
  // The time before the request: by the clock of the database the lease starts later, never earlier.
  const asked = Date.now();
  // A main thread that is blocked cannot connect more sessions now.
  const leaving = isLeaving || blockedMs > settings.leaseMs;
  const { members, surplus, taken } = await ownership.renew({ leaving });
  const until = asked + settings.leaseMs - settings.marginMs;
  if (lease === undefined) lease = new Lease(until);
  else if (!lease.renew(until)) throw new Expired('it was renewed too late');
  port.postMessage({ lease: lease.id, members, surplus, taken });
}

/** The lease has ended; other nodes can own the slots. The sessions have dropped their connections by themselves. */
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
port.postMessage({ closed: true });
port.close();
