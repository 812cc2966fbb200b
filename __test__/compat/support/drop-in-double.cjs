'use strict';

// Stands in for js/baileys/drop-in.cjs: its functions answer with the facts that the loader made them from.

const { EventEmitter } = require('node:events');

const MARKER = Symbol.for('baileys-native');
const FUNCTIONS = [
  'makeNoiseHandler',
  'encodeBinaryNode',
  'decodeBinaryNode',
  'decodeDecompressedBinaryNode',
  'decompressingIfRequired'
];

exports.createDropIn = ({ dialect, version, certDetails }) => {
  const dropIn = { WebSocketClient: class WebSocketClient extends EventEmitter {} };
  for (const name of FUNCTIONS) dropIn[name] = () => ({ name, dialect, version, certDetails: certDetails() });
  for (const replaced of Object.values(dropIn)) replaced[MARKER] = true;
  return dropIn;
};
