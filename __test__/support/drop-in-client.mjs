// The socket and noise handler of the drop-in, without Baileys. Their peer answers every iq.

import { once } from 'node:events';
import { decodeBinaryNode, encodeBinaryNode } from 'baileys';
import { WebSocketClient, makeNoiseHandler } from 'baileys-native';
import { silentLogger } from './baileys-client.mjs';
import { NoisePeer, framed, keyPairOf } from './noise-peer.mjs';
import { closeAfter } from './resources.mjs';
import { startWebSocketServer } from './websocket-server.mjs';

const HEADER = Buffer.from([87, 65, 6, 3]);
const KEYS = keyPairOf(Buffer.alloc(32, 9));

/** Creates a client that is closed with the test. `stanza(id)` resolves with the received stanza with that id. */
export async function loggedInClient(t) {
  const server = await startWebSocketServer(t);
  const url = new URL(`ws://127.0.0.1:${server.address().port}/`);
  const client = closeAfter(t, new WebSocketClient(url, { connectTimeoutMs: 30_000 }));
  const accepted = once(server, 'connection');
  client.connect();
  const [[socket]] = await Promise.all([accepted, once(client, 'open')]);
  const noise = makeNoiseHandler({ keyPair: KEYS, NOISE_HEADER: HEADER, logger: silentLogger() });
  const peer = new NoisePeer({ header: HEADER, publicKey: KEYS.public });
  const hello = once(socket, 'message');
  client.send(noise.encodeFrame(Buffer.from('client hello')));
  await hello;

  const waiting = new Map();
  client.on('message', data =>
    noise.decodeFrame(data, frame => frame.attrs && waiting.get(frame.attrs.id)?.(frame)).catch(() => {})
  );
  const answered = once(client, 'message');
  socket.send(framed(Buffer.from('server hello')));
  await answered;
  peer.finishInit();
  await noise.finishInit();
  socket.on('message', async message => {
    const { attrs } = await decodeBinaryNode(peer.open(message.subarray(3)));
    const answer = { tag: 'iq', attrs: { from: attrs.to, type: 'result', id: attrs.id } };
    socket.send(framed(peer.seal(encodeBinaryNode(answer))));
  });
  return { client, noise, socket, stanza: id => new Promise(resolve => waiting.set(id, resolve)) };
}
