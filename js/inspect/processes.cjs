'use strict';

// The inspector's side of the sockets: which processes take part, and what one of them tells.

const { readdirSync, rmSync } = require('node:fs');
const { connect } = require('node:net');
const { openDirectory, socketPath } = require('./directory.cjs');

/** How long a process may take to answer; one whose event loop is blocked does not. */
const PATIENCE_MS = 500;
/** The longest line that is put together. */
const MAX_LINE = 4 * 1024 * 1024;

/** What the socket of a process is called. */
const ID = /^\d+-\d+$/;

/**
 * Splits what comes into lines.
 *
 * @param {(line: string) => void} onLine
 * @param {() => void} onTooLong
 */
function lineSplitter(onLine, onTooLong) {
  /** @type {Buffer[]} */
  let parts = [];
  let length = 0;
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

/** What a process says of itself; undefined where nothing is behind the socket any more. */
function greet(path, id) {
  const [pid, thread] = id.split('-').map(Number);
  return new Promise(resolve => {
    const socket = connect(path);
    const finish = result => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish({ id, pid, thread, busy: true }), PATIENCE_MS);
    socket.on(
      'data',
      lineSplitter(
        line => finish({ id, ...JSON.parse(line) }),
        () => finish(undefined)
      )
    );
    socket.on('error', error => {
      // A process that ended without its exit handlers leaves its socket behind.
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ECONNREFUSED') rmSync(path, { force: true });
      finish(undefined);
    });
    socket.on('close', () => finish(undefined));
  });
}

/** The processes that take part. */
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
