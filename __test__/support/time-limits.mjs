// Time limits of tests in which a peer must be faster than a timeout of the client. The timeout is short, because other
// parts of such a test wait for it.

/** The timeouts of the first attempts, as multiples of the first timeout, which is enough unless the machine is busy. */
const FACTORS = [1, 5];
/** The timeout of the last attempt. */
const LAST_FACTOR = 10;

/**
 * Calls `attempt` with a timeout, and again with a longer one while the peer was slower than the timeout. Resolves or
 * rejects with the outcome of the last attempt.
 *
 * @template Result
 * @param {(timeoutMs: number) => Promise<Result>} attempt
 * @param {(result: Result) => boolean} isInTime
 * @param {number} firstMs
 * @returns {Promise<Result>}
 */
export async function firstInTime(attempt, isInTime, firstMs) {
  for (const factor of FACTORS) {
    const timeoutMs = factor * firstMs;
    const result = await attempt(timeoutMs).then(
      value => ({ value }),
      () => undefined
    );
    if (result !== undefined && isInTime(result.value)) return result.value;
  }
  return attempt(LAST_FACTOR * firstMs);
}
