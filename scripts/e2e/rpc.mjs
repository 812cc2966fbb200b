// Questions and answers over Node's process channel, in both directions.

/**
 * @typedef {{ call?: string, id: number, data?: unknown, answer?: unknown, error?: string }} Message
 * @typedef {{ send?: (message: Message, callback?: (error: Error | null) => void) => unknown, on: (event: 'message',
 *   listener: (message: any) => void) => unknown }} Channel
 */

/** @param {unknown} error */
export const describeError = error => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/**
 * Answers calls of the other process, and returns the function that calls it.
 *
 * @template {{ [Name in keyof Theirs]: [any, any] }} Theirs
 * @template {{ [Name in keyof Ours]: [any, any] }} Ours
 * @param {Channel} channel
 * @param {{ [Name in keyof Ours]: (data: Ours[Name][0]) => Ours[Name][1] | Promise<Ours[Name][1]> }} services
 * @returns {<Name extends keyof Theirs & string>(name: Name, data: Theirs[Name][0]) => Promise<Theirs[Name][1]>}
 */
export function open(channel, services) {
  /** @type {Map<number, { resolve: (answer: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  let last = 0;
  /** @param {Message} message */
  const send = message => channel.send?.(message, () => {}); // the end of a process is noticed by its `exit`

  /** @param {Message} question */
  const serve = async ({ call, id, data }) => {
    try {
      const service = /** @type {(data: any) => unknown} */ (services[/** @type {keyof Ours} */ (call)]);
      send({ id, answer: await service(data) });
    } catch (error) {
      send({ id, error: describeError(error) });
    }
  };

  channel.on('message', message => {
    if (message.call !== undefined) {
      void serve(message);
      return;
    }
    const { resolve, reject } = /** @type {NonNullable<ReturnType<typeof waiting.get>>} */ (waiting.get(message.id));
    waiting.delete(message.id);
    if (message.error === undefined) resolve(message.answer);
    else reject(new Error(message.error));
  });

  return (name, data) => {
    const id = ++last;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      send({ call: name, id, data });
    });
  };
}
