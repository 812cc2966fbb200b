'use strict';

// The inspector's side of the sockets: finds the inspected processes and connects to them.

const { readdirSync, rmSync } = require('node:fs');
const { connect } = require('node:net');
const { openDirectory, socketPath } = require('./directory.cjs');

/** @typedef {{ id: string, pid: number, thread: number, busy?: boolean }} Process An inspected thread. */

/** How long a process may take to answer, in milliseconds. A process with a blocked event loop does not answer. */
const HELLO_TIMEOUT_MS = 500;
/** The longest line in bytes. */
const MAX_LINE = 4 * 1024 * 1024;

/** The id of an inspected thread, which is also the name of its socket: process id and thread id. */
const ID = /^\d+-\d+$/;

/**
 * Returns a function that splits chunks into lines.
 *
 * @param {(line: string) => void} onLine
 * @param {() => void} onTooLong
 */
function lineSplitter(onLine, onTooLong) {
  /** @type {Buffer[]} */
  let parts = [];
  let length = 0;
  /** @param {Buffer} chunk */
  return chunk => {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      onLine(Buffer.concat(parts).toString());
      [parts, length, from] = [[], 0, end + 1];
    }
    if (from === chunk.length) return;
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE) onTooLong();
  };
}

/**
 * Reads the greeting of a process. Resolves with undefined if the process has ended.
 *
 * @param {string} path
 * @param {string} id
 */
function greet(path, id) {
  const [pid, thread] = id.split('-').map(Number);
  return new Promise(resolve => {
    const socket = connect(path);
    /** @param {Process | undefined} result */
    const finish = result => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish({ id, pid, thread, busy: true }), HELLO_TIMEOUT_MS);
    socket.on(
      'data',
      lineSplitter(
        line => finish({ id, ...JSON.parse(line) }),
        () => finish(undefined)
      )
    );
    socket.on('error', error => {
      // A process that ends without its exit handlers does not remove its socket.
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ECONNREFUSED') rmSync(path, { force: true });
      finish(undefined);
    });
    socket.on('close', () => finish(undefined));
  });
}

/**
 * Lists the inspected processes.
 *
 * @param {string} directory
 */
async function listProcesses(directory) {
  const ids = readdirSync(openDirectory(directory))
    .filter(name => name.endsWith('.sock'))
    .map(name => name.slice(0, -'.sock'.length))
    .filter(id => ID.test(id));
  const found = await Promise.all(ids.map(id => greet(socketPath(directory, id), id)));
  return found.filter(process => process !== undefined).sort((a, b) => a.pid - b.pid || a.thread - b.thread);
}

/**
 * Connects to a process.
 *
 * @param {string} directory
 * @param {string} id
 */
function openProcess(directory, id) {
  return connect(socketPath(openDirectory(directory), id));
}

module.exports = { ID, lineSplitter, listProcesses, openProcess };
