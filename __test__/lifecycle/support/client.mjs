// Shared functions of the programs in this folder: they log in as one of the linked devices.

import * as baileys from 'baileys';
import { trustTestRoot } from 'baileys-native/testing';
import { login, memoryAuth } from '../../support/baileys-client.mjs';

const { url, rootKey, accounts } = JSON.parse(process.env.TEST_SERVER ?? '{}');

trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));

export const isNative = baileys.makeNoiseHandler[Symbol.for('baileys-native')] === true;

/** @param {number} [device] */
export function logIn(device = 0) {
  const creds = JSON.parse(accounts[device], baileys.BufferJSON.reviver);
  return login({ baileys, server: { url }, auth: memoryAuth(baileys, creds) });
}

/** Requests a flood. Resolves when `count` of its stanzas have arrived. */
export function floodOf(sock, count) {
  return new Promise((resolve, reject) => {
    let left = count;
    sock.ws.on('CB:relay', () => {
      if (--left === 0) resolve(undefined);
    });
    ready(sock).catch(reject);
  });
}

/** Tells the server that all listeners are added. */
export const ready = sock => sock.sendNode({ tag: 'presence', attrs: { type: 'ready' } });

/** Prints a line for the test to read. */
export const printJson = value => console.log(JSON.stringify(value));
