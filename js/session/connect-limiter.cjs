'use strict';

const { loadBinding } = require('../addon/binding.cjs');

const native = loadBinding();

/** @param {any} value */
function checkedRate(value) {
  if (!(value > 0 && value < Infinity)) throw new RangeError('perSecond must be a number greater than 0');
  return value;
}

/** Limits how often the sessions that share it open connections; see `index.d.ts`. */
class ConnectLimiter {
  #native;
  #perSecond;

  /** @param {{ perSecond: number, burst?: number }} options */
  constructor({ perSecond, burst = 1 }) {
    if (!(Number.isInteger(burst) && burst >= 1 && burst < 2 ** 32))
      throw new RangeError('burst must be a whole number of at least 1');
    this.#perSecond = checkedRate(perSecond);
    this.#native = new native.ConnectLimiter(perSecond, burst);
  }

  get perSecond() {
    return this.#perSecond;
  }

  set perSecond(value) {
    this.#perSecond = checkedRate(value);
    this.#native.setRate(value);
  }

  /**
   * The addon's half of a limiter, for the addon.
   *
   * @param {unknown} limiter
   */
  static native(limiter) {
    if (typeof limiter !== 'object' || limiter === null || !(#native in limiter)) {
      throw new TypeError('connectLimiter must be a ConnectLimiter');
    }
    return /** @type {ConnectLimiter} */ (limiter).#native;
  }
}

module.exports = { ConnectLimiter };
