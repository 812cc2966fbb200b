// The settings of a node, read from environment variables. Times are in milliseconds.

/**
 * @param {string} name
 * @param {number} otherwise The value if the variable is not set.
 */
const number = (name, otherwise) => Number(process.env[name] ?? otherwise);

export const settings = {
  redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  /** If set, the owners of the slots are stored in PostgreSQL, otherwise in Redis. */
  databaseUrl: process.env.DATABASE_URL,
  /** The prefix of every key. Because of the braces, a Redis Cluster stores all keys on one node. */
  prefix: process.env.CLUSTER_PREFIX ?? '{wa}:',
  /** The name of the node in logs and consumer groups. */
  name: process.env.NODE_NAME ?? `node-${process.pid}`,
  /** The number of slots. Each session belongs to one of them by a hash of its name. The number must never change. */
  slots: number('SLOTS', 256),
  /** The length of a lease: a node owns its slots for this time after a renewal. */
  leaseMs: number('LEASE_MS', 10_000),
  /**
   * A node drops its connections this long before the end of its lease. It must be more than the difference that two
   * clocks can get during one lease.
   */
  marginMs: number('LEASE_MARGIN_MS', number('LEASE_MS', 10_000) / 10),
  /** The time between two renewals. */
  renewMs: number('RENEW_MS', number('LEASE_MS', 10_000) / 5),
  /** A node whose main thread has not run for this time stops renewing its lease. */
  hangMs: number('HANG_MS', 30_000),
  /** The most connections that all nodes together open in a second. */
  connectsPerSecond: number('CONNECTS_PER_SECOND', 50),
  /** A node takes no more work if it has this number of unfinished entries. */
  mostInFlight: number('MOST_IN_FLIGHT', 1_000),
  /** The approximate number of events that are kept. A consumer that is further behind loses events. */
  eventsKept: number('EVENTS_KEPT', 1_000_000)
};
