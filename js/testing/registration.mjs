// The server's part in linking a device by QR code: refs out, the code back from "the phone", a signed device identity
// out, the device's own signature back, restart.

import { createHmac, randomBytes } from 'node:crypto';
import { S_WHATSAPP_NET, child, seconds } from './nodes.mjs';
import { verifySignature } from './xeddsa.mjs';

const ACCOUNT_SIGNATURE = Buffer.from([6, 0]);
const DEVICE_SIGNATURE = Buffer.from([6, 1]);

/**
 * The fields of a pairing code, in either form: plain and comma-separated (Baileys 6), or the same after the `#` of a
 * link (Baileys 7), with the companion's platform as a fifth field.
 *
 * @param {string} qr
 */
export function parseQr(qr) {
  const fields = String(qr)
    .slice(String(qr).indexOf('#') + 1)
    .split(',');
  const [ref, noiseKey, identityKey, advSecret, platformId] = fields;
  const keys = [noiseKey, identityKey, advSecret].map(text => Buffer.from(text ?? '', 'base64'));
  if (!ref || keys.some(key => key.length !== 32)) throw new Error('this is not a pairing code of Baileys');
  return { ref, noiseKey: keys[0], identityKey: keys[1], advSecret: keys[2], platformId };
}

/** What the registration payload tells of the new device's keys. */
export function keysOfPayload({ devicePairingData: data }) {
  const number = bytes => Buffer.from(bytes).readUIntBE(0, bytes.length);
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

/** Offers pairing refs on a connection whose client is not linked yet. */
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

/** The signed identity that the phone hands to a new device, sealed for it with the secret in its QR code. */
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

/** Checks the answer to `pair-success`: the device has to have signed the identity it was given. */
function verifyDeviceSignature({ proto }, answer, { details, identityKey, account, keyIndex }) {
  const node = child(child(answer, 'pair-device-sign'), 'device-identity');
  if (!node) throw new Error('the answer to pair-success holds no device-identity');
  if (node.attrs['key-index'] !== String(keyIndex)) throw new Error('pair-device-sign names another key index');
  const identity = proto.ADVSignedDeviceIdentity.decode(node.content);
  if (!details.equals(identity.details)) throw new Error('pair-device-sign holds other details than pair-success did');
  const message = Buffer.concat([DEVICE_SIGNATURE, details, identityKey, account.keyPair.public]);
  if (!verifySignature(identityKey, message, identity.deviceSignature))
    throw new Error('the device signature is wrong');
}

/**
 * Links the device behind `connection`, as if its code had been scanned by the phone of `device`'s account.
 * Resolves once the device's signature was verified; the restart is up to the caller.
 */
export async function completePairing(baileys, connection, { code, device, account, timeoutMs }) {
  if (!code.noiseKey.equals(connection.noiseKey))
    throw new Error('the pairing code holds another noise key than the connection');
  if (!code.identityKey.equals(device.identityKey))
    throw new Error('the pairing code holds another identity key than the payload');
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
