/**
 * Protobuf encodings of Baileys: the payloads of registration and login, and every message of `proto/` with all fields
 * set.
 */
import { keyPairOf } from './responder.mjs';

/** @import { BaileysExports } from './responder.mjs' */

/** @param {Uint8Array} bytes */
const hex = bytes => Buffer.from(bytes).toString('hex');

const browsers = {
  macChrome: { browser: ['Mac OS', 'Chrome', '14.4.1'], syncFullHistory: true },
  windowsDesktop: { browser: ['Windows', 'Desktop', '10.0.22631'], syncFullHistory: true },
  ubuntuFirefox: { browser: ['Ubuntu', 'Firefox', '22.04.4'], syncFullHistory: false },
  android: { browser: ['Pixel', 'Android', ''], syncFullHistory: false }
};

/**
 * Registration and login payloads for several configurations, with their inputs.
 *
 * @param {BaileysExports} baileys
 */
export const recordPayloads = ({ generateRegistrationNode, generateLoginNode, proto }) => {
  const identity = keyPairOf('signed identity');
  const preKey = keyPairOf('signed pre-key');
  const creds = {
    registrationId: 0x1234,
    signedIdentityKey: identity,
    signedPreKey: { keyId: 0x010203, keyPair: preKey, signature: Buffer.alloc(64, 0x5a) }
  };
  /** @param {object} node */
  const encode = node => hex(proto.ClientPayload.encode(node).finish());
  return Object.entries(browsers).map(([name, options]) => {
    const config = { version: [2, 3000, 1043857760], countryCode: 'US', ...options };
    const jid = name === 'android' ? '15551234567@s.whatsapp.net' : '15551234567:3@s.whatsapp.net';
    return {
      name,
      config,
      registration: {
        registrationId: creds.registrationId,
        identityPublic: hex(identity.public),
        signedPreKeyId: creds.signedPreKey.keyId,
        signedPreKeyPublic: hex(preKey.public),
        signedPreKeySignature: hex(creds.signedPreKey.signature),
        encoded: encode(generateRegistrationNode(creds, config))
      },
      login: { jid, encoded: encode(generateLoginNode(jid, config)) },
      loginWithPushName: {
        jid,
        pushName: 'Zoë 🦀',
        encoded: encode(generateLoginNode(jid, { ...config, pushName: 'Zoë 🦀' }))
      }
    };
  });
};

/**
 * @param {number} length
 * @param {number} value
 */
const bytes = (length, value) => Buffer.alloc(length, value);

const userAgent = {
  platform: 37,
  appVersion: { primary: 1, secondary: 2, tertiary: 3, quaternary: 4, quinary: 0xffffffff },
  mcc: '000',
  mnc: '001',
  osVersion: '0.1',
  manufacturer: 'm',
  device: 'Desktop',
  osBuildNumber: '',
  phoneId: 'p',
  releaseChannel: 3,
  localeLanguageIso6391: 'en',
  localeCountryIso31661Alpha2: 'US',
  deviceBoard: 'b',
  deviceExpId: 'e',
  deviceType: 4,
  deviceModelType: 't'
};

const webInfo = {
  refToken: 'r',
  version: 'v',
  webdPayload: {
    usesParticipantInKey: true,
    supportsStarredMessages: false,
    supportsDocumentMessages: true,
    supportsUrlMessages: false,
    supportsMediaRetry: true,
    supportsE2EImage: false,
    supportsE2EVideo: true,
    supportsE2EAudio: false,
    supportsE2EDocument: true,
    documentTypes: 'd',
    features: bytes(2, 1)
  },
  webSubPlatform: 5
};

