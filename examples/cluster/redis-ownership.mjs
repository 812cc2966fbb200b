// Who owns which slot, in Redis. A node holds one lease; with the lease it holds its slots. So the traffic for locks does not
// grow with the number of sessions: one round trip per node and beat renews, notices nodes that are gone, and takes slots.

/**
 * KEYS: members (a sorted set: member, end of its lease), free slots, owners by slot, tokens by slot.
 * ARGV: member, length of a lease, number of slots, prefix of the members' sets of slots, intent: "join", "stay" or "leave".
 *
 * The time is Redis' own, so clocks of nodes do not matter here. Every taking of a slot gives it a larger token.
 */
const BEAT = `
local members, free, owners, tokens = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local me, lease, slots, prefix, intent = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
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
local wanted = math.ceil(slots / count) - redis.call('SCARD', prefix .. me)
local taken = {}
if wanted > 0 and intent ~= 'leave' then
  for _, slot in ipairs(redis.call('SPOP', free, wanted)) do
    redis.call('HSET', owners, slot, me)
    redis.call('SADD', prefix .. me, slot)
    table.insert(taken, { tonumber(slot), redis.call('HINCRBY', tokens, slot, 1) })
  end
end
return { count, math.max(0, -wanted), taken }
`;

/** KEYS: free slots, owners by slot, the member's slots. ARGV: slots. */
const RELEASE = `
for _, slot in ipairs(ARGV) do
  if redis.call('SREM', KEYS[3], slot) == 1 then
    redis.call('HDEL', KEYS[2], slot)
    redis.call('SADD', KEYS[1], slot)
  end
end
`;

/** Another node, or none, owns the slots by now. */
export class Expired extends Error {
  name = 'Expired';
}

export class RedisOwnership {
  #redis;
  #member;
  #settings;
  #joined = false;

  /**
   * @param {import('ioredis').Redis} redis
   * @param {string} member A name that is used once: a node whose lease has ended comes back under another.
   * @param {typeof import('./settings.mjs').settings} settings
   */
  constructor(redis, member, settings) {
    this.#redis = redis;
    this.#member = member;
    this.#settings = settings;
    redis.defineCommand('beat', { numberOfKeys: 4, lua: BEAT });
    redis.defineCommand('release', { numberOfKeys: 3, lua: RELEASE });
  }

  #key(name) {
    return `${this.#settings.prefix}${name}`;
  }

  /**
   * Renews the lease and takes slots up to this node's share; none where it is `leaving`.
   *
   * @returns {Promise<{ members: number, surplus: number, taken: { slot: number, token: number }[] }>} `surplus`: how many
   *   slots the node should give away.
   * @throws {Expired} where the lease has ended.
   */
  async beat({ leaving = false } = {}) {
    const { leaseMs, slots } = this.#settings;
    const keys = ['members', 'free', 'owners', 'tokens'].map(name => this.#key(name));
    const intent = leaving ? 'leave' : this.#joined ? 'stay' : 'join';
    try {
      const [members, surplus, taken] = await this.#redis.beat(
        ...keys,
        this.#member,
        leaseMs,
        slots,
        this.#key('slots:'),
        intent
      );
      this.#joined = true;
      return { members, surplus, taken: taken.map(([slot, token]) => ({ slot, token })) };
    } catch (error) {
      if (error.message.startsWith('EXPIRED')) throw new Expired(error.message);
      throw error;
    }
  }

  /** Gives slots away. */
  async release(slots) {
    const keys = ['free', 'owners', `slots:${this.#member}`].map(name => this.#key(name));
    await this.#redis.release(...keys, ...slots);
  }

  /** Leaves. Slots that were not released stay with the lease until it ends. */
  async close() {
    if ((await this.#redis.scard(this.#key(`slots:${this.#member}`))) === 0) {
      await this.#redis.zrem(this.#key('members'), this.#member);
    }
  }
}
