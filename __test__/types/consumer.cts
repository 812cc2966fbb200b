// Compiled, never run: a CommonJS module that uses the package by itself.

import native = require('baileys-native');
import prometheus = require('baileys-native/prometheus');
import register = require('baileys-native/register');
import testing = require('baileys-native/testing');

export const client: native.WebSocketClient = new native.WebSocketClient(new URL('wss://localhost'), {});
export const stanza: native.BinaryNode = {
  tag: 'iq',
  attrs: {},
  content: native.encodeBinaryNode({ tag: 'a', attrs: {} })
};
export const handler: (options: native.NoiseHandlerOptions) => native.NoiseHandler = native.makeNoiseHandler;
export const active: boolean = native.isActive() && register.isActive();
export const copies: native.ReplacedCopy[] = [...native.replaced(), ...register.replaced()];
export const collect: () => void = () => prometheus.collectMetrics();
export const start: () => Promise<testing.MockServer> = () => testing.MockServer.start();
