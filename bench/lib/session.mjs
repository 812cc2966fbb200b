// A login that uses only a WebSocket and a noise handler, for clients without Baileys.

import { randomBytes } from 'node:crypto';
import * as baileys from 'baileys';
import { silentLogger } from '../../scripts/shared/bot.mjs';

const { proto, Curve, DEFAULT_CONNECTION_CONFIG, NOISE_WA_HEADER, generateLoginNode } = baileys;

/**
 * @param {object} options
 * @param {import('node:events').EventEmitter & { send(data: Uint8Array): void }} options.ws Open.
 * @param {(options: any) => any} options.makeNoiseHandler Of Baileys or of this package.
 * @param {number} options.user
 * @param {Uint8Array} [options.trustedRoot] The root key, for a handler of this package.
 * @returns {Promise<any>} The handler after the handshake. The listener of `message` is removed.
 */
export async function performHandshake({ ws, makeNoiseHandler, user, trustedRoot }) {
  const keyPair = Curve.generateKeyPair();
  const logger = silentLogger();
  const noise = makeNoiseHandler({ keyPair, NOISE_HEADER: NOISE_WA_HEADER, logger, trustedRoot });
  const encode = message => proto.HandshakeMessage.encode(proto.HandshakeMessage.fromObject(message)).finish();

  const answer = new Promise((resolve, reject) => {
    ws.once('message', data => noise.decodeFrame(data, resolve).catch(reject));
    ws.once('close', () => reject(new Error('the connection closed in the handshake')));
  });
  ws.send(noise.encodeFrame(encode({ clientHello: { ephemeral: keyPair.public } })));
  const hello = proto.HandshakeMessage.decode(await answer);

  const noiseKey = Curve.generateKeyPair();
  const sealedKey = noise.processHandshake(hello, noiseKey);
  const login = generateLoginNode(`${user}:1@s.whatsapp.net`, {
    ...DEFAULT_CONNECTION_CONFIG,
    auth: /** @type {any} */ ({ creds: { registrationId: randomBytes(2).readUInt16BE(0) } })
  });
  const payload = noise.encrypt(proto.ClientPayload.encode(login).finish());
  ws.send(noise.encodeFrame(encode({ clientFinish: { static: sealedKey, payload } })));
  await noise.finishInit();
  return noise;
}
