import api from './index.cjs';

export const {
  WebSocketClient,
  makeNoiseHandler,
  encodeBinaryNode,
  decodeBinaryNode,
  decodeDecompressedBinaryNode,
  decompressingIfRequired,
  isActive,
  replaced,
  NativeSession,
  SessionError,
  StanzaError,
  metrics,
  inspect
} = api;
