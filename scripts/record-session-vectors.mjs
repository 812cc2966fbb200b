#!/usr/bin/env node
/**
 * Records the results of Baileys 7 for fixed inputs during registration, login and pairing in
 * `__test__/vectors/session-*.json`. With `--check` it compares instead, and fails if a file differs.
 *
 * Signatures of Baileys are random and are not recorded; a test verifies ours instead. This script does not use the
 * addon.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createHmac } from 'node:crypto';
import { keyPairOf } from './noise-vectors/responder.mjs';
import { importFiles, PACKAGES } from './shared/baileys.mjs';
import { sha256 } from './shared/noise-crypto.mjs';

const root = new URL('../', import.meta.url);
const [validation, companion, crypto, generics, binary, { proto }] = await importFiles(PACKAGES[7], [
  'validateConnection',
  'companion',
  'crypto',
  'generics',
  'binary',
  'proto'
]);
/** @param {Uint8Array | number[]} bytes */
const hex = bytes => Buffer.from(bytes).toString('hex');
/**
 * Bytes that are the same on every run.
 *
 * @param {string} name
 * @param {number} length At most 96.
 */
const fixedBytes = (name, length) =>
  Buffer.concat([sha256(name), sha256(`${name}, on`), sha256(`${name}, on and on`)]).subarray(0, length);

const keyPairs = {
  noise: keyPairOf('noise key'),
  identity: keyPairOf('signed identity'),
  preKey: keyPairOf('signed pre-key'),
  pairing: keyPairOf('pairing key'),
  account: keyPairOf('account identity'),
  primaryEphemeral: keyPairOf('primary ephemeral')
};
/** @param {{ private: Uint8Array, public: Uint8Array }} keys */
const toHex = keys => ({ private: hex(keys.private), public: hex(keys.public) });

const systems = ['Mac OS', 'Windows', 'Ubuntu', 'Baileys'];
const browserNames = [
  'Chrome',
  'Desktop',
  'Edge',
  'IE',
  'Safari',
  'Opera',
  'Firefox',
  'Android',
  'My Android App',
  'Unknown',
  'iPad',
  'cloud_api',
  'Zoë'
];
const browsers = systems.flatMap(system => browserNames.map(name => [system, name, '1.2.3']));

/** The payloads of registration and login, for many configurations. */
const payloads = () => {
  /** @param {object} node */
  const encode = node => hex(proto.ClientPayload.encode(node).finish());
  return browsers.map((browser, place) => {
    const config = {
      version: [2, 3000 + place, 1043857760 - place],
      countryCode: ['US', 'DE', 'BR'][place % 3],
      browser,
      syncFullHistory: place % 2 === 0
    };
    const creds = {
      registrationId: (place * 331) & 16383,
      signedIdentityKey: keyPairs.identity,
      signedPreKey: { keyId: place * 65537, keyPair: keyPairs.preKey, signature: fixedBytes('pre-key signature', 64) }
    };
    const user = `${49151 + place}${1000000 + place * 7919}`;
    const jid = [`${user}:${place}@s.whatsapp.net`, `${user}@s.whatsapp.net`, `${user}_1:${place * 5}@hosted`][
      place % 3
    ];
    const pushName = ['Ann', 'Zoë 🦀', ''][place % 3];
    return {
      name: browser.join(' '),
      config,
      registration: {
        registrationId: creds.registrationId,
        identityPublic: hex(keyPairs.identity.public),
        signedPreKeyId: creds.signedPreKey.keyId,
        signedPreKeyPublic: hex(keyPairs.preKey.public),
        signedPreKeySignature: hex(creds.signedPreKey.signature),
        encoded: encode(validation.generateRegistrationNode(creds, config))
      },
      login: { jid, encoded: encode(validation.generateLoginNode(jid, config)) },
      loginWithPushName: { jid, pushName, encoded: encode(validation.generateLoginNode(jid, { ...config, pushName })) }
    };
  });
};

const secret = fixedBytes('adv secret', 32).toString('base64');

