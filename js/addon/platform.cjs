'use strict';

/** For which platforms there are binaries, and what is told where none of them can be loaded. */

/** What is prebuilt; scripts/pack.mjs checks the version of glibc against the binary itself. */
const PREBUILT = { name: 'linux-x64-gnu', platform: 'linux', arch: 'x64', glibc: '2.34' };

const PREBUILT_TEXT = `${PREBUILT.name} (glibc ${PREBUILT.glibc} or later)`;

/**
 * @typedef {object} Platform
 * @property {string} platform As `process.platform` has it.
 * @property {string} arch As `process.arch` has it.
 * @property {string | undefined} glibc Version; undefined where another library takes its place.
 * @property {boolean} musl
 */

/** @returns {Platform} The one that this process runs on. */
function currentPlatform() {
  const { platform, arch } = process;
  if (platform !== 'linux') return { platform, arch, glibc: undefined, musl: false };
  const report = /** @type {any} */ (readReport());
  const objects = report?.sharedObjects ?? [];
  const musl = objects.some(file => /\b(?:libc\.|ld-)musl-/.test(file));
  return { platform, arch, glibc: report?.header?.glibcVersionRuntime, musl };
}

function readReport() {
  // The types are those of the oldest supported version.
  const report = /** @type {any} */ (process.report);
  if (report === undefined) return undefined;
  // Otherwise it looks the names of all peers up.
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  try {
    return report.getReport();
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** @param {Platform} on */
function fits({ platform, arch, glibc }) {
  if (platform !== PREBUILT.platform || arch !== PREBUILT.arch || glibc === undefined) return false;
  return glibc.localeCompare(PREBUILT.glibc, 'en', { numeric: true }) >= 0;
}

/** @param {Platform} on */
function describePlatform({ platform, arch, glibc, musl }) {
  if (platform !== 'linux') return `${platform}-${arch}`;
  return `${platform}-${arch} with ${glibc ? `glibc ${glibc}` : musl ? 'musl' : 'an unknown C library'}`;
}

/**
 * @param {unknown} error What the generated loader threw.
 * @param {Platform} [on]
 */
function unavailableMessage(error, on = currentPlatform()) {
  const advice = fits(on)
    ? `that fits here: install the package baileys-native-${PREBUILT.name}, an optional dependency, which is missing or ` +
      'damaged (npm leaves it out under --omit=optional, and where package-lock.json comes from another platform)'
    : 'which does not fit here. Other binaries are built from a clone of the repository, by `npm run build` with Rust and a ' +
      'C compiler; the installed package does not contain the sources';
  return (
    `There is no usable binary of baileys-native for ${describePlatform(on)}, Node.js ${process.version}. ` +
    `Prebuilt is ${PREBUILT_TEXT}, ${advice}. Reason: ${reasonOf(error)}`
  );
}

/**
 * The loader tries several places, and chains what went wrong. A binary that is there and cannot be loaded tells more than
 * the places where there is none.
 *
 * @param {unknown} error
 */
function reasonOf(error) {
  const messages = [];
  for (let each = /** @type {any} */ (error); each; each = each.cause) {
    messages.push(String(each.message ?? each).split('\n')[0]);
  }
  const causes = messages.slice(1);
  return causes.find(message => !message.startsWith('Cannot find module')) ?? messages.at(-1);
}

module.exports = { PREBUILT, PREBUILT_TEXT, unavailableMessage };
