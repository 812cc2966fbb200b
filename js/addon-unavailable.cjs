'use strict';

// Says what a machine would need on which the addon cannot be loaded.

/** What there is a binary for, and the oldest glibc that it runs on; `scripts/pack.mjs` holds it against the binary. */
const PREBUILT = { platform: 'linux', arch: 'x64', glibc: '2.34' };

/** The addon cannot be loaded on this machine. `cause` is what went wrong. */
class AddonUnavailableError extends Error {
  code = 'ERR_ADDON_UNAVAILABLE';

  /** @param {unknown} cause */
  constructor(cause) {
    super(explain(cause), { cause });
    this.name = 'AddonUnavailableError';
  }
}

/** The C library of this process, as `glibc 2.36`; `musl` on a Linux without glibc, empty elsewhere. */
function libc() {
  if (process.platform !== 'linux') return '';
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report?.getReport() ?? {});
  const version = report.header?.glibcVersionRuntime;
  return version === undefined ? 'musl' : `glibc ${version}`;
}

/**
 * Whether one version of glibc is older than another.
 *
 * @param {string} version
 * @param {string} than
 */
function isOlder(version, than) {
  const [[major, minor], [wantedMajor, wantedMinor]] = [version, than].map(text => text.split('.').map(Number));
  return major !== wantedMajor ? major < wantedMajor : minor < wantedMinor;
}

/**
 * Why the addon cannot be loaded, and what to do about it.
 *
 * @param {unknown} error of the generated loader, each attempt of which is the cause of the next
 */
function explain(error) {
  const name = libc();
  const machine = [process.platform, process.arch, ...(name === '' ? [] : [name])].join(' ');
  const { platform, arch, glibc } = PREBUILT;
  const isCovered =
    process.platform === platform &&
    process.arch === arch &&
    name.startsWith('glibc ') &&
    !isOlder(name.slice('glibc '.length), glibc);
  if (!isCovered) {
    return `baileys-native has no binary for ${machine}: there is one for ${platform} ${arch} with glibc ${glibc} or later`;
  }
  const reason = reasonOf(error);
  return reason === undefined
    ? `the package baileys-native-${platform}-${arch}-gnu is not installed: npm leaves it out with --omit=optional, and with a package-lock.json that was written on another platform`
    : `the binary of baileys-native for ${machine} cannot be loaded: ${reason}`;
}

/**
 * The first line of what went wrong, where it is more than that a file was not found.
 *
 * @param {unknown} error
 * @returns {string | undefined}
 */
function reasonOf(error) {
  /** @type {string | undefined} */
  let reason;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause !== error && !cause.message.startsWith('Cannot find module')) [reason] = cause.message.split('\n');
  }
  return reason;
}

module.exports = { AddonUnavailableError, PREBUILT };
