// Runs a cluster (examples/cluster) with a mock server. Nodes are killed, frozen and restarted under load. verify.mjs
// checks the result.

import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { initAuthCreds } from 'baileys';
import { MockServer } from 'baileys-native/testing';
import { Redis } from 'ioredis';
import pg from 'pg';
import { startPostgres, startRedis } from '../../examples/cluster/services.mjs';
import { addSession, addWork, slotOf } from '../../examples/cluster/store.mjs';
import { within } from '../shared/child.mjs';
import { Node } from './nodes.mjs';
import { watchServer } from './server-record.mjs';

/** @typedef {{ prefix: string, slots: number }} RedisPlace */
/** @typedef {(() => unknown)[]} Closers */
/** @typedef {ReturnType<typeof watchServer>} ServerRecord */
/** @typedef {{ fault: string, node: string, at: number, sessions: string[] }} Incident */
/** @typedef {ReturnType<typeof measure>} MeasuredNode */

const PREFIX = '{wa}:';
/** The time for all sessions to connect at the start, and to send all texts at the end, in milliseconds. */
const TIMEOUT_MS = 120_000;

const now = () => performance.timeOrigin + performance.now();
/** @param {number} index */
const userOf = index => String(15550000001 + index);

/**
 * Polls until `get` returns a truthy value, and resolves with it. Rejects after a time limit.
 *
 * @param {() => any} get
 * @param {string} message The beginning of the error message.
 */
async function until(get, message) {
  const late = () => `${message}, after ${TIMEOUT_MS / 1000} s`;
  const end = now() + TIMEOUT_MS;
  for (;;) {
    // A database that does not answer is a failure too.
    const value = await within(end - now(), Promise.resolve(get()), late);
    if (value) return value;
    if (now() > end) throw new Error(late());
    await pause(50);
  }
}

/**
 * Pseudo-random numbers from 0 to 1, the same for each seed (mulberry32).
 *
 * @param {number} seed
 */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * @param {object} options
 * @param {number} options.seconds The duration of the load.
 * @param {number} options.sessions
 * @param {number} options.nodes
 * @param {number} options.perSecond The number of texts per second.
 * @param {number} options.leaseMs
 * @param {number} options.connectsPerSecond
 * @param {('kill' | 'freeze' | 'restart')[]} options.faults They are repeated in this order. Empty: no faults.
 * @param {'redis' | 'postgres'} options.ownership
 * @param {boolean} [options.warmUp] Before the load, every session sends a first text to each of its receivers. The first
 *   text to a user takes more CPU time than later ones.
 * @param {boolean} [options.cut] Cuts all connections after the load.
 * @param {number} [options.seed]
 * @param {(text: string) => void} options.log
 */
export async function runCluster(options) {
  /** @type {Closers} */
  const closers = [];
  const [result] = await Promise.allSettled([run(options, closers)]);
  const errors = result.status === 'rejected' ? [result.reason] : [];
  for (const close of closers.reverse()) {
    const closed = Promise.resolve().then(close);
    await within(TIMEOUT_MS, closed, () => `not closed: ${close}`).catch(error => errors.push(error));
  }
  if (result.status === 'fulfilled' && errors.length === 0) return result.value;
  throw errors.length === 1 ? errors[0] : new AggregateError(errors, errors.map(error => error.message).join('; '));
}

