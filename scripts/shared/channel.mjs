// Calls and answers between a process and its forked child, in both directions.

/** @param {unknown} error */
export const describeError = error => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/**
 * Opens one end of a channel. The other process opens the other end.
 *
 * @param {NodeJS.Process | import('node:child_process').ChildProcess} endpoint The child; in the child, `process`.
 * @param {Record<string, (data: any) => unknown>} [offered] Functions that the other side may call. A promise is
 *   awaited; an error is sent to the caller.
 * @returns {{ ask: (what: string, data?: unknown) => Promise<any>, fail: (error: Error) => void }} `ask` calls the
 *   other side and resolves with its answer. `fail` rejects all unanswered calls.
 */
export function openChannel(endpoint, offered = {}) {
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
      post({ id, answer: await offered[what](data) });
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
