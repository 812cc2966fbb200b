/** Frames that fail authentication or decoding, for the drop-in of each release. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import diagnostics from 'node:diagnostics_channel';
import { metrics } from 'baileys-native';
import { WebSocket } from 'ws';
import { RELEASES } from '../../scripts/shared/baileys.mjs';
import { NoisePeer, framed, keyPairOf } from '../support/noise-peer.mjs';
import { closeAfter, releaseAfter, suiteResources } from '../support/resources.mjs';
import { startWebSocketServer } from '../support/websocket-server.mjs';
import { LINES } from '../support/socket-log.mjs';

const { createDropIn } = createRequire(import.meta.url)('../../js/baileys/drop-in.cjs');

const KEYS = keyPairOf(Buffer.alloc(32, 7));
const HELLO = framed(Buffer.from('server hello'));
/** A list of 255 items without its items. */
const NOT_A_STANZA = Buffer.from([0, 248, 255]);

const server = await startWebSocketServer(suiteResources());

/** A logger that stores the warnings. */
function noting() {
  const warnings = [];
  const logger = { level: 'silent', trace() {}, debug() {}, info() {}, error() {}, child: () => logger };
  logger.warn = (...args) => warnings.push(args);
  return { logger, warnings };
}

/** A connection in transport phase, with the `message` listener of this release of Baileys. */
async function connect(t, { dialect, dictionary }, isReplaced) {
  const header = Buffer.from([87, 65, 6, dictionary]);
  const { WebSocketClient, makeNoiseHandler, encodeBinaryNode } = createDropIn({ dialect });
  const url = `ws://127.0.0.1:${server.address().port}`;
  const client = closeAfter(t, new WebSocketClient(url, { connectTimeoutMs: 30_000 }));
  if (isReplaced) {
    const emit = client.emit;
    client.emit = function (...args) {
      return Reflect.apply(emit, this, args);
    };
  }
  const accepted = once(server, 'connection');
  void client.connect();
  const [[socket]] = await Promise.all([accepted, once(client, 'open')]);
  const { logger, warnings } = noting();
  const handler = makeNoiseHandler({ keyPair: KEYS, NOISE_HEADER: header, logger });
  const peer = new NoisePeer({ header, publicKey: KEYS.public });
  const seen = [];
  const decode = data =>
    handler.decodeFrame(data, frame => {
      if (Buffer.isBuffer(frame)) void handler.finishInit();
      else seen.push(frame.attrs.id);
      client.emit('seen');
    });
  client.on('message', dialect === '7' ? async data => await decode(data) : data => void decode(data));
  const hello = once(socket, 'message');
  client.send(handler.encodeFrame(Buffer.from('client hello')));
  await hello;
  const ready = once(client, 'seen');
  socket.send(HELLO);
  await ready;
  peer.finishInit();
  const stanza = id => encodeBinaryNode({ tag: 'ack', attrs: { id } });
  const send = payload => socket.send(framed(peer.seal(payload)));
  return { client, socket, handler, seen, send, stanza, warnings };
}

for (const release of RELEASES) {
  for (const isReplaced of [false, true]) {
    const name = `${release.version}${isReplaced ? ', emit replaced' : ''}`;
    test(`a stanza that does not decode is skipped and reported: ${name}`, { timeout: 60_000 }, async t => {
      const { client, seen, send, stanza, warnings } = await connect(t, release, isReplaced);
      const published = [];
      const listener = message => published.push(message);
      diagnostics.subscribe('baileys-native:socket:undecodable', listener);
      t.after(() => diagnostics.unsubscribe('baileys-native:socket:undecodable', listener));
      const { framesOpened, malformed } = metrics().sockets;
      send(stanza('1'));
      send(NOT_A_STANZA);
      send(stanza('2'));
      send(NOT_A_STANZA);
      send(stanza('3'));
      while (seen.length < 3) await once(client, 'seen');
      assert.deepEqual(seen, ['1', '2', '3']);
      // The read-ahead goes on after a stanza that does not decode.
      assert.equal(metrics().sockets.framesOpened - framesOpened, 3);
      assert.equal(metrics().sockets.malformed - malformed, 2);
      assert.equal(warnings.length, 2);
      assert.ok(warnings[0][0].err instanceof Error);
      assert.deepEqual(
        published.map(({ connection, error }) => [connection, error instanceof Error]),
        [
          [client.socket.id, true],
          [client.socket.id, true]
        ]
      );
      assert.ok(client.isOpen);
    });

    test(`a frame that does not authenticate ends the connection with 408: ${name}`, { timeout: 60_000 }, async t => {
      const { client, socket, seen, send, stanza } = await connect(t, release, isReplaced);
      const { statusCodeOf } = LINES.find(line => line.name === release.dialect);
      const failed = once(client, 'error');
      send(stanza('1'));
      socket.send(framed(Buffer.alloc(40)));
      const [error] = await failed;
      assert.match(error.message, /unable to authenticate/);
      assert.equal(statusCodeOf(error), 408);
      assert.deepEqual(seen, ['1']);
    });
  }

  test(`a socket of the program's own is not linked: ${release.version}`, { timeout: 60_000 }, async t => {
    const { WebSocketClient, makeNoiseHandler } = createDropIn({ dialect: release.dialect });
    class Replaced extends WebSocketClient {
      connect() {
        this.socket = new WebSocket(this.url);
        this.socket.on('open', () => this.emit('open'));
      }
    }
    const client = new Replaced(`ws://127.0.0.1:${server.address().port}`, {});
    const accepted = once(server, 'connection');
    client.connect();
    releaseAfter(t, () => client.socket.terminate());
    const [[socket]] = await Promise.all([accepted, once(client, 'open')]);
    const header = Buffer.from([87, 65, 6, release.dictionary]);
    const { logger } = noting();
    const handler = makeNoiseHandler({ keyPair: KEYS, NOISE_HEADER: header, logger });
    const received = once(socket, 'message');
    const frame = handler.encodeFrame(Buffer.from('client hello'));
    assert.equal(client.send(frame), true);
    assert.deepEqual((await received)[0], frame);
  });

  test(`destroy() frees the keys of a handler: ${release.version}`, { timeout: 60_000 }, async t => {
    const { handler, stanza } = await connect(t, release, false);
    handler.destroy();
    handler.destroy();
    assert.throws(() => handler.encodeFrame(stanza('1')));
  });
}
