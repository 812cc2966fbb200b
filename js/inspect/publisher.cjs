'use strict';

// The process's side of `baileys-native inspect`: sends the recorded lines to the viewers that connect to its socket.

const { rmSync } = require('node:fs');
const { createServer } = require('node:net');
const { basename } = require('node:path');
const { threadId } = require('node:worker_threads');
const { metricsIfAny } = require('../session/metrics.cjs');
const { directoryPath, openDirectory, socketPath } = require('./directory.cjs');
const { STREAM } = require('./protocol.cjs');
const { Recorder } = require('./recorder.cjs');
const { Ring } = require('./ring.cjs');

/** Limits of the history that a new viewer gets. */
const KEPT = { lines: 2_000, bytes: 2 * 1024 * 1024 };
/** The most bytes that wait to be sent to one viewer. Further lines are dropped and counted. */
const MAX_BACKLOG = 1024 * 1024;
const MAX_VIEWERS = 8;
const FIGURES_MS = 1_000;

/** @param {object} line */
const encode = line => Buffer.from(`${JSON.stringify(line)}\n`);

/** A connected viewer. A slow viewer misses lines and is told how many. */
class Viewer {
  #socket;
  #dropped = 0;
  #reported = 0;

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on('drain', () => this.#reportDropped());
  }

  /** @param {Buffer} line */
  write(line) {
    if (this.#socket.writableLength > MAX_BACKLOG) {
      this.#dropped++;
      return;
    }
    this.#reportDropped();
    this.#socket.write(line);
  }

  #reportDropped() {
    if (this.#dropped === this.#reported) return;
    this.#reported = this.#dropped;
    this.#socket.write(encode({ kind: 'dropped', count: this.#dropped }));
  }
}

class Publisher {
  #server = createServer();
  #viewers = new Set();
  #sockets = new Set();
  #ring = new Ring(KEPT);
  #recorder;
  #path;
  #name;
  /** @type {NodeJS.Timeout | undefined} */
  #figures;
  #unlink;

  /** @param {{ name?: string, directory?: string, onError: (error: Error) => void }} options */
  constructor({ name = basename(process.argv[1] ?? 'node'), directory = directoryPath(), onError }) {
    this.#name = String(name).slice(0, 100);
    this.#path = socketPath(openDirectory(directory), `${process.pid}-${threadId}`);
    // Left by an earlier process with the same process id.
    rmSync(this.#path, { force: true });
    this.#recorder = new Recorder(line => this.#publish(line));
    this.#unlink = () => rmSync(this.#path, { force: true });
    process.once('exit', this.#unlink);
    this.#server.maxConnections = 4 * MAX_VIEWERS;
    this.#server.on('connection', socket => this.#accept(socket));
    this.#server.on('error', onError);
    this.#server.listen(this.#path);
    // The server does not keep the process alive.
    this.#server.unref();
  }

  get path() {
    return this.#path;
  }

  close() {
    this.#recorder.close();
    clearInterval(this.#figures);
    process.off('exit', this.#unlink);
    for (const socket of this.#sockets) socket.destroy();
    return new Promise(resolve => this.#server.close(() => resolve(this.#unlink())));
  }

  /** @param {object} line */
  #publish(line) {
    const encoded = encode(line);
    this.#ring.push(encoded);
    for (const viewer of this.#viewers) viewer.write(encoded);
  }

  /** @param {import('node:net').Socket} socket */
  #accept(socket) {
    socket.unref();
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.write(encode(this.#greeting()));
    let request = '';
    /** @param {Buffer} data */
    const onData = data => {
      request += data.toString('latin1');
      if (request === STREAM && this.#viewers.size < MAX_VIEWERS) {
        socket.off('data', onData);
        socket.resume();
        this.#stream(socket);
      } else if (!STREAM.startsWith(request) || request === STREAM) {
        socket.destroy();
      }
    };
    socket.on('data', onData);
  }

  #greeting() {
    const { pid, version } = process;
    return {
      kind: 'hello',
      pid,
      thread: threadId,
      name: this.#name,
      node: version,
      uptime: Math.round(process.uptime())
    };
  }

  /** @param {import('node:net').Socket} socket */
  #stream(socket) {
    const viewer = new Viewer(socket);
    for (const line of this.#ring) socket.write(line);
    this.#viewers.add(viewer);
    this.#sendFigures(viewer);
    this.#figures ??= setInterval(() => this.#viewers.forEach(each => this.#sendFigures(each)), FIGURES_MS).unref();
    socket.on('close', () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size > 0) return;
      clearInterval(this.#figures);
      this.#figures = undefined;
    });
  }

  /** @param {Viewer} viewer */
  #sendFigures(viewer) {
    const { rss } = process.memoryUsage();
    viewer.write(
      encode({ kind: 'figures', at: Date.now(), stanzas: this.#recorder.counts, rss, metrics: metricsIfAny() })
    );
  }
}

module.exports = { Publisher, KEPT };
