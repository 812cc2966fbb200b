// A node of the cluster. It takes its share of the sessions, connects them, sends their texts and writes an event for
// each message that they receive. Any number of nodes can run, on any number of machines. They use the same Redis.
//
// Start: node examples/cluster/node.mjs

import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ConnectLimiter, Lease } from 'baileys-native';
import { Redis } from 'ioredis';
import { chosenServer } from '../server.cjs';
import { settings } from './settings.mjs';
import { Slot } from './slot.mjs';
import { withScripts } from './store.mjs';

/**
 * The longest time that one call waits for work, in milliseconds. It is shorter than a lease, so that Redis gives no work
 * to a node that has lost its slots.
 */
const WAIT_MS = 200;
/** Work that is not finished after this number of leases is started again. */
const UNFINISHED_LEASES = 3;

const log = text => console.log(`${settings.name}: ${text}`);

const redis = withScripts(new Redis(settings.redisUrl, { maxRetriesPerRequest: null }));
// Waiting for work needs its own connection, because a connection that waits cannot send other commands.
const waiting = new Redis(settings.redisUrl, { maxRetriesPerRequest: null });
for (const client of [redis, waiting]) client.on('error', error => log(`Redis: ${error.message}`));

const limiter = new ConnectLimiter({ perSecond: settings.connectsPerSecond, burst: 5 });
const { url, trustedRoot } = await chosenServer();
// With the header, the mock server of `npm run test:cluster` knows the node of each connection.
const options = { connectLimiter: limiter, ...(url && { url, trustedRoot, headers: { 'x-node': settings.name } }) };

/** The slots that this node owns, by number. */
const slots = new Map();
/** @type {Lease | undefined} */
let lease;
/** Resolves when the current call that waits for work has ended. */
let reading = Promise.resolve();
let isStopping = false;

// The main thread increments this number. The ownership thread reads it to detect that the main thread is blocked.
const turns = new Int32Array(new SharedArrayBuffer(4));
const running = setInterval(() => Atomics.add(turns, 0, 1), settings.renewMs);

const ownership = new Worker(new URL('ownership-thread.mjs', import.meta.url), { workerData: { turns: turns.buffer } });
/** Functions that resolve the requests to release slots, by the number of the request. */
const releases = new Map();
let lastRelease = 0;

ownership.on('message', message => {
  if (message.log !== undefined) log(message.log);
  else if (message.lease !== undefined) renewed(message);
  else if (message.ended !== undefined) ended(message.ended);
  else if (message.released !== undefined) releases.get(message.released)();
});

/** Handles a renewal of the lease: opens the new slots, and gives slots away if this node has too many. */
function renewed({ lease: id, members, surplus, taken }) {
  limiter.perSecond = settings.connectsPerSecond / members;
  if (taken.length > 0) log(`has taken ${taken.length} slots; the cluster has ${members} nodes`);
  if (isStopping) {
    void release(taken.map(({ slot }) => slot));
    return;
  }
  try {
    if (lease?.id !== id) lease = Lease.withId(id);
  } catch {
    // The lease has already ended. The next message says so.
    return;
  }
  for (const owned of taken) void open(new Slot(owned, { redis, settings, log, options }), lease);
  const kept = [...slots.values()].filter(({ state }) => state !== 'closing');
  const given = fairShare(kept, surplus - (slots.size - kept.length));
  // Only all of them together have their share of the sessions. So this waits until all are settled.
  if (given.length > 0 && given.every(({ isSettled }) => isSettled))
    void giveAway(given).catch(error => log(error.message));
}

/**
 * Chooses `count` slots with their share of the sessions. The slots are sorted by their number of sessions, and taken
 * at equal distances, because some slots have many sessions and others have none.
 */
function fairShare(from, count) {
  const bySize = from.toSorted((a, b) => b.sessions.length - a.sessions.length || a.number - b.number);
  const length = Math.max(0, Math.min(count, bySize.length));
  const start = Math.random();
  return Array.from({ length }, (_, i) => bySize[Math.floor(((i + start) * bySize.length) / length)]);
}

/**
 * Handles the end of the lease: other nodes can own the slots now. The sessions have already dropped their connections.
 */
function ended(id) {
  if (lease?.id === id) lease = undefined;
  for (const slot of slots.values()) slot.drop();
  slots.clear();
}

async function open(slot, current) {
  slots.set(slot.number, slot);
  try {
    await slot.open(current);
  } catch (error) {
    log(`slot ${slot.number}: ${error.message}`);
    if (slots.get(slot.number) === slot) await giveAway([slot]).catch(() => {});
  }
}

/** Lets other nodes take these slots. */
function release(numbers) {
  const number = ++lastRelease;
  const released = new Promise(resolve => releases.set(number, resolve)).finally(() => releases.delete(number));
  ownership.postMessage({ release: numbers, number });
  return released;
}

/** Ends the sessions of slots, and lets other nodes take the slots. */
async function giveAway(given) {
  await Promise.all(given.map(slot => slot.handOver()));
  // A call that waits for work may still get work of these slots. The next owner can claim that work only after the
  // call.
  await reading;
  const still = given.filter(slot => slots.get(slot.number) === slot);
  await release(still.map(({ number }) => number));
  for (const slot of still) if (slots.get(slot.number) === slot) slots.delete(slot.number);
}

/** Reads the work of all open slots. */
async function takeWork() {
  while (!isStopping) {
    const open = [...slots.values()].filter(({ state }) => state === 'open');
    const inFlight = open.reduce((sum, slot) => sum + slot.inFlight, 0);
    const mayTake = open.length > 0 && inFlight < settings.mostInFlight && Date.now() < (lease?.until ?? 0);
    if (!mayTake) {
      await pause(WAIT_MS);
      continue;
    }
    try {
      const keys = open.map(({ workKey }) => workKey);
      const byKey = new Map(open.map(slot => [slot.workKey, slot]));
      const group = /** @type {const} */ ([
        'GROUP',
        'owners',
        settings.name,
        'COUNT',
        100,
        'BLOCK',
        WAIT_MS,
        'STREAMS'
      ]);
      const read = waiting.xreadgroup(...group, ...keys, ...keys.map(() => '>'));
      reading = read.then(
        () => {},
        () => {}
      );
      const streams = (await read) ?? [];
      // If a slot is closing now, its sessions do no more work. The next owner of the slot claims the entries.
      for (const [key, entries] of streams) byKey.get(key).take(entries);
    } catch (error) {
      if (!isStopping) log(`no work: ${error.message}`);
      await pause(WAIT_MS);
    }
  }
}

/** Starts work again that was taken too long ago and is not finished. */
const claiming = setInterval(() => {
  for (const slot of slots.values()) {
    if (slot.state === 'open') {
      slot.claim(UNFINISHED_LEASES * settings.leaseMs).catch(error => log(`slot ${slot.number}: ${error.message}`));
    }
  }
}, UNFINISHED_LEASES * settings.leaseMs);

/** Gives all slots away, then ends the process. The lease is renewed until then. */
async function stop() {
  if (isStopping) return;
  isStopping = true;
  clearInterval(claiming);
  ownership.postMessage({ leave: true });
  await giveAway([...slots.values()]);
  // A renewal that was in progress may have taken slots. They are released too.
  while (releases.size > 0) await pause(10);
  ownership.postMessage({ close: true });
  ownership.once('exit', () => {
    clearInterval(running);
    redis.disconnect();
    waiting.disconnect();
    log('has stopped');
  });
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop().catch(error => log(error.message)));

await takeWork();
