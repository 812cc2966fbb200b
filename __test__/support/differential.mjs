// Runs a property: Baileys and this package get the same input and must have the same outcome, or the outcome in the
// list of known differences.

import fc from 'fast-check';

import { DIFFERENCES } from './differences.mjs';
import { record } from './record.mjs';
import { same, show, toJson } from './values.mjs';

/** The number of occurrences of each known difference. */
const occurrences = new Map(DIFFERENCES.map(({ id }) => [id, 0]));

/** The error for outcomes that differ without a known difference. */
class Mismatch extends Error {
  constructor(theirs, ours, tried) {
    super(`outcomes differ\n  Baileys: ${show(theirs)}\n  ours:    ${show(ours)}${tried}`);
    this.name = 'Mismatch';
  }
}

/**
 * Throws unless both outcomes for `input` are the same, or differ in a known way.
 *
 * @param {object} property
 * @param {object} line
 * @returns {Promise<{ theirs: object, known?: string }>} the outcome of Baileys, and the id of the known difference
 */
export async function compare(property, line, input) {
  const { theirs, ours } = await property.run(line, input);
  if (same(theirs, ours)) return { theirs };
  const context = { property: property.name, line, input, theirs, ours };
  const applicable = DIFFERENCES.filter(known => known.properties.includes(property.name) && known.applies(context));
  const tried = [];
  for (const known of applicable) {
    const accepted = known.expected ? same(await known.expected(context), ours) : true;
    if (accepted) {
      occurrences.set(known.id, occurrences.get(known.id) + 1);
      return { theirs, known: known.id };
    }
    tried.push(`\n  expected by the known difference ${known.id}: ${show(await known.expected(context))}`);
  }
  throw new Mismatch(theirs, ours, tried.join(''));
}

/**
 * Checks a property on generated inputs.
 *
 * @param {object} property
 * @param {object} line
 * @param {{ seed: number, path?: string, runs?: number, milliseconds?: number }} options
 * @returns {Promise<{ runs: number, known?: (string | undefined)[], failure?: { report: string, entry: object } }>}
 *   `known` are the differences for each input
 */
export async function explore(property, line, { seed, path, runs = property.runs, milliseconds }) {
  const known = [];
  const checked = fc.asyncProperty(property.inputs(line), async input => {
    known.push((await compare(property, line, input)).known);
  });
  const result = await fc.check(checked, {
    seed,
    path,
    numRuns: runs,
    endOnFailure: false,
    ...(milliseconds !== undefined && { interruptAfterTimeLimit: milliseconds })
  });
  if (!result.failed || result.counterexample === null) return { runs: result.numRuns, known };
  const [input] = result.counterexample;
  const command =
    `npm run test:differential -- --property ${property.name} --line ${line.name} ` +
    `--seed ${result.seed} --path ${result.counterexamplePath}`;
  const report = [
    `${property.name} of line ${line.name} differs from Baileys; seed ${result.seed}, after ${result.numRuns} inputs and ` +
      `${result.numShrinks} steps of shrinking`,
    `  smallest input: ${JSON.stringify(toJson(input))}`,
    `  ${result.errorInstance?.stack ?? result.errorInstance}`,
    `  repeat:   ${command}`,
    `  add to the corpus: ${command} --record`
  ].join('\n');
  return {
    runs: result.numRuns,
    failure: { report, entry: { property: property.name, line: line.name, input: toJson(input) } }
  };
}

/**
 * Records the result of comparisons with a release line for docs/compatibility.md.
 *
 * @param {string} behaviour
 * @param {object} line
 * @param {string} javascript a short text of the result of Baileys
 * @param {(string | undefined)[]} [known] the ids of differences that have occurred; undefined if the comparison failed
 */
export function recordComparisons(behaviour, line, javascript, known) {
  const ids = [...new Set(known)].filter(id => id !== undefined).sort();
  const native = known === undefined ? 'DIFFERS' : ids.length > 0 ? `as registered: ${ids.join(', ')}` : 'same';
  record({ section: 'codec', behaviour, line: line.name, javascript, native });
}

/** Compares outcomes for several inputs, and records the result as `behaviour`. */
export async function compareAll(behaviour, comparisons, line) {
  const results = [];
  try {
    for (const [property, input] of comparisons) results.push(await compare(property, line, input));
  } catch (error) {
    recordComparisons(behaviour, line, `${comparisons.length} inputs`);
    throw error;
  }
  const refused = results.filter(({ theirs }) => (Array.isArray(theirs) ? theirs : [theirs]).some(each => each?.error));
  recordComparisons(
    behaviour,
    line,
    `${results.length - refused.length} accepted, ${refused.length} refused`,
    results.map(({ known }) => known)
  );
}

/** The known differences as text: one line for each, with the number of its occurrences. */
export function knownDifferences(properties) {
  return DIFFERENCES.filter(known => known.properties.some(name => properties.includes(name))).map(
    ({ id, status, reason }) => `${status.padEnd(8)} ${id} (occurred ${occurrences.get(id)} times): ${reason}`
  );
}

/** The seed: `DIFFERENTIAL_SEED`, otherwise a fixed number. */
export const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 20_260_101);
