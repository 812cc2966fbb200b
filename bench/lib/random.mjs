// Pseudo-random numbers: every run measures the same stanzas.

/**
 * @param {number} seed
 * @returns {() => number} Returns the next whole number below 2^32 (mulberry32).
 */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/**
 * @param {() => number} random
 * @param {number} length
 */
export function randomBytes(random, length) {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let at = 0; at < length; at++) bytes[at] = random() & 0xff;
  return bytes;
}