const qrCodes = () =>
  browsers.map(browser => ({
    browser,
    platform: companion.getCompanionPlatformId(browser),
    text: companion.buildPairingQRData(
      '2@a,b/c+d==',
      keyPairs.noise.public.toString('base64'),
      keyPairs.identity.public.toString('base64'),
      secret,
      browser
    )
  }));

/** Variants of the server's `pair-success`, each with one difference. */
const pairSuccesses = () => {
  const { E2EE, HOSTED } = proto.ADVEncryptionType;
  const kinds = [
    { name: 'usual' },
    { name: 'business, with LID and platform', biz: 'Zoë & Co', lid: '77:1@lid', platform: 'smba' },
    { name: 'hosted HMAC', accountType: HOSTED },
    { name: 'end-to-end HMAC, said so', accountType: E2EE },
    { name: 'hosted device', deviceType: HOSTED },
    { name: 'hosted in both', accountType: HOSTED, deviceType: HOSTED },
    { name: 'HMAC under another secret', wrongSecret: true },
    { name: 'no device', without: 'device' },
    { name: 'no identity', without: 'device-identity' }
  ];
  return kinds.map(kind => {
    const details = Buffer.from(
      proto.ADVDeviceIdentity.encode({
        rawId: 4711,
        timestamp: 1700000000,
        keyIndex: 3,
        accountType: kind.accountType,
        deviceType: kind.deviceType
      }).finish()
    );
    const prefix = Buffer.from(kind.deviceType === HOSTED ? [6, 5] : [6, 0]);
    const accountSignature = crypto.Curve.sign(
      keyPairs.account.private,
      Buffer.concat([prefix, details, keyPairs.identity.public])
    );
    const signed = Buffer.from(
      proto.ADVSignedDeviceIdentity.encode({
        details,
        accountSignatureKey: keyPairs.account.public,
        accountSignature
      }).finish()
    );
    const hmacPrefix = Buffer.from(kind.accountType === HOSTED ? [6, 5] : []);
    const key = kind.wrongSecret ? Buffer.alloc(32) : Buffer.from(secret, 'base64');
    const hmac = createHmac('sha256', key).update(hmacPrefix).update(signed).digest();
    const sealed = proto.ADVSignedDeviceIdentityHMAC.encode({
      details: signed,
      hmac,
      accountType: kind.accountType
    }).finish();
    const content = [
      { tag: 'device-identity', attrs: {}, content: Buffer.from(sealed) },
      { tag: 'device', attrs: { jid: '15551234567:3@s.whatsapp.net', ...(kind.lid && { lid: kind.lid }) } },
      ...(kind.platform ? [{ tag: 'platform', attrs: { name: kind.platform } }] : []),
      ...(kind.biz ? [{ tag: 'biz', attrs: { name: kind.biz } }] : [])
    ].filter(({ tag }) => tag !== kind.without);
    const stanza = {
      tag: 'iq',
      attrs: { from: 's.whatsapp.net', type: 'set', id: '4242', t: '1700000001' },
      content: [{ tag: 'pair-success', attrs: {}, content }]
    };
    const recorded = { name: kind.name, stanza: hex(binary.encodeBinaryNode(stanza)) };
    try {
      const { creds, reply } = validation.configureSuccessfulPairing(stanza, {
        advSecretKey: secret,
        signedIdentityKey: keyPairs.identity,
        signalIdentities: []
      });
      const [identity] = creds.signalIdentities;
      const { details: known, accountSignatureKey, accountSignature: certified } = creds.account;
      // The signature of the device is random; the part of the answer before it is not.
      const answer = reply.content[0].content[0];
      const { deviceSignature, ...unsigned } = proto.ADVSignedDeviceIdentity.decode(answer.content);
      answer.content = Buffer.from(proto.ADVSignedDeviceIdentity.encode(unsigned).finish());
      return {
        ...recorded,
        me: creds.me,
        platform: creds.platform,
        account: {
          details: hex(known),
          accountSignatureKey: hex(accountSignatureKey),
          accountSignature: hex(certified)
        },
        signalIdentity: { name: identity.identifier.name, deviceId: 0, key: hex(identity.identifierKey) },
        signatureLength: deviceSignature.length,
        reply: hex(binary.encodeBinaryNode(reply))
      };
    } catch (error) {
      return { ...recorded, error: error.message };
    }
  });
};

