/** Time limit for each event in a test, in milliseconds. */
export const EVENT_TIMEOUT_MS = 15_000;

/** Waits until a condition is true. Checks it every `every` milliseconds. */
export async function until(condition, { every = 20 } = {}) {
  const end = Date.now() + EVENT_TIMEOUT_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`this did not become true in time: ${condition}`);
    await new Promise(resolve => setTimeout(resolve, every));
  }
}
