'use strict';

// Where processes that take part and those who look at them meet: Unix-domain sockets in a directory of the user's own.

const { lstatSync, mkdirSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** What a path of a Unix-domain socket may have, in bytes: `sun_path` of Linux and macOS without its end. */
const MAX_PATH = 103;

function uid() {
  if (process.getuid === undefined)
    throw new Error('there are no users with directories of mode 0700 on this platform');
  return process.getuid();
}

/** @param {NodeJS.ProcessEnv} [env] */
function directoryPath(env = process.env) {
  if (env.BAILEYS_NATIVE_INSPECT_DIR) return env.BAILEYS_NATIVE_INSPECT_DIR;
  return join(env.XDG_RUNTIME_DIR || tmpdir(), `baileys-native-${uid()}`);
}

/**
 * Makes the directory where it is not there. Whoever may write to it could pose as a process, and whoever may search it
 * could watch one: so it has to be the user's alone.
 *
 * @param {string} path
 * @throws {Error} where it is not
 */
function openDirectory(path) {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stats = lstatSync(path);
  if (!stats.isDirectory() || stats.uid !== uid() || (stats.mode & 0o077) !== 0) {
    throw new Error(`${path} is not a directory of this user's alone (mode 0700)`);
  }
  return path;
}

/** @param {string} directory @param {string} id */
function socketPath(directory, id) {
  const path = join(directory, `${id}.sock`);
  if (Buffer.byteLength(path) > MAX_PATH) {
    throw new Error(`${path} is too long for a socket; set BAILEYS_NATIVE_INSPECT_DIR to a shorter directory`);
  }
  return path;
}

module.exports = { directoryPath, openDirectory, socketPath };