/**
 * Pairing by code: the results of Baileys' `requestPairingCode` and of its handler for the notification of the phone.
 */
const pairingCodes = async () => {
  const { Curve, aesEncryptCTR, aesEncryptGCM, derivePairingCodeKey, hkdf } = crypto;
  const code = 'ABCD1234';
  const random = fixedBytes('code salt', 32);
  const iv = fixedBytes('code iv', 16);
  const wrapped = Buffer.concat([
    random,
    iv,
    aesEncryptCTR(keyPairs.pairing.public, await derivePairingCodeKey(code, random), iv)
  ]);

  const phoneSalt = fixedBytes('phone salt', 32);
  const phoneIv = fixedBytes('phone iv', 16);
  const phoneKey = await derivePairingCodeKey(code, phoneSalt);
  const phoneWrapped = Buffer.concat([
    phoneSalt,
    phoneIv,
    aesEncryptCTR(keyPairs.primaryEphemeral.public, phoneKey, phoneIv)
  ]);

  const shared = Curve.sharedKey(keyPairs.pairing.private, keyPairs.primaryEphemeral.public);
  const bundleRandom = fixedBytes('bundle random', 32);
  const bundleSalt = fixedBytes('bundle salt', 32);
  const bundleIv = fixedBytes('bundle iv', 12);
  const key = hkdf(shared, 32, { salt: bundleSalt, info: 'link_code_pairing_key_bundle_encryption_key' });
  const bundle = Buffer.concat([keyPairs.identity.public, keyPairs.account.public, bundleRandom]);
  const identityShared = Curve.sharedKey(keyPairs.identity.private, keyPairs.account.public);
  const advSecret = hkdf(Buffer.concat([shared, identityShared, bundleRandom]), 32, { info: 'adv_secret' });
  return {
    code,
    helloRandom: hex(Buffer.concat([random, iv])),
    wrapped: hex(wrapped),
    phoneWrapped: hex(phoneWrapped),
    primaryIdentity: hex(keyPairs.account.public),
    finishRandom: hex(Buffer.concat([bundleRandom, bundleSalt, bundleIv])),
    keyBundle: hex(Buffer.concat([bundleSalt, bundleIv, aesEncryptGCM(bundle, key, bundleIv, Buffer.alloc(0))])),
    advSecretKey: Buffer.from(advSecret).toString('base64'),
    crockford: [[0, 0, 0, 0, 0], [255, 255, 255, 255, 255], [1, 35, 69, 103, 137], [...fixedBytes('crockford', 5)]].map(
      bytes => ({
        bytes: hex(bytes),
        code: generics.bytesToCrockford(Buffer.from(bytes))
      })
    )
  };
};

const recordings = {
  'session-payloads': payloads(),
  'session-pairing': {
    keys: Object.fromEntries(Object.entries(keyPairs).map(([name, keys]) => [name, toHex(keys)])),
    advSecretKey: secret,
    qrs: qrCodes(),
    codes: await pairingCodes()
  },
  'session-pair-success': pairSuccesses()
};

const check = process.argv.includes('--check');
/**
 * Removes random values: the signatures of the account, and everything that contains them.
 *
 * @param {string} name
 * @param {any} value
 */
const comparable = (name, value) =>
  name === 'session-pair-success'
    ? JSON.stringify(value.map((/** @type {any} */ { name: of, me, error }) => ({ of, me, error })))
    : JSON.stringify(value);
for (const [name, value] of Object.entries(recordings)) {
  const file = new URL(`__test__/vectors/${name}.json`, root);
  if (check) {
    const recorded = JSON.parse(await readFile(file, 'utf8'));
    if (comparable(name, recorded) !== comparable(name, JSON.parse(JSON.stringify(value)))) {
      console.error(`${name}.json differs from what Baileys gives`);
      process.exitCode = 1;
    }
  } else {
    await writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
  }
}
