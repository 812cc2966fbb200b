// The accounts of a mock server and the devices that are linked to them.

const FIRST_PHONE = 15_550_000_000;
const FIRST_LID = 100_000_000_000_000;

/** `15550000001:3@s.whatsapp.net`, or only its number, in parts. */
function parseJid(jid) {
  const [, user, device] = /^(\d+)(?::(\d+))?(?:@.+)?$/.exec(String(jid)) ?? [];
  if (!user) throw new TypeError(`not the JID of a user: ${jid}`);
  return { user, device: device === undefined ? undefined : Number(device) };
}

export class Registry {
  #curve;
  #accounts = new Map();
  #devices = new Map();

  constructor(curve) {
    this.#curve = curve;
  }

  get devices() {
    return [...this.#devices.values()];
  }

  /** The account of a phone number, made when first asked for: its LID and the key that signs its devices. */
  account(user, lid) {
    let account = this.#accounts.get(user);
    if (!account) {
      const lidUser = lid ?? String(FIRST_LID + this.#accounts.size + 1);
      account = { user, lidUser, keyPair: this.#curve.generateKeyPair(), devices: 0 };
      this.#accounts.set(user, account);
    }
    return account;
  }

  /**
   * A device with the next free number of its account, not yet linked.
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
    const wanted = parseJid(jid ?? FIRST_PHONE + this.#accounts.size + 1);
    const account = this.account(wanted.user, lid && parseJid(lid).user);
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

  add(device) {
    this.#devices.set(`${device.user}:${device.device}`, device);
    return device;
  }

  delete(device) {
    this.#devices.delete(`${device.user}:${device.device}`);
  }

  find(user, device) {
    return this.#devices.get(`${user}:${device}`);
  }

  devicesOf(jid) {
    const { user } = parseJid(jid);
    return this.devices.filter(device => device.user === user || device.lid.startsWith(`${user}:`));
  }
}
