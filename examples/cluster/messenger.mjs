// Encrypts and decrypts the messages of a NativeSession by the Signal protocol, with functions of Baileys. A text is
// encrypted for every device of the receiver and for the sender's other devices. Each message is one transaction on the
// Signal keys, and a session runs one transaction at a time.

import {
  DEFAULT_CONNECTION_CONFIG,
  decryptMessageNode,
  encodeSignedDeviceIdentity,
  encodeWAMessage,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  getNextPreKeysNode,
  jidDecode,
  jidNormalizedUser,
  parseAndInjectE2ESessions
} from 'baileys';
import pino from 'pino';

/** The number of pre-keys in one upload. */
const PRE_KEYS = 30;
/** More pre-keys are uploaded if the server has fewer than this. */
const FEW_PRE_KEYS = 5;
/** The list of a user's devices is fetched again after this time, in milliseconds. */
const DEVICES_KEPT_MS = 5 * 60_000;

const logger = pino({ level: 'silent' });
const iq = (xmlns, type, content) => ({ tag: 'iq', attrs: { to: 's.whatsapp.net', xmlns, type }, content });

export class Messenger {
  #session;
  #saveCredentials;
  #keys;
  #repository;
  #devices = new Map();
  /** Resolves when all uploads that were started have ended. */
  #uploading = Promise.resolve();

  /**
   * @param {import('baileys-native').NativeSession} session
   * @param {import('./signal-keys.mjs').SignalKeys} keys
   * @param {() => Promise<void>} saveCredentials
   */
  constructor(session, keys, saveCredentials) {
    this.#session = session;
    this.#keys = keys;
    this.#saveCredentials = saveCredentials;
    const auth = { creds: session.credentials, keys: this.#keys };
    this.#repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger, async () => undefined);
  }

  get #me() {
    return this.#session.credentials.me;
  }

  /**
   * Uploads pre-keys if the server has few. Other devices need a pre-key for their first message to this device.
   * Uploads run one after the other, because concurrent uploads would give one number to two keys.
   */
  uploadPreKeys() {
    const upload = this.#uploading.then(() => this.#uploadPreKeys());
    this.#uploading = upload.catch(() => {});
    return upload;
  }

  async #uploadPreKeys() {
    const answer = await this.#session.query(iq('encrypt', 'get', [{ tag: 'count', attrs: {} }]));
    if (Number(getBinaryNodeChild(answer, 'count')?.attrs.value) >= FEW_PRE_KEYS) return;
    const { credentials } = this.#session;
    const { update, node } = await this.#keys.exclusively(() =>
      getNextPreKeysNode({ creds: credentials, keys: this.#keys }, PRE_KEYS)
    );
    // The next key number is saved before the upload. So the next owner of the session does not use the same numbers
    // again.
    Object.assign(credentials, update);
    await this.#saveCredentials();
    await this.#session.query(node);
  }

  /** Returns the stanza of a text, encrypted for every device of the receiver and for the sender's other devices. */
  async encrypt(id, to, conversation) {
    const users = [...new Set([jidNormalizedUser(to), jidNormalizedUser(this.#me.id)])];
    const own = jidDecode(this.#me.id);
    const devices = (await Promise.all(users.map(user => this.#devicesOf(user))))
      .flat()
      .filter(jid => jidDecode(jid).user !== own.user || (jidDecode(jid).device ?? 0) !== (own.device ?? 0));
    const message = { conversation };
    const forOwn = { deviceSentMessage: { destinationJid: to, message } };
    let withIdentity = false;
    const participants = await this.#keys.exclusively(async () => {
      await this.#openSessions(devices);
      const nodes = [];
      for (const jid of devices) {
        const data = encodeWAMessage(jidDecode(jid).user === own.user ? forOwn : message);
        const { type, ciphertext } = await this.#repository.encryptMessage({ jid, data });
        withIdentity ||= type === 'pkmsg';
        nodes.push({
          tag: 'to',
          attrs: { jid },
          content: [{ tag: 'enc', attrs: { v: '2', type }, content: ciphertext }]
        });
      }
      return nodes;
    });
    const content = [{ tag: 'participants', attrs: {}, content: participants }];
    const { account } = this.#session.credentials;
    if (withIdentity && account) {
      content.push({ tag: 'device-identity', attrs: {}, content: encodeSignedDeviceIdentity(account, true) });
    }
    return { tag: 'message', attrs: { id, to, type: 'text' }, content };
  }

  /**
   * Decrypts a message. The changed keys and the event about the message are committed together. If the acknowledgement
   * is lost, the server sends the message again. It cannot be decrypted a second time, but its event is already stored.
   */
  async receive(stanza) {
    await this.#keys.exclusively(async () => {
      const { fullMessage, decrypt } = decryptMessageNode(
        stanza,
        this.#me.id,
        this.#me.lid ?? '',
        this.#repository,
        logger
      );
      await decrypt();
      const { id, from } = stanza.attrs;
      const isReadable = fullMessage.messageStubType === undefined;
      this.#keys.addEvent(
        isReadable
          ? { type: 'message', id, from, text: fullMessage.message?.conversation }
          : { type: 'unreadable', id, from, error: fullMessage.messageStubParameters?.[0] }
      );
    });
  }

  /** Creates the missing Signal sessions with devices. Devices without pre-keys are removed from the array. */
  async #openSessions(devices) {
    const known = await Promise.all(devices.map(jid => this.#repository.validateSession(jid)));
    const missing = devices.filter((_, i) => !known[i].exists);
    if (missing.length === 0) return;
    const users = missing.map(jid => ({ tag: 'user', attrs: { jid } }));
    const bundles = await this.#session.query(iq('encrypt', 'get', [{ tag: 'key', attrs: {}, content: users }]));
    const list = getBinaryNodeChild(bundles, 'list');
    const usable = getBinaryNodeChildren(list, 'user').filter(user => getBinaryNodeChild(user, 'error') === undefined);
    await parseAndInjectE2ESessions({ ...bundles, content: [{ ...list, content: usable }] }, this.#repository);
    const opened = new Set(usable.map(user => user.attrs.jid));
    for (const jid of missing) if (!opened.has(jid)) devices.splice(devices.indexOf(jid), 1);
  }

  async #devicesOf(user) {
    const known = this.#devices.get(user);
    if (known !== undefined && known.until > Date.now()) return known.jids;
    const query = {
      tag: 'usync',
      attrs: {
        context: 'message',
        mode: 'query',
        sid: this.#session.credentials.registrationId + Date.now().toString(36),
        last: 'true',
        index: '0'
      },
      content: [
        { tag: 'query', attrs: {}, content: [{ tag: 'devices', attrs: { version: '2' } }] },
        { tag: 'list', attrs: {}, content: [{ tag: 'user', attrs: { jid: user } }] }
      ]
    };
    const answer = await this.#session.query(iq('usync', 'get', [query]));
    const entry = getBinaryNodeChild(getBinaryNodeChild(getBinaryNodeChild(answer, 'usync'), 'list'), 'user');
    const list = getBinaryNodeChild(getBinaryNodeChild(entry, 'devices'), 'device-list');
    const [name, server] = user.split('@');
    const jids = getBinaryNodeChildren(list, 'device').map(({ attrs }) =>
      attrs.id === '0' ? user : `${name}:${attrs.id}@${server}`
    );
    this.#devices.set(user, { jids, until: Date.now() + DEVICES_KEPT_MS });
    return jids;
  }
}