const clientPayload = {
  username: 15551234567,
  passive: false,
  userAgent,
  webInfo,
  pushName: 'Zoë',
  sessionId: -2,
  shortConnect: true,
  connectType: 112,
  connectReason: 6,
  shards: [0, 1, -1, 300],
  dnsSource: { dnsMethod: 5, appCached: false },
  connectAttemptCount: 0,
  device: 0,
  devicePairingData: {
    eRegid: bytes(4, 1),
    eKeytype: bytes(1, 5),
    eIdent: bytes(32, 2),
    eSkeyId: bytes(3, 3),
    eSkeyVal: bytes(32, 4),
    eSkeySig: bytes(64, 5),
    buildHash: bytes(16, 6),
    deviceProps: bytes(0, 0)
  },
  product: 4,
  fbCat: bytes(1, 7),
  fbUserAgent: bytes(2, 8),
  oc: false,
  lc: -5,
  iosAppExtension: 2,
  fbAppId: 9007199254740991,
  fbDeviceId: bytes(3, 9),
  pull: false,
  paddingBytes: bytes(4, 10),
  yearClass: -1,
  memClass: 2000,
  interopData: { accountId: 1, token: bytes(1, 11), enableReadReceipts: false },
  trafficAnonymization: 1,
  lidDbMigrated: false,
  accountType: 1,
  connectionSequenceInfo: 77,
  paaLink: false,
  preacksCount: -3,
  processingQueueSize: 4
};

const deviceProps = {
  os: 'Mac OS',
  version: { primary: 10, secondary: 15, tertiary: 7, quaternary: 0, quinary: 1 },
  platformType: 24,
  requireFullSync: false,
  historySyncConfig: {
    fullSyncDaysLimit: 1,
    fullSyncSizeMbLimit: 2,
    storageQuotaMb: 10240,
    inlineInitialPayloadInE2EeMsg: true,
    recentSyncDaysLimit: 3,
    supportCallLogHistory: false,
    supportBotUserAgentChatHistory: true,
    supportCagReactionsAndPolls: false,
    supportBizHostedMsg: true,
    supportRecentSyncChunkMessageCountTuning: false,
    supportHostedGroupMsg: true,
    supportFbidBotChatHistory: false,
    supportAddOnHistorySyncMigration: true,
    supportMessageAssociation: false,
    supportGroupHistory: true,
    onDemandReady: false,
    supportGuestChat: true,
    completeOnDemandReady: false,
    thumbnailSyncDaysLimit: 4
  }
};

const certificate = { details: bytes(3, 1), signature: bytes(64, 2) };

/**
 * Every message with all fields set, and with none.
 *
 * @param {BaileysExports} baileys
 */
export const recordMessages = ({ proto }) => {
  const messages = {
    HandshakeMessage: {
      clientHello: {
        ephemeral: bytes(32, 1),
        static: bytes(48, 2),
        payload: bytes(0, 0),
        useExtended: false,
        extendedCiphertext: bytes(1, 3)
      },
      serverHello: {
        ephemeral: bytes(32, 4),
        static: bytes(48, 5),
        payload: bytes(200, 6),
        extendedStatic: bytes(1, 7)
      },
      clientFinish: { static: bytes(48, 8), payload: bytes(300, 9), extendedCiphertext: bytes(1, 10) }
    },
    CertChain: { leaf: certificate, intermediate: certificate },
    'CertChain.NoiseCertificate.Details': {
      serial: 0,
      issuerSerial: 0xffffffff,
      key: bytes(32, 1),
      notBefore: 1700000000,
      notAfter: 0
    },
    ClientPayload: clientPayload,
    DeviceProps: deviceProps,
    ADVSignedDeviceIdentityHMAC: { details: bytes(3, 1), hmac: bytes(32, 2), accountType: 1 },
    ADVSignedDeviceIdentity: {
      details: bytes(3, 1),
      accountSignatureKey: bytes(32, 2),
      accountSignature: bytes(64, 3),
      deviceSignature: bytes(64, 4)
    },
    ADVDeviceIdentity: { rawId: 1, timestamp: 1700000000, keyIndex: 0, accountType: 0, deviceType: 1 }
  };
  return Object.entries(messages).map(([type, fields]) => {
    const codec = type.split('.').reduce((scope, name) => scope[name], proto);
    return { type, full: hex(codec.encode(fields).finish()), empty: hex(codec.encode({}).finish()) };
  });
};
