import native from './index.cjs';

export const {
  WebSocketClient,
  decodeBinaryNode,
  decodeDecompressedBinaryNode,
  decompressingIfRequired,
  encodeBinaryNode,
  isActive,
  makeNoiseHandler
} = native;
