// A node: it takes its share of the sessions, connects them, does their work and tells what comes in. Any number of nodes
// run on any number of machines; they meet in Redis. Start: node examples/cluster/node.mjs

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ConnectLimiter } from 'baileys-native';
import { Redis } from 'ioredis';
import { chosenServer } from '../server.cjs';
import { PostgresOwnership } from './postgres-ownership.mjs';
import { Expired, RedisOwnership } from './redis-ownership.mjs';
import { settings } from './settings.mjs';
import { Slot } from './slot.mjs';
import { withScripts } from './store.mjs';

/** The longest wait for work. Shorter than a lease, so that Redis gives no work to a node that is frozen and replaced. */
const WAIT_MS = 200;
/** Work that has not been finished for so many leases is taken up by the slot's owner. */
const LEFT_LYING = 3;

const log = text => console.log(`${settings.name}: ${text}`);

const redis = withScripts(new Redis(settings.redisUrl, { maxRetriesPerRequest: null }));
// A client that waits for work can do nothing else.
const waiting = new Redis(settings.redisUrl, { maxRetriesPerRequest: null });
for (const client of [redis, waiting]) client.on('error', error => log(`Redis: ${error.message}`));

const limiter = new ConnectLimiter({ perSecond: settings.connectsPerSecond, burst: 5 });
const { url, trustedRoot } = await chosenServer();
// The mock server is told which node it talks to.
const options = { connectLimiter: limiter, ...(url && { url, trustedRoot, headers: { 'x-node': settings.name } }) };

const slots = new Map();
let leaseUntil = 0;
/** The present wait for work. */
let reading = Promise.resolve();
let isStopping = false;
let ownership = await join();

/** A lease under a new name. */
async function join() {
  const member = `${settings.name}:${randomUUID()}`;
  const { databaseUrl } = settings;
  return databaseUrl
    ? PostgresOwnership.open(databaseUrl, member, settings)
    : new RedisOwnership(redis, member, settings);
}

/** Renews the lease; slots come and go with it. */
async function beat() {
  // Before the question: by Redis' clock the lease may begin a little later, never earlier.
  const asked = Date.now();
  const { members, surplus, taken } = await ownership.beat();
  leaseUntil = asked + settings.leaseMs - settings.marginMs;
  limiter.perSecond = settings.connectsPerSecond / members;
  for (const slot of slots.values()) slot.holdUntil(leaseUntil);
  for (const owned of taken) void open(new Slot(owned, { redis, settings, log, options }));
  if (taken.length > 0) log(`has taken ${taken.length} slots, of ${members} nodes`);
  const given = [...slots.values()].filter(({ isSettled }) => isSettled).slice(0, surplus);
  if (given.length > 0) void giveAway(given).catch(error => log(error.message));
}

async function open(slot) {
  slots.set(slot.number, slot);
  try {
    await slot.open(() => leaseUntil);
  } catch (error) {
    log(`slot ${slot.number}: ${error.message}`);
    if (slots.get(slot.number) !== slot) return;
    await giveAway([slot]).catch(() => {});
  }
}

/** Ends the sessions of slots, and lets others take those. */
async function giveAway(given) {
  await Promise.all(given.map(slot => slot.handOver()));
  // What it brings of these slots has to be there for their next owners.
  await reading;
  const still = given.filter(slot => slots.get(slot.number) === slot);
  for (const slot of still) slots.delete(slot.number);
  await ownership.release(still.map(({ number }) => number));
}

/** The lease has ended: others may own the slots. The sessions have dropped their connections by themselves. */
async function expired() {
  log(`the lease has ended, with ${slots.size} slots`);
  for (const slot of slots.values()) slot.drop();
  slots.clear();
  await ownership.close();
  ownership = await join();
}

/** Renews the lease of a node that gives its slots away. */
async function renew() {
  const asked = Date.now();
  await ownership.beat({ leaving: true });
  leaseUntil = asked + settings.leaseMs - settings.marginMs;
  for (const slot of slots.values()) slot.holdUntil(leaseUntil);
}

async function keepLease() {
  for (let beats = 1; !isStopping; beats++) {
    try {
      await beat();
    } catch (error) {
      if (error instanceof Expired) await expired();
      else log(`no lease: ${error.message}`);
    }
    if (beats % 10 === 0) {
      for (const slot of slots.values()) {
        if (slot.state === 'open') slot.claim(LEFT_LYING * settings.leaseMs).catch(error => log(error.message));
      }
    }
    await pause(settings.beatMs);
  }
}

async function takeWork() {
  while (!isStopping) {
    const open = [...slots.values()].filter(({ state }) => state === 'open');
    const inFlight = open.reduce((sum, slot) => sum + slot.inFlight, 0);
    const mayTake = open.length > 0 && inFlight < settings.mostInFlight && Date.now() < leaseUntil;
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
      // Work of a slot that is closing meanwhile stays with this consumer until the next owner claims it.
      for (const [key, entries] of streams) byKey.get(key).take(entries);
    } catch (error) {
      if (!isStopping) log(`no work: ${error.message}`);
      await pause(WAIT_MS);
    }
  }
}

async function stop() {
  if (isStopping) return;
  isStopping = true;
  // The lease goes on while the sessions are handed over.
  const renewal = setInterval(() => void renew().catch(error => log(`no lease: ${error.message}`)), settings.beatMs);
  try {
    await giveAway([...slots.values()]);
  } finally {
    clearInterval(renewal);
    await ownership.close();
    redis.disconnect();
    waiting.disconnect();
  }
  log('has stopped');
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop().catch(error => log(error.message)));

void takeWork();
await keepLease();
