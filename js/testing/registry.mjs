// The accounts of a mock server, their phones and their linked devices.

import { randomInt } from 'node:crypto';
import { S_WHATSAPP_NET } from './nodes.mjs';

/** @import { Device } from './index.cjs' */
/** @import { Account, Addressing, Curve, DeviceKeys } from './types.d.ts' */

const FIRST_PHONE = 15_550_000_000;
const FIRST_LID = 100_000_000_000_000;
/** The type byte of Curve25519. Signatures cover it and the public key. */
const KEY_TYPE = Buffer.from([5]);
/** The highest registration id: it has 14 bits. */
const MAX_REGISTRATION_ID = 0x3fff;

/**
 * Parses `15550000001:3@s.whatsapp.net`, a LID, or a phone number; undefined if it is not a user's JID.
 *
 * @param {string | undefined} jid
 */
function parseJid(jid) {
  const [, user, device, server = S_WHATSAPP_NET] = /^(\d+)(?::(\d+))?(?:@(.+))?$/.exec(String(jid)) ?? [];
  if (!user || (server !== S_WHATSAPP_NET && server !== 'lid' && server !== 'c.us')) return undefined;
  return { user, device: device === undefined ? undefined : Number(device), isLid: server === 'lid' };
}

/** @param {string} jid */
function parseUserJid(jid) {
  const parts = parseJid(jid);
  if (!parts) throw new TypeError(`not the JID of a user: ${jid}`);
  return parts;
}

/**
 * The kind of a JID: `lid` or `pn` (phone number).
 *
 * @param {string | undefined} jid
 */
export const addressingOf = jid => (String(jid).endsWith('@lid') ? 'lid' : 'pn');
/** @param {Addressing} addressing */
export const otherAddressing = addressing => (addressing === 'lid' ? 'pn' : 'lid');

/**
 * The JID of an account, without a device.
 *
 * @param {Pick<Account, 'user' | 'lidUser'>} account
 * @param {Addressing} addressing
 */
export const accountJid = ({ user, lidUser }, addressing) =>
  addressing === 'lid' ? `${lidUser}@lid` : `${user}@${S_WHATSAPP_NET}`;

/**
 * The JID of a device.
 *
 * @param {Pick<Device, 'jid' | 'lid'>} device
 * @param {Addressing} addressing
 */
export const deviceJid = (device, addressing) => (addressing === 'lid' ? device.lid : device.jid);

export class Registry {
  #curve;
  /** @type {Map<string, Account>} By phone number. */
  #accounts = new Map();
  /** @type {Map<string, Device>} By phone number and device number. */
  #devices = new Map();

  /** @param {Curve} curve */
  constructor(curve) {
    this.#curve = curve;
  }

  get devices() {
    return [...this.#devices.values()];
  }

  /**
   * The account of a phone number, with its LID and the key that signs its devices. Created at the first call.
   *
   * @param {string} user
   * @param {string | undefined} [lid]
   */
  account(user, lid) {
    let account = this.#accounts.get(user);
    if (!account) {
      const lidUser = lid ?? String(FIRST_LID + this.#accounts.size + 1);
      account = { user, lidUser, keyPair: this.#curve.generateKeyPair(), devices: 0 };
      this.#accounts.set(user, account);
    } else if (lid && account.devices === 0) {
      account.lidUser = lid;
    }
    return account;
  }

  /**
   * The account of a JID. Every phone number has one. A LID has one only if the server has assigned it.
   *
   * @param {string | undefined} jid
   */
  accountOf(jid) {
    const parts = parseJid(jid);
    if (!parts) return undefined;
    if (!parts.isLid && this.#accounts.has(parts.user)) return this.#accounts.get(parts.user);
    const known = [...this.#accounts.values()].find(({ lidUser }) => lidUser === parts.user);
    return known ?? (parts.isLid ? undefined : this.account(parts.user));
  }

  /**
   * The linked device of a JID; undefined for a phone, an unknown user or an unlinked device.
   *
   * @param {string | undefined} jid
   */
  deviceOf(jid) {
    const account = this.accountOf(jid);
    return account && this.find(account.user, parseJid(jid)?.device ?? 0);
  }

  /**
   * The keys of an account's phone. The phone is simulated: it accepts every stanza and sends none.
   *
   * @param {Account} account
   */
  phoneOf(account) {
    if (!account.phone) {
      const signedPreKey = this.#curve.generateKeyPair();
      const signature = this.#curve.sign(account.keyPair.private, Buffer.concat([KEY_TYPE, signedPreKey.public]));
      account.phone = {
        registrationId: randomInt(1, MAX_REGISTRATION_ID),
        identityKey: Buffer.from(account.keyPair.public),
        signedPreKey: { id: 1, key: Buffer.from(signedPreKey.public), signature: Buffer.from(signature) },
        preKeys: new Map()
      };
    }
    return account.phone;
  }

  /**
   * The keys of the linked device or phone of a JID.
   *
   * @param {string | undefined} jid
   */
  keysOf(jid) {
    const account = this.accountOf(jid);
    if (!account) return undefined;
    const device = parseJid(jid)?.device ?? 0;
    return device === 0 ? this.phoneOf(account) : this.find(account.user, device);
  }

  /**
   * Creates a device with the next free number of its account. It is not linked yet.
   *
   * @param {Partial<import('./index.mjs').Device> & Pick<import('./index.mjs').Device, 'noiseKey'>} facts
   * @returns {import('./index.mjs').Device}
   */
  draft({
    jid,
    lid,
    pushName = 'Mock user',
    platform = 'android',
    noiseKey,
    identityKey,
    registrationId,
    signedPreKey
  }) {
    const wanted = parseUserJid(jid ?? String(this.#freePhone()));
    const account = this.account(wanted.user, lid && parseUserJid(lid).user);
    const device = wanted.device ?? account.devices + 1;
    account.devices = Math.max(account.devices, device);
    return {
      user: wanted.user,
      device,
      jid: `${wanted.user}:${device}@s.whatsapp.net`,
      lid: `${account.lidUser}:${device}@lid`,
      pushName,
      platform,
      noiseKey,
      identityKey,
      registrationId,
      signedPreKey,
      preKeys: new Map()
    };
  }

  /** @param {Device} device */
  add(device) {
    this.#devices.set(`${device.user}:${device.device}`, device);
    return device;
  }

  /** @param {Device} device */
  delete(device) {
    this.#devices.delete(`${device.user}:${device.device}`);
  }

  /**
   * @param {string} user
   * @param {number} device
   */
  find(user, device) {
    return this.#devices.get(`${user}:${device}`);
  }

  /** @param {string} jid */
  devicesOf(jid) {
    const { user } = parseUserJid(jid);
    return this.devices.filter(device => device.user === user || device.lid.startsWith(`${user}:`));
  }

  #freePhone() {
    let phone = FIRST_PHONE + this.#accounts.size + 1;
    while (this.#accounts.has(String(phone))) phone += 1;
    return phone;
  }
}
