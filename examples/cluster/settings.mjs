// The settings of a node, from the environment. Times are in milliseconds.

/**
 * @param {string} name
 * @param {number} otherwise
 */
const number = (name, otherwise) => Number(process.env[name] ?? otherwise);

export const settings = {
  redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  /** Ownership is kept in PostgreSQL where this is set, otherwise in Redis. */
  databaseUrl: process.env.DATABASE_URL,
  /** Comes before every key. The braces keep all keys on one node of a Redis Cluster. */
  prefix: process.env.CLUSTER_PREFIX ?? '{wa}:',
  /** The name that the logs have. */
  name: process.env.NODE_NAME ?? `node-${process.pid}`,
  /** Sessions are owned in slots, as keys are in Redis Cluster. The number must never change. */
  slots: number('SLOTS', 256),
  /** How long a node owns its slots after a renewal. */
  leaseMs: number('LEASE_MS', 10_000),
  /** How much earlier a node drops its connections: more than the difference of two clocks after one lease. */
  marginMs: number('LEASE_MARGIN_MS', number('LEASE_MS', 10_000) / 10),
  /** The time between two renewals. */
  renewMs: number('RENEW_MS', number('LEASE_MS', 10_000) / 5),
  /** A node whose main thread has not run for this time stops renewing its lease. */
  hangMs: number('HANG_MS', 30_000),
  /** How many connections all nodes together may open in a second. */
  connectsPerSecond: number('CONNECTS_PER_SECOND', 50),
  /** A node takes no more work while it has this number of unfinished entries. */
  mostInFlight: number('MOST_IN_FLIGHT', 1_000),
  /** The length of the stream of events, approximately. Consumers that are further behind lose events. */
  eventsKept: number('EVENTS_KEPT', 1_000_000)
};
