/** The known failures of a test file on Bun or Deno, an entry of failures.json. */

/**
 * @typedef {object} KnownFailures
 * @property {string[]} [always] Titles of tests that fail in each run.
 * @property {string[]} [sometimes] Titles of tests that fail in some runs and pass in others.
 */

/** @param {KnownFailures | undefined} known */
export const knownOf = ({ always = [], sometimes = [] } = {}) => ({ always, sometimes });

/**
 * The number of failures of a run: `3`, or `3 to 5` if tests fail in some runs only.
 *
 * @param {KnownFailures | undefined} known
 */
export function numberOf(known) {
  const { always, sometimes } = knownOf(known);
  return sometimes.length > 0 ? `${always.length} to ${always.length + sometimes.length}` : `${always.length}`;
}

/**
 * The known failures after one more run. A test that was in the record and passes now fails only sometimes.
 *
 * @param {KnownFailures | undefined} last
 * @param {readonly string[]} failed The titles of the tests that failed in the run.
 * @returns {KnownFailures | undefined} Undefined if no test fails.
 */
export function merged(last, failed) {
  const known = knownOf(last);
  const sometimes = [...known.sometimes, ...known.always.filter(title => !failed.includes(title))];
  const always = failed.filter(title => !sometimes.includes(title));
  if (always.length + sometimes.length === 0) return undefined;
  return {
    ...(always.length > 0 && { always: always.sort() }),
    ...(sometimes.length > 0 && { sometimes: sometimes.sort() })
  };
}
