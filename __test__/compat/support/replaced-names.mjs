// The names of the exports of Baileys that register replaces, in alphabetical order.

export const REPLACED = [
  'WebSocketClient',
  'decodeBinaryNode',
  'decodeDecompressedBinaryNode',
  'decompressingIfRequired',
  'encodeBinaryNode',
  'makeNoiseHandler',
  'promiseTimeout'
];
