// Calls and answers between a process and its forked child, in both directions.

/** @param {unknown} error */
export const describeError = error => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** @typedef {Record<string, [question: any, answer: any]>} Services */

/**
 * One end of a channel. `ask` calls the other side and resolves with its answer. `fail` rejects all unanswered calls.
 *
 * @template {{ [Name in keyof Theirs]: [any, any] }} [Theirs=Services]
 * @typedef {{ ask: <Name extends keyof Theirs & string>(what: Name, data?: Theirs[Name][0]) => Promise<Theirs[Name][1]>,
 *   fail: (error: Error) => void }} Channel
 */

/**
 * Opens one end of a channel. The other process opens the other end.
 *
 * @template {{ [Name in keyof Theirs]: [any, any] }} [Theirs=Services]
 * @template {{ [Name in keyof Own]: [any, any] }} [Own=Services]
 * @param {NodeJS.Process | import('node:child_process').ChildProcess} endpoint The child; in the child, `process`.
 * @param {{ [Name in keyof Own]: (data: Own[Name][0]) => unknown }} [offered] Functions that the other side may call. A promise is
 *   awaited; an error is sent to the caller.
 * @returns {Channel<Theirs>}
 */
export function openChannel(endpoint, offered = /** @type {any} */ ({})) {
  /** @type {Map<number, { resolve: (answer: any) => void, reject: (error: Error) => void }>} */
  const questions = new Map();
  let lastQuestion = 0;

  /** @param {import('node:child_process').Serializable} message */
  const post = message => {
    // The end of the other process is reported by its `exit`.
    if (endpoint.connected) endpoint.send?.(message, undefined, undefined, () => {});
  };

  /** @param {{ id: number, what: string, data: unknown }} question */
  async function answer({ id, what, data }) {
    try {
      if (!Object.hasOwn(offered, what)) throw new Error(`nobody answers to ${what}`);
      post({ id, answer: await offered[/** @type {keyof Own} */ (what)](data) });
    } catch (error) {
      post({ id, error: describeError(error) });
    }
  }

  endpoint.on('message', (/** @type {any} */ message) => {
    if (message.what !== undefined) {
      void answer(message);
      return;
    }
    const question = questions.get(message.id);
    questions.delete(message.id);
    if (message.error === undefined) question?.resolve(message.answer);
    else question?.reject(new Error(message.error));
  });

  return {
    ask(what, data) {
      const id = ++lastQuestion;
      return new Promise((resolve, reject) => {
        questions.set(id, { resolve, reject });
        post({ id, what, data });
      });
    },
    fail(error) {
      for (const { reject } of questions.values()) reject(error);
      questions.clear();
    }
  };
}
