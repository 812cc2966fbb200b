// Compiled, never run: an ES module that uses the package by itself.

import {
  NativeSession,
  SessionError,
  StanzaError,
  WebSocketClient,
  decodeBinaryNode,
  decodeDecompressedBinaryNode,
  decompressingIfRequired,
  encodeBinaryNode,
  inspect,
  isActive,
  makeNoiseHandler,
  metrics
} from 'baileys-native';
import type {
  BinaryNode,
  BinaryNodeAttributes,
  BinaryNodeData,
  DiagnosticsMessages,
  KeyPair,
  KnownServer,
  NoiseHandler,
  NoiseLogger,
  SessionCredentials,
  SessionState,
  WebSocketClientConfig
} from 'baileys-native';
import { collectMetrics } from 'baileys-native/prometheus';
import { isActive as isRegistered } from 'baileys-native/register';
import { Agent } from 'node:https';
import { Registry } from 'prom-client';

export async function codec(bytes: Uint8Array): Promise<BinaryNode[]> {
  const attrs: BinaryNodeAttributes = { id: '1' };
  const content: BinaryNodeData = [{ tag: 'ping', attrs: {} }];
  const stanza: Buffer = encodeBinaryNode({ tag: 'iq', attrs, content });
  const position = { index: 0 };
  const node: BinaryNode = decodeDecompressedBinaryNode(await decompressingIfRequired(bytes), undefined, position);
  // @ts-expect-error attributes are strings
  encodeBinaryNode({ tag: 'iq', attrs: { id: 1 } });
  // @ts-expect-error a node has attributes
  encodeBinaryNode({ tag: 'iq' });
  return [await decodeBinaryNode(stanza), node];
}

export async function handshake(keyPair: KeyPair, noiseKey: KeyPair, logger: NoiseLogger): Promise<NoiseHandler> {
  const noise = makeNoiseHandler({
    keyPair,
    NOISE_HEADER: Buffer.from([87, 65, 6, 3]),
    logger,
    trustedRoot: keyPair.public
  });
  const sealed: Buffer = noise.processHandshake({ serverHello: { ephemeral: keyPair.public } }, noiseKey);
  noise.authenticate(noise.decrypt(noise.encrypt(sealed)));
  noise.mixIntoKey(sealed);
  await noise.finishInit();
  await noise.decodeFrame(noise.encodeFrame(sealed), frame => {
    if (frame instanceof Uint8Array) frame.subarray(1);
    else frame.tag.toUpperCase();
  });
  // @ts-expect-error the header decides the dictionary
  makeNoiseHandler({ keyPair, logger });
  return noise;
}

export async function socket(config: WebSocketClientConfig): Promise<boolean> {
  const client = new WebSocketClient(new URL('wss://localhost/ws'), {
    ...config,
    connectTimeoutMs: 1000,
    agent: new Agent({ rejectUnauthorized: true }),
    options: { headers: { 'user-agent': 'test' } }
  });
  const timeout: number | undefined = client.config.connectTimeoutMs;
  client.on('message', (data, isBinary) => [data.readUInt8(0), isBinary === true]);
  client.once('close', (code, reason) => [code.toFixed(timeout), reason.toString('utf8')]);
  client.on('error', error => error.code);
  client.on('unexpected-response', (request, response) => [request.abort(), response.statusCode]);
  client.on('CB:iq,type:get', (node: BinaryNode) => node.tag);
  client.emit('frame', { tag: 'iq', attrs: {} });
  client.connect();
  const sent: boolean = client.send('text') && client.send(new Uint8Array(1), error => error?.message);
  client.socket?.on('close', () => client.socket?.readyState === client.socket?.CLOSED);
  client.socket?.addEventListener('error', event => event.message, { once: true });
  client.socket?.terminate();
  client.socket?.ping(error => error?.message);
  client.socket?.pong('text', true);
  // @ts-expect-error read only
  client.isOpen = true;
  await client.close();
  return sent && client.isClosed && isActive() === isRegistered();
}

export async function session(creds: SessionCredentials, save: () => Promise<void>): Promise<SessionState> {
  const known: KnownServer | undefined = new NativeSession({ auth: creds }).knownServer;
  const reconnect = { attempts: 3, classes: { 500: 'backoff' } } as const;
  const bot = new NativeSession({ auth: { creds }, resume: true, knownServer: known, reconnect });
  bot.on('creds', save);
  bot.on('qr', (qr, { expiresAt }) => console.log(qr.length, expiresAt - 1));
  bot.on('reconnecting', ({ attempt, cancel }) => attempt > 2 && cancel());
  bot.on('close', ({ code, kind }) => console.log(code.toFixed(), kind));
  const off = bot.onStanza({ tag: 'iq', attrs: { type: 'set', xmlns: true } }, node => console.log(node.attrs['id']));
  await bot.connect({ signal: AbortSignal.timeout(1000) });
  try {
    const answer: BinaryNode = await bot.query({ tag: 'iq', attrs: { type: 'get' } }, { idempotent: true });
    await bot.sendNode(answer);
  } catch (error) {
    if (error instanceof StanzaError) console.log(error.text, error.statusCode);
    else if (error instanceof SessionError) console.log(error.code);
  }
  for await (const { tag } of bot.stanzas('CB:message')) if (tag) break;
  // @ts-expect-error there is no such event
  bot.on('message', () => {});
  off();
  console.log(bot.metrics().queryLatency.buckets[0], metrics().states.connected);
  await bot.close({ signal: AbortSignal.timeout(1000) });
  console.log(bot.serverTimeOffsetMs ?? 0);
  return bot.state;
}

export async function observe(): Promise<void> {
  const { path, close } = inspect({ name: 'bot' });
  console.log(path.length);
  await close();
  // @ts-expect-error a name is a text
  inspect({ name: 1 });
  collectMetrics();
  collectMetrics({ register: new Registry() });
  // @ts-expect-error a registry is required
  collectMetrics({ register: {} });
  const { handshakes, loopStalls, sockets } = metrics();
  console.log(handshakes.IK?.sumMs, loopStalls.longestMs, sockets.open, metrics().stanzasIn.toFixed());
  const query: DiagnosticsMessages['baileys-native:session:query'] | undefined = undefined as any;
  console.log(query?.node.tag, query?.ms.toFixed(), query?.session.state);
  // @ts-expect-error no such channel
  type _None = DiagnosticsMessages['baileys-native:session:nothing'];
}
