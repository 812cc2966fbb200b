// The owners of the slots, in PostgreSQL instead of Redis (redis-ownership.mjs). A member has a lease, and an advisory
// lock that belongs to its connection. Its slots become free when the lease has ended and the lock is free. If a member
// has lost its lease but still has the lock, its connection is closed first. So a write that it has begun cannot happen
// later.

import pg from 'pg';
import { Expired } from './redis-ownership.mjs';

const SCHEMA = `
create table if not exists cluster_members (
  member text primary key, backend int not null, lease_end timestamptz not null
);
create table if not exists cluster_slots (
  slot int primary key, owner text, token bigint not null default 0
);
create or replace function cluster_renew(me text, lease interval, slots int, intent text) returns json
language plpgsql as $$
declare
  other record;
  members int;
  wanted int;
  taken json;
begin
  if intent = 'join' then
    insert into cluster_slots (slot) select generate_series(0, slots - 1) on conflict do nothing;
    insert into cluster_members values (me, pg_backend_pid(), clock_timestamp() + lease);
  else
    update cluster_members set lease_end = clock_timestamp() + lease
      where member = me and lease_end > clock_timestamp();
    if not found then raise exception 'EXPIRED the lease has ended'; end if;
  end if;
  for other in select * from cluster_members where lease_end <= clock_timestamp() for update skip locked loop
    if pg_try_advisory_xact_lock(hashtextextended(other.member, 0)) then
      update cluster_slots set owner = null where owner = other.member;
      delete from cluster_members where member = other.member;
    else
      perform pg_terminate_backend(other.backend);
    end if;
  end loop;
  select count(*) into members from cluster_members;
  wanted := ceil(slots::numeric / members) - (select count(*) from cluster_slots where owner = me);
  if intent <> 'leave' and wanted > 0 then
    with free as (
      select slot from cluster_slots where owner is null limit wanted for update skip locked
    ), changed as (
      update cluster_slots s set owner = me, token = s.token + 1 from free where s.slot = free.slot
      returning s.slot, s.token
    )
    select json_agg(json_build_object('slot', slot, 'token', token)) into taken from changed;
  end if;
  return json_build_object('members', members, 'surplus', greatest(0, -wanted), 'taken', coalesce(taken, '[]'::json));
end $$;
`;

/** The advisory lock for creating the schema. Nodes that start at the same time create it one after the other. */
const SCHEMA_LOCK = 0x7761636c;

export class PostgresOwnership {
  #client;
  #member;
  #settings;
  #intent = 'join';

  /**
   * Connects, and creates the schema if it does not exist.
   *
   * @param {string} member A new name.
   */
  static async open(databaseUrl, member, settings) {
    const client = new pg.Client({ connectionString: databaseUrl, application_name: member, keepAlive: true });
    // If the connection is lost, the next renewal fails.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(`begin; select pg_advisory_xact_lock(${SCHEMA_LOCK}); ${SCHEMA} commit;`);
      await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [member]);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    return new PostgresOwnership(client, member, settings);
  }

  constructor(client, member, settings) {
    this.#client = client;
    this.#member = member;
    this.#settings = settings;
  }

  /** See `RedisOwnership.renew`. */
  async renew({ leaving = false } = {}) {
    const { leaseMs, slots } = this.#settings;
    const values = [this.#member, `${leaseMs} milliseconds`, slots, leaving ? 'leave' : this.#intent];
    try {
      const { rows } = await this.#client.query('select cluster_renew($1, $2::interval, $3, $4) as answer', values);
      this.#intent = 'stay';
      return rows[0].answer;
    } catch (error) {
      // With the connection the member has lost its lock, so it cannot renew its lease.
      if (error.message.startsWith('EXPIRED') || error.severity === undefined || error.code === '57P01') {
        throw new Expired(error.message, { cause: error });
      }
      throw error;
    }
  }

  async release(slots) {
    await this.#client.query('update cluster_slots set owner = null where owner = $1 and slot = any($2)', [
      this.#member,
      slots
    ]);
  }

  /** Leaves the cluster. If the member still has slots, it stays until its lease ends. */
  async close() {
    const unused = 'member = $1 and not exists (select from cluster_slots where owner = $1)';
    await this.#client.query(`delete from cluster_members where ${unused}`, [this.#member]).catch(() => {});
    await this.#client.end().catch(() => {});
  }
}
