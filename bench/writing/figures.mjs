// The figures of the report that are in other documents: finds them in the text and replaces them.

/** @typedef {import('../goals.mjs').GoalRow} GoalRow */
/** @typedef {{ pattern: RegExp, values: (goals: Map<string, GoalRow>) => string[] }} FigurePlace */

/**
 * Two significant digits, as the documents have them: 4.5, 10, 0.23.
 *
 * @param {number} value
 */
const short = value => Number(value.toPrecision(2)).toFixed(value < 1 ? 2 : value < 9.95 ? 1 : 0);

/**
 * @param {Map<string, GoalRow>} goals
 * @param {string} id
 */
function goalOf(goals, id) {
  const found = goals.get(id);
  if (found === undefined) throw new Error(`the report has no goal ${id}`);
  return found;
}

/**
 * The number of compared cases, and the geometric mean, from the note of a goal for the worst case.
 *
 * @param {GoalRow} row
 */
function casesOf({ id, note }) {
  const match = /^worst of (\d+): .*; geometric mean ([\d.]+)x$/.exec(note ?? '');
  if (match === null) throw new Error(`the note of ${id} has no mean: ${note}`);
  return { count: match[1], mean: short(Number(match[2])) };
}

/**
 * @param {string} id
 * @param {RegExp} pattern
 * @returns {FigurePlace} The worst case, the number of cases, and the mean.
 */
const worst = (id, pattern) => ({
  pattern,
  values: goals => {
    const row = goalOf(goals, id);
    const { count, mean } = casesOf(row);
    return [short(row.value), count, mean];
  }
});

/**
 * @param {RegExp} pattern
 * @param {string[]} ids
 * @returns {FigurePlace}
 */
const plain = (pattern, ...ids) => ({ pattern, values: goals => ids.map(id => short(goalOf(goals, id).value)) });

/**
 * The documents with figures, and the places of the figures. Each group of a pattern is one figure.
 *
 * @type {Record<string, FigurePlace[]>}
 */
export const PLACES = {
  'README.md': [
    worst(
      'stanzas-per-second',
      /\*\*([\d.]+)x\*\* the stanzas per second into `makeWASocket` in the worst of (\d+) cases, ([\d.]+)x on average/d
    ),
    worst(
      'outbound-rate-hundred',
      /\*\*([\d.]+)x\*\* the stanzas per second out of `makeWASocket` in the worst of (\d+) cases, ([\d.]+)x on average/d
    ),
    plain(/\*\*([\d.]+)x\*\* the memory of an idle connection/d, 'rss-bots'),
    plain(/need ([\d.]+)x the CPU time for an incoming text, and ([\d.]+)x for an\s+outgoing one/d, 'bot-in', 'bot-out')
  ],
  'docs/scale.md': [plain(/An idle `NativeSession` takes (\d+) KB/d, 'session-rss')]
};

/**
 * Replaces the figures in the text of a document by those of a report.
 *
 * @param {string} text
 * @param {FigurePlace[]} places
 * @param {GoalRow[]} goals
 */
export function withFigures(text, places, goals) {
  const byId = new Map(goals.map(row => [row.id, row]));
  let result = text;
  for (const { pattern, values } of places) {
    const match = pattern.exec(result);
    if (match === null) throw new Error(`the document has no text for ${pattern}`);
    const indices = /** @type {[number, number][]} */ (/** @type {any} */ (match).indices);
    // From the last to the first, so that the earlier positions stay valid.
    for (const [index, value] of [...values(byId).entries()].reverse()) {
      const [from, to] = indices[index + 1];
      result = result.slice(0, from) + value + result.slice(to);
    }
  }
  return result;
}
