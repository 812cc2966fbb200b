'use strict';

// The directory of the Unix-domain sockets by which `baileys-native inspect` finds the inspected processes.

const { lstatSync, mkdirSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** The longest path of a Unix-domain socket in bytes: `sun_path` of macOS without its final zero. */
const MAX_PATH = 103;

function uid() {
  if (process.getuid === undefined)
    throw new Error('baileys-native inspect is not supported on this platform: it needs file permissions of users');
  return process.getuid();
}

/** @param {NodeJS.ProcessEnv} [env] */
function directoryPath(env = process.env) {
  if (env.BAILEYS_NATIVE_INSPECT_DIR) return env.BAILEYS_NATIVE_INSPECT_DIR;
  return join(env.XDG_RUNTIME_DIR || tmpdir(), `baileys-native-${uid()}`);
}

/**
 * Creates the directory if it does not exist. Only this user has access. With write access another user could imitate a
 * process. With search access another user could watch a process.
 *
 * @param {string} path
 * @throws {Error} if others can access it
 */
function openDirectory(path) {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stats = lstatSync(path);
  if (!stats.isDirectory() || stats.uid !== uid() || (stats.mode & 0o077) !== 0) {
    throw new Error(`${path} must be a directory that belongs to this user and has mode 0700`);
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