/** @param {Parameters<typeof runCluster>[0]} options @param {Closers} closers */
async function run(options, closers) {
  const { seconds, sessions, leaseMs, log } = options;
  const directory = mkdtempSync(join(tmpdir(), 'baileys-native-cluster-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  // PostgreSQL runs as another user.
  chmodSync(directory, 0o755);
  const redisServer = await startRedis(directory);
  closers.push(redisServer.stop);
  const database = options.ownership === 'postgres' ? await startPostgres(directory) : undefined;
  if (database !== undefined) closers.push(database.stop);
  const redis = new Redis(redisServer.url);
  closers.push(() => redis.disconnect());
  const server = await MockServer.start({ tls: false, acceptUnknown: true, record: false });
  closers.push(() => server.stop());
  server.on('failure', error => log(`server: ${error.message}`));

  // Two sessions for each slot. With more slots than sessions, a node could have slots but no session.
  const slots = Math.max(2 * options.nodes, Math.min(64, Math.floor(sessions / 2)));
  const place = { prefix: PREFIX, slots };
  const users = Array.from({ length: sessions }, (_, index) => userOf(index));
  for (const user of users) {
    const me = { id: `${user}:1@s.whatsapp.net`, name: 'Cluster' };
    await addSession(redis, place, user, { ...initAuthCreds(), me, accountSyncCounter: 1 });
  }
  const record = watchServer(server);
  const env = {
    WA_SERVER: `${server.url}#${server.rootKey.toString('hex')}`,
    REDIS_URL: redisServer.url,
    CLUSTER_PREFIX: PREFIX,
    SLOTS: String(slots),
    LEASE_MS: String(leaseMs),
    RENEW_MS: String(leaseMs / 8),
    // On a busy machine threads run late.
    LEASE_MARGIN_MS: String(leaseMs / 3),
    CONNECTS_PER_SECOND: String(options.connectsPerSecond),
    ...(database && { DATABASE_URL: database.url })
  };
  const nodes = Array.from({ length: options.nodes }, (_, i) => new Node(`node-${i + 1}`, env, log));
  closers.push(() => Promise.all(nodes.map(node => node.end('SIGKILL'))));
  const owners = await ownersReader({ redis, database, place, users, closers });
  const startedAt = now();
  for (const node of nodes) node.start();
  const isComplete = () => {
    const failed = nodes.find(({ failure }) => failure !== '');
    if (failed) throw new Error(failed.failure);
    return record.connected.size === sessions;
  };
  await until(isComplete, 'not all sessions were connected');
  // Nodes that start one after another still move slots.
  await pause(2 * leaseMs);
  await until(isComplete, 'not all sessions were connected again');
  log(`${sessions} sessions are connected after ${Math.round(now() - startedAt)} ms`);

  const events = await followEvents(redisServer.url, closers);
  if (options.warmUp) {
    const ids = await sendToAll({ redis, place, users });
    await until(() => ids.every(id => events.of(id).has('message')), 'not all first texts have arrived');
    log(`${ids.length} first texts have arrived`);
  }
  const load = startLoad({ redis, place, users, ...options });
  closers.push(load.stop);
  const before = measure({ nodes, redis: await redisFigures(redis), record });
  const incidents =
    options.faults.length > 0
      ? await injectFaults({ ...options, nodes, owners, record })
      : await pause(seconds * 1000, []);
  const after = measure({ nodes, redis: await redisFigures(redis), record });
  await load.stop();
  const cutLogins = options.cut ? await cutAll({ server, record, sessions }) : [];
  const accepted = load.ids;
  await until(() => accepted.every(id => events.of(id).has('sent')), 'not all texts were sent').catch(error =>
    log(error.message)
  );
  /** @param {string} id */
  const arrived = id => events.of(id).has('message') || events.of(id).has('unreadable');
  await until(() => accepted.every(arrived), 'not all messages have arrived').catch(error => log(error.message));
  await until(() => nodes.every(node => node.hasSlots), 'a node has no slots');
  const stoppedAt = now();
  const codes = await Promise.all(nodes.map(node => node.end('SIGTERM')));
  await until(() => record.connected.size === 0, 'sessions are still connected');
  return {
    accepted,
    codes,
    cutLogins,
    events,
    incidents,
    nodes,
    options,
    record,
    stopMs: now() - stoppedAt,
    figures: { before, after }
  };
}

/**
 * Returns a function that reads the users of the sessions that a node owns.
 *
 * @param {{ redis: Redis, database: { url: string } | undefined, place: RedisPlace, users: string[], closers: Closers }}
 *   cluster
 */
async function ownersReader({ redis, database, place, users, closers }) {
  let read = () => redis.hgetall(`${PREFIX}owners`);
  if (database !== undefined) {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    closers.push(() => client.end());
    read = async () => {
      const { rows } = await client.query('select slot, owner from cluster_slots where owner is not null');
      return Object.fromEntries(rows.map((/** @type {any} */ { slot, owner }) => [slot, owner]));
    };
  }
  /** @param {string} name */
  return async name => {
    const bySlot = await read();
    return users.filter((/** @type {string} */ user) => bySlot[slotOf(user, place.slots)]?.split(':')[0] === name);
  };
}

/**
 * Reads the stream of events with a consumer group.
 *
 * @param {string} url
 * @param {Closers} closers
 */
async function followEvents(url, closers) {
  const redis = new Redis(url);
  await redis.xgroup('CREATE', `${PREFIX}events`, 'test', '0', 'MKSTREAM');
  const byId = new Map();
  const none = new Map();
  let isFollowing = true;
  const follow = async () => {
    while (isFollowing) {
      const group = /** @type {const} */ (['GROUP', 'test', 'reader', 'COUNT', 1_000, 'BLOCK', 200, 'STREAMS']);
      const streams = (await redis.xreadgroup(...group, `${PREFIX}events`, '>')) ?? [];
      for (const [entry, fields] of streams.flatMap(([, entries]) => entries)) {
        const [, text] = fields ?? [];
        const event = JSON.parse(text);
        const key = event.id;
        if (!byId.has(key)) byId.set(key, new Map());
        byId.get(key).set(event.type, event);
        await redis.xack(`${PREFIX}events`, 'test', entry);
      }
    }
  };
  const followed = follow();
  closers.push(async () => {
    isFollowing = false;
    await followed;
    redis.disconnect();
  });
  return {
    /** The events of a message by their type. @param {string} id @returns {Map<string, any>} */
    of: id => byId.get(id) ?? none
  };
}

/** The number of users that each user sends texts to: those that follow in the list. */
const RECEIVERS = 3;

/** @type {(from: number, receiver: number, users: string[], id: string) => Parameters<typeof addWork>[2]} */
const workFor = (from, receiver, users, id) => ({
  session: users[from],
  to: `${users[(from + 1 + receiver) % users.length]}@s.whatsapp.net`,
  message: `text ${id}`,
  id
});

/**
 * Sends a text from every user to each of its receivers. Returns their ids.
 *
 * @param {{ redis: Redis, place: RedisPlace, users: string[] }} cluster
 */
async function sendToAll({ redis, place, users }) {
  /** @type {string[]} */
  const ids = [];
  for (const from of users.keys()) {
    for (let receiver = 0; receiver < RECEIVERS; receiver++) {
      const id = `FIRST${String(ids.length).padStart(8, '0')}`;
      await addWork(redis, place, workFor(from, receiver, users, id));
      ids.push(id);
    }
  }
  return ids;
}

/**
 * Sends texts from random users to random receivers.
 *
 * @param {{ redis: Redis, place: RedisPlace, users: string[], perSecond: number, seed?: number }} load
 */
function startLoad({ redis, place, users, perSecond, seed = 1 }) {
  const random = randomNumbers(seed);
  /** @type {string[]} */
  const ids = [];
  let isOn = true;
  const run = async () => {
    const start = now();
    while (isOn) {
      const due = Math.floor(((now() - start) / 1000) * perSecond);
      while (ids.length < due) {
        const from = Math.floor(random() * users.length);
        /** @type {string} */
        const id = `CLUSTER${String(ids.length).padStart(8, '0')}`;
        await addWork(redis, place, workFor(from, Math.floor(random() * RECEIVERS), users, id));
        ids.push(id);
      }
      await pause(20);
    }
  };
  const ran = run();
  return {
    ids,
    stop: () => {
      isOn = false;
      return ran;
    }
  };
}

/**
 * Kills, freezes and restarts nodes, one after another, until the time is over.
 *
 * @param {{ nodes: Node[], owners: (name: string) => Promise<string[]>, record: ServerRecord, seconds: number,
 *   faults: string[], leaseMs: number, sessions: number, log: (text: string) => void, seed?: number }} options
 */
async function injectFaults({ nodes, owners, record, ...options }) {
  const { seconds, faults, leaseMs, log, seed = 1 } = options;
  const random = randomNumbers(seed + 1);
  const end = now() + seconds * 1000;
  const incidents = [];
  for (let i = 0; i < faults.length || now() < end; i++) {
    const node = nodes[Math.floor(random() * nodes.length)];
    const fault = faults[i % faults.length];
    // Waits until the last fault has no effect any more, so that faults are measured separately.
    await until(() => record.connected.size === options.sessions, 'not all sessions were connected again');
    const sessions = await until(
      async () => [await owners(node.name)].find(({ length }) => length > 0),
      `${node.name} has no sessions`
    );
    const incident = { fault, node: node.name, at: now(), sessions };
    incidents.push(incident);
    log(`${fault} ${node.name}, which has ${sessions.length} sessions`);
    if (fault === 'freeze') {
      node.kill('SIGSTOP');
      await pause(2.5 * leaseMs);
      node.kill('SIGCONT');
      node.frozen.push({ from: incident.at, to: now() });
    } else {
      await node.end(fault === 'kill' ? 'SIGKILL' : 'SIGTERM');
      await pause(fault === 'kill' ? 1.5 * leaseMs : 0.2 * leaseMs);
      node.start();
    }
    await pause((0.5 + random()) * leaseMs);
  }
  return incidents;
}

/**
 * Cuts all connections. Resolves with the times of the next logins, in milliseconds after the cut.
 *
 * @param {{ server: MockServer, record: ServerRecord, sessions: number }} cut
 */
async function cutAll({ server, record, sessions }) {
  const at = now();
  /** @type {number[]} */
  const logins = [];
  const note = () => void logins.push(now() - at);
  server.on('login', note);
  for (const connection of server.connections) if (connection.isWritable) connection.drop();
  await until(
    () => logins.length >= sessions && record.connected.size === sessions,
    'not all sessions were connected again'
  );
  server.off('login', note);
  return logins;
}

/** @param {Redis} redis */
async function redisFigures(redis) {
  const info = await redis.info('all');
  /** @param {string} name */
  const number = name => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
  return {
    commands: number('total_commands_processed'),
    cpu: number('used_cpu_user') + number('used_cpu_sys'),
    memory: number('used_memory')
  };
}

/** @param {{ nodes: Node[], redis: Awaited<ReturnType<typeof redisFigures>>, record: ServerRecord }} state */
function measure({ nodes, redis, record }) {
  return {
    at: now(),
    stanzas: record.stanzas,
    redis,
    nodes: nodes.map((/** @type {Node} */ node) => (node.isRunning ? node.usage() : undefined))
  };
}
