/**
 * Time limit for each event in a test, in milliseconds. It is only reached if the event never comes, also on a busy
 * machine. It is shorter than the time limit of a test, so that the error names the event.
 */
export const EVENT_TIMEOUT_MS = 45_000;

/** Waits until a condition is true. Checks it every `every` milliseconds. */
export async function until(condition, { every = 20 } = {}) {
  const end = performance.now() + EVENT_TIMEOUT_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`this did not become true in time: ${condition}`);
    await new Promise(resolve => setTimeout(resolve, every));
  }
}
