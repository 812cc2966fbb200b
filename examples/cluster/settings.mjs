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
  /** How long a node owns its slots after it was last heard of. */
  leaseMs: number('LEASE_MS', 10_000),
  /** How much earlier a node gives its connections up by itself: more than clocks drift apart in one lease. */
  marginMs: number('LEASE_MARGIN_MS', number('LEASE_MS', 10_000) / 10),
  /** Between two signs of life. */
  beatMs: number('BEAT_MS', number('LEASE_MS', 10_000) / 5),
  /** How many connections all nodes together may open in a second. */
  connectsPerSecond: number('CONNECTS_PER_SECOND', 50),
  /** Stanzas of work that a node has taken and not finished; above it takes no more. */
  mostInFlight: number('MOST_IN_FLIGHT', 1_000),
  /** How long the stream of events becomes, about. Consumers that are further behind miss some. */
  eventsKept: number('EVENTS_KEPT', 1_000_000)
};
