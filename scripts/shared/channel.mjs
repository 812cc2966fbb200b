// Remote calls between a process and its forked child, in both directions: each side can call functions of the other.

/** @param {unknown} error */
export const describeError = error => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/**
 * The data and the result of each function that can be called.
 *
 * @typedef {Record<string, [data: any, result: any]>} Services
 */

/**
 * One end of a channel. `ask` calls a function of the other side and resolves with its result. `fail` rejects all
 * pending and later calls.
 *
 * @template {{ [Name in keyof Theirs]: [any, any] }} [Theirs=Services]
 * @typedef {{ ask: <Name extends keyof Theirs & string>(what: Name, data?: Theirs[Name][0]) =>
 *   Promise<Theirs[Name][1]>, fail: (error: Error) => void }} Channel
 */

/**
 * Opens one end of a channel. The other process opens the other end.
 *
 * @template {{ [Name in keyof Theirs]: [any, any] }} [Theirs=Services]
 * @template {{ [Name in keyof Own]: [any, any] }} [Own=Services]
 * @param {NodeJS.Process | import('node:child_process').ChildProcess} endpoint The child; in the child, `process`.
 * @param {{ [Name in keyof Own]: (data: Own[Name][0]) => unknown }} [offered] Functions that the other side may call. A
 *   promise is awaited; an error is sent to the caller.
 * @returns {Channel<Theirs>}
 */
export function openChannel(endpoint, offered = /** @type {any} */ ({})) {
  /** Pending calls by id. @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  const pending = new Map();
  let lastId = 0;
  /** @type {Error | undefined} */
  let failure;

  /** @param {import('node:child_process').Serializable} message */
  const post = message => {
    // The end of the other process is reported by its `exit`.
    if (endpoint.connected) endpoint.send?.(message, undefined, undefined, () => {});
  };

  /** @param {{ id: number, what: string, data: unknown }} call */
  async function execute({ id, what, data }) {
    try {
      if (!Object.hasOwn(offered, what)) throw new Error(`the other process has no function ${what}`);
      post({ id, result: await offered[/** @type {keyof Own} */ (what)](data) });
    } catch (error) {
      post({ id, error: describeError(error) });
    }
  }

  endpoint.on('message', (/** @type {any} */ message) => {
    if (message.what !== undefined) {
      void execute(message);
      return;
    }
    const call = pending.get(message.id);
    pending.delete(message.id);
    if (message.error === undefined) call?.resolve(message.result);
    else call?.reject(new Error(message.error));
  });

  return {
    ask(what, data) {
      if (failure !== undefined) return Promise.reject(failure);
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        post({ id, what, data });
      });
    },
    fail(error) {
      failure ??= error;
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    }
  };
}
