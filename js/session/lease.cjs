'use strict';

const { loadBinding } = require('../addon/binding.cjs');

const native = loadBinding();

/** @param {any} until */
function checkedTime(until) {
  if (!(typeof until === 'number' && until >= 0)) {
    throw new RangeError('the end of a lease must be a time in milliseconds since 1970');
  }
  return until;
}

/** A lease that sessions and threads share; see `index.d.ts`. */
class Lease {
  #native;

  /** @param {number | import('../addon/native').Lease} until Its end, or the addon's half of it. */
  constructor(until) {
    this.#native = until instanceof native.Lease ? until : new native.Lease(checkedTime(until));
  }

  /** @param {number} id */
  static withId(id) {
    const found = id >>> 0 === id ? native.Lease.withId(id) : undefined;
    if (!found) throw new RangeError('no lease has this id');
    return new Lease(found);
  }

  get id() {
    return this.#native.id;
  }

  get until() {
    return this.#native.until;
  }

  /** @param {number} until */
  renew(until) {
    return this.#native.renew(checkedTime(until));
  }

  /**
   * Sets the lease of a session in the addon.
   *
   * @param {import('../addon/native').Session} session
   * @param {Lease | number | undefined} lease
   */
  static set(session, lease) {
    if (lease instanceof Lease) session.shareLease(lease.#native);
    else session.setLease(lease === undefined ? undefined : checkedTime(lease));
  }
}

module.exports = { Lease };
