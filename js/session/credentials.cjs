'use strict';

/** @import { KeyPair, SessionCredentials } from '../../index' */

// Converts credentials between the shape of Baileys (`AuthenticationCreds`) and the shape of the addon.

/**
 * Copies the bytes: another thread could change shared memory while the addon reads it.
 *
 * @param {unknown} value
 * @param {string} name
 */
function bytes(value, name) {
  if (value instanceof Uint8Array) return Buffer.from(value);
  throw new TypeError(`auth: ${name} is not a Buffer or Uint8Array`);
}

/**
 * The credentials that a session needs.
 *
 * @param {SessionCredentials} creds
 */
function nativeCredentials(creds) {
  const { noiseKey, pairingEphemeralKeyPair, signedIdentityKey, signedPreKey, me, account } = creds;
  /**
   * @param {KeyPair | undefined} pair
   * @param {string} name
   */
  const key = (pair, name) => bytes(pair?.private, `${name}.private`);
  if (typeof creds.registrationId !== 'number') throw new TypeError('auth: registrationId is not a number');
  if (typeof creds.advSecretKey !== 'string') throw new TypeError('auth: advSecretKey is not a string');
  return {
    noiseKey: key(noiseKey, 'noiseKey'),
    pairingKey: key(pairingEphemeralKeyPair, 'pairingEphemeralKeyPair'),
    identityKey: key(signedIdentityKey, 'signedIdentityKey'),
    signedPreKey: key(signedPreKey?.keyPair, 'signedPreKey.keyPair'),
    signedPreKeyId: signedPreKey.keyId,
    signedPreKeySignature: bytes(signedPreKey.signature, 'signedPreKey.signature'),
    registrationId: creds.registrationId,
    advSecretKey: creds.advSecretKey,
    me: me ? { id: me.id, lid: me.lid ?? undefined, name: me.name ?? undefined } : undefined,
    account: account
      ? {
          details: bytes(account.details, 'account.details'),
          accountSignatureKey: bytes(account.accountSignatureKey, 'account.accountSignatureKey'),
          accountSignature: bytes(account.accountSignature, 'account.accountSignature'),
          deviceSignature: bytes(account.deviceSignature, 'account.deviceSignature')
        }
      : undefined,
    signalIdentities: (creds.signalIdentities ?? []).map(({ identifier, identifierKey }) => ({
      name: identifier.name ?? undefined,
      deviceId: identifier.deviceId,
      identifierKey: bytes(identifierKey, 'signalIdentities')
    })),
    platform: creds.platform ?? undefined,
    routingInfo: creds.routingInfo ? bytes(creds.routingInfo, 'routingInfo') : undefined,
    pairingCode: creds.pairingCode ?? undefined,
    registered: creds.registered === true
  };
}

/** @param {string} text */
const fromBase64 = text => Buffer.from(text, 'base64');

/**
 * Converts an update of the addon (src/bindings/session_json.rs) into a `creds.update` of Baileys.
 *
 * @param {any} json
 */
function credentialsUpdate(json) {
  const update = { ...json };
  if (update.account) {
    const fields = Object.entries(update.account).map(([name, value]) => [name, fromBase64(value)]);
    update.account = Object.fromEntries(fields);
  }
  if (update.routingInfo) update.routingInfo = fromBase64(update.routingInfo);
  if (update.signalIdentities) {
    update.signalIdentities = update.signalIdentities.map(
      (/** @type {{ name: string, deviceId: number, identifierKey: string }} */ identity) => ({
        identifier: { name: identity.name, deviceId: identity.deviceId },
        identifierKey: fromBase64(identity.identifierKey)
      })
    );
  }
  return update;
}

module.exports = { nativeCredentials, credentialsUpdate };
