// Runs a property: the same input to Baileys and to us, and the same outcome, unless the registry of known differences
// says what ours has to be.

import fc from 'fast-check';

import { DIFFERENCES } from './differences.mjs';
import { same, show, toJson } from './values.mjs';

/** How often each known difference was met. */
const met = new Map(DIFFERENCES.map(({ id }) => [id, 0]));

/** Where the outcomes of an input differ and no known difference explains it. */
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
 */
export async function compare(property, line, input) {
  const { theirs, ours } = await property.run(line, input);
  if (same(theirs, ours)) return;
  const context = { property: property.name, line, input, theirs, ours };
  const applicable = DIFFERENCES.filter(known => known.properties.includes(property.name) && known.applies(context));
  const tried = [];
  for (const known of applicable) {
    const accepted = known.expected ? same(await known.expected(context), ours) : true;
    if (accepted) {
      met.set(known.id, met.get(known.id) + 1);
      return;
    }
    tried.push(`\n  not as the known difference ${known.id} has it: ${show(await known.expected(context))}`);
  }
  throw new Mismatch(theirs, ours, tried.join(''));
}

/**
 * Checks a property on generated inputs.
 *
 * @param {object} property
 * @param {object} line
 * @param {{ seed: number, path?: string, runs?: number, milliseconds?: number }} options
 * @returns {Promise<{ runs: number, failure?: { report: string, entry: object } }>}
 */
export async function explore(property, line, { seed, path, runs = property.runs, milliseconds }) {
  const checked = fc.asyncProperty(property.inputs(line), input => compare(property, line, input));
  const result = await fc.check(checked, {
    seed,
    path,
    numRuns: runs,
    endOnFailure: false,
    ...(milliseconds !== undefined && { interruptAfterTimeLimit: milliseconds })
  });
  if (!result.failed || result.counterexample === null) return { runs: result.numRuns };
  const [input] = result.counterexample;
  const command =
    `npm run test:differential -- --property ${property.name} --line ${line.name} ` +
    `--seed ${result.seed} --path ${result.counterexamplePath}`;
  const report = [
    `${property.name} of line ${line.name} differs from Baileys; seed ${result.seed}, after ${result.numRuns} inputs and ` +
      `${result.numShrinks} steps of shrinking`,
    `  smallest input: ${JSON.stringify(toJson(input))}`,
    `  ${result.errorInstance?.stack ?? result.errorInstance}`,
    `  replay:   ${command}`,
    `  keep it:  ${command} --record`
  ].join('\n');
  return {
    runs: result.numRuns,
    failure: { report, entry: { property: property.name, line: line.name, input: toJson(input) } }
  };
}

/** Forgets which differences were met. */
export function reset() {
  for (const id of met.keys()) met.set(id, 0);
}

/** The registry, a line a difference, with how often each was met. */
export function knownDifferences(properties) {
  return DIFFERENCES.filter(known => known.properties.some(name => properties.includes(name))).map(
    ({ id, status, reason }) => `${status.padEnd(8)} ${id} (met ${met.get(id)} times): ${reason}`
  );
}

/** The seed to use: `DIFFERENTIAL_SEED`, else always the same one. */
export const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 20_260_101);
