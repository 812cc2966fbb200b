// Functions of a program that answer stanzas instead of the mock server.

import { child } from './nodes.mjs';

/** @import { Matcher } from './index.cjs' */
/** @import { Stanza } from './types.d.ts' */
/** @typedef {(node: any, connection: any) => unknown} AnswerFunction */

/**
 * Converts the matcher of a handler into a predicate.
 *
 * @param {Matcher} matcher
 */
function toPredicate(matcher) {
  if (typeof matcher === 'function') return matcher;
  const { tag, child: childTag, ...attrs } = typeof matcher === 'string' ? { tag: matcher } : matcher;
  /** @param {Stanza} node */
  return node =>
    (tag === undefined || node.tag === tag) &&
    (childTag === undefined || child(node, childTag) !== undefined) &&
    Object.entries(attrs).every(([name, value]) => node.attrs[name] === value);
}

export class Handlers {
  /** @type {{ matches: (node: any, connection: any) => unknown, answer: AnswerFunction }[]} The newest first. */
  #handlers = [];

  /**
   * @param {Matcher} matcher
   * @param {AnswerFunction} answer
   * @returns {() => void} Removes the handler.
   */
  add(matcher, answer) {
    const handler = { matches: toPredicate(matcher), answer };
    this.#handlers.unshift(handler);
    return () => {
      this.#handlers = this.#handlers.filter(item => item !== handler);
    };
  }

  /**
   * The answer of the newest handler that matches and does not return undefined.
   *
   * @param {Stanza} node
   * @param {unknown} connection
   * @returns {unknown} Undefined if no handler answers.
   */
  answer(node, connection) {
    for (const handler of this.#handlers) {
      if (!handler.matches(node, connection)) continue;
      const answer = handler.answer(node, connection);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}
