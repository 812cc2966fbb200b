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
  ConnectLimiter,
  Lease,
  SessionError,
  StanzaError,
  metrics,
  inspect
} = api;
