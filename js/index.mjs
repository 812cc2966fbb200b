import api from './index.cjs';

export const {
  WebSocketClient,
  makeNoiseHandler,
  encodeBinaryNode,
  decodeBinaryNode,
  decodeDecompressedBinaryNode,
  decompressingIfRequired,
  isActive,
  NativeSession,
  SessionError,
  StanzaError,
  metrics,
  inspect
} = api;
