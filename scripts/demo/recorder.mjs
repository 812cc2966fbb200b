// Logs inbound stanzas and connection events of a demo client. Stanzas are not logged during measurements.

import { join } from 'node:path';
import { statusCode } from '../shared/bot.mjs';
import { LogFile, describeQr, describeStanza } from './log.mjs';

/**
 * @typedef {import('baileys').BinaryNode} BinaryNode
 * @typedef {import('../shared/bot.mjs').Sock} Sock
 */

/** Writes one line for each event. Inbound stanzas and connection events have separate logs. */
export class DemoRecorder {
  #messages = 0;
  /** @type {Sock['ws'] | undefined} */
  #ws;
  /** @param {Uint8Array | BinaryNode} frame */
  #onFrame = frame => this.inbound.add(frame instanceof Uint8Array ? 'handshake' : describeStanza(frame));
  #onMessage = () => this.#messages++;

  /** @param {string} directory */
  constructor(directory) {
    this.inbound = new LogFile(join(directory, 'inbound.log'));
    this.connection = new LogFile(join(directory, 'connection.log'));
  }

  /**
   * Records a new socket.
   *
   * @param {Sock} sock
   */
  watch(sock) {
    /** @param {string} line */
    const note = line => this.connection.add(line);
    sock.ev.on('connection.update', update => note(`connection.update ${describeUpdate(update)}`));
    sock.ev.on('creds.update', update => note(`creds.update ${Object.keys(update).join(' ')}`));
    for (const event of ['open', 'close', 'error']) sock.ws.on(event, () => note(`ws ${event}`));
    this.#ws = sock.ws;
    this.#messages = 0;
    sock.ws.on('frame', this.#onFrame).on('message', this.#onMessage);
  }

  /** Stops recording, before a measurement. */
  pause() {
    this.#ws?.off('frame', this.#onFrame).off('message', this.#onMessage);
    this.connection.add(`ws messages: ${this.#messages}`);
  }

  close() {
    this.inbound.close();
    this.connection.close();
  }
}

/** @param {Partial<import('baileys').ConnectionState>} update */
function describeUpdate({ qr, lastDisconnect, ...rest }) {
  /** @type {Record<string, unknown>} */
  const shown = { ...rest };
  if (qr) shown.qr = describeQr(qr);
  if (lastDisconnect) {
    const { error } = lastDisconnect;
    shown.lastDisconnect = error ? { message: error.message, code: statusCode(error) } : {};
  }
  return JSON.stringify(shown);
}
