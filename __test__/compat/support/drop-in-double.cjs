'use strict';

// Replaces js/baileys/drop-in.cjs in tests: its functions return their name and what the loader has passed.

const { EventEmitter } = require('node:events');

const MARKER = Symbol.for('baileys-native');
const FUNCTIONS = [
  'makeNoiseHandler',
  'encodeBinaryNode',
  'decodeBinaryNode',
  'decodeDecompressedBinaryNode',
  'decompressingIfRequired'
];

exports.createDropIn = ({ dialect, certDetails }) => {
  const dropIn = { WebSocketClient: class WebSocketClient extends EventEmitter {} };
  for (const name of FUNCTIONS) dropIn[name] = () => ({ name, dialect, certDetails: certDetails() });
  for (const replaced of Object.values(dropIn)) replaced[MARKER] = true;
  return dropIn;
};
