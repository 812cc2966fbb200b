// The owners of the slots, in Redis. A node has one lease for all its slots. One call renews the lease, removes nodes
// with an ended lease, and takes slots. So the number of calls does not depend on the number of sessions.

/**
 * KEYS: members (a sorted set: member, end of its lease), free slots, owners by slot, tokens by slot. ARGV: member,
 * length of a lease, number of slots, prefix of the keys with the slots of each member, intent ("join", "stay" or
 * "leave"), number of slots that the member knows.
 *
 * The script uses the clock of Redis, so the clocks of the nodes do not matter. Each time a slot is taken, it gets a
 * larger token. If an answer was lost, the member knows fewer slots than it owns. It then gets the list of all its
 * slots.
 */
const RENEW = `
local members, free, owners, tokens = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local me, lease, slots, prefix, intent = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local known = tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ = tonumber(redis.call('ZSCORE', members, me) or '0')
if intent ~= 'join' and until_ <= now then return redis.error_reply('EXPIRED the lease has ended') end
if redis.call('HLEN', tokens) < slots then
  for slot = 0, slots - 1 do
    if redis.call('HSETNX', tokens, slot, 0) == 1 then redis.call('SADD', free, slot) end
  end
end
redis.call('ZADD', members, now + lease, me)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', members, '-inf', now)) do
  redis.call('SUNIONSTORE', free, free, prefix .. gone)
  redis.call('DEL', prefix .. gone)
  redis.call('ZREM', members, gone)
end
local count = redis.call('ZCARD', members)
local owned = redis.call('SCARD', prefix .. me)
local wanted = math.ceil(slots / count) - owned
local taken = {}
if wanted > 0 and intent ~= 'leave' then
  for _, slot in ipairs(redis.call('SPOP', free, wanted)) do
    redis.call('HSET', owners, slot, me)
    redis.call('SADD', prefix .. me, slot)
    table.insert(taken, { tonumber(slot), redis.call('HINCRBY', tokens, slot, 1) })
  end
end
if owned ~= known then
  taken = {}
  for _, slot in ipairs(redis.call('SMEMBERS', prefix .. me)) do
    table.insert(taken, { tonumber(slot), tonumber(redis.call('HGET', tokens, slot)) })
  end
end
return { count, math.max(0, -wanted), taken }
`;

/** Releases slots. KEYS: free slots, owners by slot, the member's slots. ARGV: the slots. */
const RELEASE = `
for _, slot in ipairs(ARGV) do
  if redis.call('SREM', KEYS[3], slot) == 1 then
    redis.call('HDEL', KEYS[2], slot)
    redis.call('SADD', KEYS[1], slot)
  end
end
`;

/** The lease has ended: other nodes can own the slots. */
export class Expired extends Error {
  name = 'Expired';
}

export class RedisOwnership {
  #redis;
  #member;
  #settings;
  #joined = false;
  /** The slots that this member knows. */
  #owned = new Set();

  /**
   * @param {import('ioredis').Redis} redis
   * @param {string} member A new name. After the end of its lease a node joins under another name.
   * @param {typeof import('./settings.mjs').settings} settings
   */
  constructor(redis, member, settings) {
    this.#redis = redis;
    this.#member = member;
    this.#settings = settings;
    redis.defineCommand('renewMember', { numberOfKeys: 4, lua: RENEW });
    redis.defineCommand('release', { numberOfKeys: 3, lua: RELEASE });
  }

  #key(name) {
    return `${this.#settings.prefix}${name}`;
  }

  /**
   * Renews the lease, and takes slots up to this node's share. A node that is `leaving` takes none.
   *
   * @returns {Promise<{ members: number, surplus: number, taken: { slot: number, token: number }[] }>} `surplus` is the
   *   number of slots that the node should give away.
   * @throws {Expired} if the lease has ended.
   */
  async renew({ leaving = false } = {}) {
    const { leaseMs, slots } = this.#settings;
    const keys = ['members', 'free', 'owners', 'tokens'].map(name => this.#key(name));
    const intent = leaving ? 'leave' : this.#joined ? 'stay' : 'join';
    try {
      const [members, surplus, taken] = await this.#redis.renewMember(
        ...keys,
        this.#member,
        leaseMs,
        slots,
        this.#key('slots:'),
        intent,
        this.#owned.size
      );
      this.#joined = true;
      const fresh = taken.filter(([slot]) => !this.#owned.has(slot));
      for (const [slot] of fresh) this.#owned.add(slot);
      return { members, surplus, taken: fresh.map(([slot, token]) => ({ slot, token })) };
    } catch (error) {
      if (error.message.startsWith('EXPIRED')) throw new Expired(error.message);
      throw error;
    }
  }

  /** Lets other nodes take these slots. */
  async release(slots) {
    const keys = ['free', 'owners', `slots:${this.#member}`].map(name => this.#key(name));
    await this.#redis.release(...keys, ...slots);
    for (const slot of slots) this.#owned.delete(slot);
  }

  /** Leaves the cluster. If the member still has slots, it stays until its lease ends. */
  async close() {
    if ((await this.#redis.scard(this.#key(`slots:${this.#member}`))) === 0) {
      await this.#redis.zrem(this.#key('members'), this.#member);
    }
  }
}
