// Compiled, never run: our declarations are assignable to those of each line of Baileys.

import * as native from 'baileys-native';
import type * as testing from 'baileys-native/testing';
import type * as baileys from 'baileys';
import type { AbstractSocketClient } from 'baileys/lib/Socket/Client/types.js';
import type * as baileys67 from 'baileys-6.7.24';
import type * as baileys617 from 'baileys-6.17.16';

/** Names and types of the codec are the same in all lines. */
type Codec = 'encodeBinaryNode' | 'decodeBinaryNode' | 'decodeDecompressedBinaryNode' | 'decompressingIfRequired';
export const codec: Pick<typeof baileys, Codec> = native;
export const codec67: Pick<typeof baileys67, Codec> = native;
export const codec617: Pick<typeof baileys617, Codec> = native;

export const handler: typeof baileys.makeNoiseHandler = native.makeNoiseHandler;
/** In Baileys 6 two methods return promises, which those under `register` then do. */
type Handler67 = Omit<ReturnType<typeof baileys67.makeNoiseHandler>, 'mixIntoKey' | 'processHandshake'>;
type Handler617 = Omit<ReturnType<typeof baileys617.makeNoiseHandler>, 'mixIntoKey' | 'processHandshake'>;
export const handler67: (...args: Parameters<typeof baileys67.makeNoiseHandler>) => Handler67 = native.makeNoiseHandler;
export const handler617: (...args: Parameters<typeof baileys617.makeNoiseHandler>) => Handler617 =
  native.makeNoiseHandler;

/** The type is the abstract class. Baileys' own class has a protected member, so no other class is assignable to it. */
export const client: new (url: URL, config: baileys.SocketConfig) => AbstractSocketClient = native.WebSocketClient;
export const client67: new (url: URL, config: baileys67.SocketConfig) => { isOpen: boolean; close(): Promise<void> } =
  native.WebSocketClient;

/** Our types are assignable to those of Baileys, and the reverse. */
export const toBaileys = (node: native.BinaryNode): baileys.BinaryNode => node;
export const fromBaileys = (node: baileys.BinaryNode): native.BinaryNode => node;
export const toBaileys617 = (node: native.BinaryNode): baileys617.BinaryNode => node;
export const fromBaileys67 = (node: baileys67.BinaryNode): native.BinaryNode => node;
export const toServer = (node: native.BinaryNode): testing.BinaryNode => node;
export const attributes = (attrs: baileys.BinaryNodeAttributes): native.BinaryNodeAttributes => attrs;
export const keys = (pair: baileys.KeyPair): native.KeyPair => pair;
export const logger = (of: baileys.SocketConfig['logger']): native.NoiseLogger => of;

/** The form of README.md for an option that Baileys' types do not know. */
export function withoutKeepAlive({ makeWASocket }: typeof baileys, state: baileys.AuthenticationState) {
  const config = { auth: state, keepAliveWhileBlocked: false };
  return makeWASocket(config);
}
export function withoutKeepAlive67({ makeWASocket }: typeof baileys67, state: baileys67.AuthenticationState) {
  const config = { auth: state, keepAliveWhileBlocked: false };
  return makeWASocket(config);
}
