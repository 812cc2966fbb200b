// The server's part in linking a device by QR code: sends refs, gets the code from "the phone", sends a signed device
// identity, gets the device's own signature, and makes the client restart.

import { createHmac, randomBytes } from 'node:crypto';
import { S_WHATSAPP_NET, child, number, seconds } from './nodes.mjs';
import { verifySignature } from './xeddsa.mjs';

/** @import { Connection } from './connection.mjs' */
/** @import { Device } from './index.cjs' */
/** @import { Account, Baileys, PairingKeys, Stanza } from './types.d.ts' */
/** @typedef {{ account: Account, identityKey: Buffer, keyIndex: number }} Identity The identity of a new device. */

const ACCOUNT_SIGNATURE = Buffer.from([6, 0]);
const DEVICE_SIGNATURE = Buffer.from([6, 1]);

/**
 * Parses the text of a QR code. In Baileys 6 it is a comma-separated list. In Baileys 7 the list follows the `#` of a
 * link and has a fifth field, the platform of the companion.
 *
 * @param {string} qr
 */
export function parseQr(qr) {
  const fields = String(qr)
    .slice(String(qr).indexOf('#') + 1)
    .split(',');
  const [ref, noiseKey, identityKey, advSecret, platformId] = fields;
  const keys = [noiseKey, identityKey, advSecret].map(text => Buffer.from(text ?? '', 'base64'));
  if (!ref || keys.some(key => key.length !== 32)) throw new Error('the text is not a QR code of Baileys');
  return { ref, noiseKey: keys[0], identityKey: keys[1], advSecret: keys[2], platformId };
}

/**
 * The keys of the new device in the registration payload.
 *
 * @param {Record<string, any>} payload
 */
export function keysOfPayload({ devicePairingData: data }) {
  return {
    registrationId: number(data.eRegid),
    identityKey: Buffer.from(data.eIdent),
    signedPreKey: {
      id: number(data.eSkeyId),
      key: Buffer.from(data.eSkeyVal),
      signature: Buffer.from(data.eSkeySig)
    }
  };
}

/**
 * Offers pairing refs to a client that is not linked yet.
 *
 * @param {Connection} connection
 * @param {number} refCount
 * @param {number} timeoutMs
 */
export function offerPairing(connection, refCount, timeoutMs) {
  const refs = Array.from({ length: refCount }, () => `2@${randomBytes(48).toString('base64')}`);
  connection.pairingRefs = refs;
  const content = refs.map(ref => ({ tag: 'ref', attrs: {}, content: Buffer.from(ref) }));
  return connection.query(
    {
      tag: 'iq',
      attrs: { from: S_WHATSAPP_NET, type: 'set', xmlns: 'md' },
      content: [{ tag: 'pair-device', attrs: {}, content }]
    },
    { timeoutMs }
  );
}

/**
 * The identity that the phone signs for a new device. Its HMAC uses the ADV secret of the QR code.
 *
 * @param {Baileys} baileys
 * @param {Identity & { advSecret: Buffer }} identity
 */
function deviceIdentity({ proto, curve }, { account, identityKey, advSecret, keyIndex }) {
  const details = Buffer.from(
    proto.ADVDeviceIdentity.encode({
      rawId: randomBytes(4).readUInt32BE(0),
      timestamp: Math.floor(Date.now() / 1000),
      keyIndex
    }).finish()
  );
  const accountSignature = curve.sign(
    account.keyPair.private,
    Buffer.concat([ACCOUNT_SIGNATURE, details, identityKey])
  );
  const signed = Buffer.from(
    proto.ADVSignedDeviceIdentity.encode({
      details,
      accountSignatureKey: account.keyPair.public,
      accountSignature
    }).finish()
  );
  const hmac = createHmac('sha256', advSecret).update(signed).digest();
  return { details, sealed: Buffer.from(proto.ADVSignedDeviceIdentityHMAC.encode({ details: signed, hmac }).finish()) };
}

/**
 * Checks the answer to `pair-success`: the device must have signed its identity.
 *
 * @param {Baileys} baileys
 * @param {Stanza} answer
 * @param {Identity & { details: Buffer }} identity
 */
function verifyDeviceSignature({ proto }, answer, { details, identityKey, account, keyIndex }) {
  const node = child(child(answer, 'pair-device-sign'), 'device-identity');
  if (!node) throw new Error('the answer to pair-success has no device-identity');
  if (node.attrs['key-index'] !== String(keyIndex)) throw new Error('pair-device-sign has a wrong key index');
  const identity = proto.ADVSignedDeviceIdentity.decode(node.content);
  if (!details.equals(identity.details)) throw new Error('pair-device-sign and pair-success have different details');
  const message = Buffer.concat([DEVICE_SIGNATURE, details, identityKey, account.keyPair.public]);
  if (!verifySignature(identityKey, message, identity.deviceSignature))
    throw new Error('the device signature is wrong');
}

/**
 * Links the client of `connection`, as if the phone of the account had scanned its code. Resolves when the signature of
 * the device is verified. The caller makes the client restart.
 *
 * @param {Baileys} baileys
 * @param {Connection} connection
 * @param {{ code: PairingKeys, device: Device, account: Account, timeoutMs: number }} pairing
 */
export async function completePairing(baileys, connection, { code, device, account, timeoutMs }) {
  if (!connection.noiseKey?.equals(code.noiseKey))
    throw new Error('the pairing code and the connection have different Noise keys');
  if (!device.identityKey?.equals(code.identityKey))
    throw new Error('the pairing code and the payload have different identity keys');
  const keyIndex = device.device;
  const context = { account, identityKey: device.identityKey, keyIndex };
  const { details, sealed } = deviceIdentity(baileys, { ...context, advSecret: code.advSecret });
  const answer = await connection.query(
    {
      tag: 'iq',
      attrs: { from: S_WHATSAPP_NET, type: 'set', t: seconds(), xmlns: 'md' },
      content: [
        {
          tag: 'pair-success',
          attrs: {},
          content: [
            { tag: 'device-identity', attrs: {}, content: sealed },
            { tag: 'biz', attrs: { name: device.pushName } },
            { tag: 'platform', attrs: { name: device.platform } },
            { tag: 'device', attrs: { jid: device.jid, lid: device.lid } }
          ]
        }
      ]
    },
    { timeoutMs }
  );
  verifyDeviceSignature(baileys, answer, { ...context, details });
}
