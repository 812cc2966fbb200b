// Groups: participants, settings, and the queries (`w:g2`) and notifications about them.

import { child, children, errorResult, firstChild, result, seconds } from './nodes.mjs';
import { accountJid, deviceJid, otherAddressing } from './registry.mjs';

/** @import { Device, GroupOptions } from './index.cjs' */
/** @import { Registry } from './registry.mjs' */
/** @import { Account, Addressing, Stanza, StoredGroup } from './types.d.ts' */

/** Current group ids have 18 digits and start with this prefix. */
const ID_PREFIX = '120363';
/**
 * Tags that switch a setting on (true) or off (false).
 *
 * @type {Record<string, boolean>}
 */
const SWITCHES = { announcement: true, not_announcement: false, locked: true, unlocked: false };
/** @type {Record<string, 'announcement' | 'locked'>} */
const SWITCH_OF = { not_announcement: 'announcement', unlocked: 'locked' };
const MEMBERSHIP = ['add', 'remove', 'promote', 'demote'];

export class Groups {
  #registry;
  /** @type {Map<string, StoredGroup>} */
  #groups = new Map();

  /**
   * Called with each notification, once for each device that gets it.
   *
   * @type {(device: Device, node: Stanza) => void}
   */
  onChange = () => {};

  /** @param {Registry} registry */
  constructor(registry) {
    this.#registry = registry;
  }

  get all() {
    return [...this.#groups.values()];
  }

  /** @param {string} jid */
  get(jid) {
    return this.#groups.get(jid);
  }

  /**
   * Creates a group and notifies its participants, except the device that has requested it.
   *
   * @param {GroupOptions & { addressingMode: Addressing }} options
   * @param {Device} [device]
   */
  create({ subject, participants, creator, addressingMode }, device) {
    const owner = this.#registry.accountOf(creator);
    const accounts = participants.map(jid => this.#registry.accountOf(jid));
    if (!owner || accounts.includes(undefined)) throw new TypeError('not the JID of a user among the participants');
    const id = `${ID_PREFIX}${String(this.#groups.size + 1).padStart(12, '0')}@g.us`;
    const creation = seconds();
    /** @type {[string, 'superadmin' | undefined][]} */
    const members = [owner, .../** @type {Account[]} */ (accounts)].map(({ user }) => [
      user,
      user === owner.user ? 'superadmin' : undefined
    ]);
    const settings = { announcement: false, locked: false };
    const about = { subject, subjectOwner: owner.user, subjectTime: creation, creation, owner: owner.user };
    /** @type {StoredGroup} */
    const group = { id, ...about, addressingMode, participants: new Map(members), settings };
    this.#groups.set(id, group);
    const content = [{ tag: 'create', attrs: { type: 'new' }, content: [this.#node(group)] }];
    this.#notify(group, device ?? owner, content, device);
    return group;
  }

  /**
   * Answers a `w:g2` query of a device.
   *
   * @param {Stanza} request
   * @param {Device} device
   * @param {Addressing} addressingMode
   */
  answer(request, device, addressingMode) {
    const action = firstChild(request);
    if (request.attrs.to === '@g.us') return this.#answerForAll(request, action, device, addressingMode);
    const group = this.get(request.attrs.to);
    if (!group) return errorResult(request, 404, 'item-not-found');
    if (!group.participants.has(device.user)) return errorResult(request, 403, 'forbidden');
    if (request.attrs.type === 'get') {
      return action?.tag === 'query' ? result(request, [this.#node(group)]) : unknown(request);
    }
    return this.#change(request, /** @type {Stanza} */ (action), group, device);
  }

  /**
   * @param {Stanza} request
   * @param {Stanza | undefined} action
   * @param {Device} device
   * @param {Addressing} addressingMode
   */
  #answerForAll(request, action, device, addressingMode) {
    if (action?.tag === 'participating') {
      const groups = this.all.filter(({ participants }) => participants.has(device.user));
      return result(request, [{ tag: 'groups', attrs: {}, content: groups.map(group => this.#node(group)) }]);
    }
    if (action?.tag === 'create') {
      const participants = children(action, 'participant').map(({ attrs }) => attrs.jid);
      const options = { subject: action.attrs.subject, participants, creator: device.jid, addressingMode };
      if (participants.some((/** @type {string} */ jid) => !this.#registry.accountOf(jid)))
        return errorResult(request, 400, 'bad-request');
      return result(request, [this.#node(this.create(options, device))]);
    }
    if (action?.tag === 'leave') {
      const ids = children(action, 'group').map(({ attrs }) => attrs.id);
      const left = ids.map((/** @type {string} */ id) => ({
        tag: 'group',
        attrs: this.#leave(id, device) ? { id } : { id, error: '404' }
      }));
      return result(request, [{ tag: 'leave', attrs: {}, content: left }]);
    }
    return action?.tag === 'invite' ? errorResult(request, 404, 'item-not-found') : unknown(request);
  }

  /**
   * @param {string} id
   * @param {Device} device
   */
  #leave(id, device) {
    const group = this.get(id);
    if (!group?.participants.has(device.user)) return false;
    const participant = this.#participant(group, device.user);
    group.participants.delete(device.user);
    this.#notify(group, device, [{ tag: 'remove', attrs: {}, content: [participant] }], device);
    return true;
  }

  /**
   * @param {Stanza} request
   * @param {Stanza} action
   * @param {StoredGroup} group
   * @param {Device} device
   */
  #change(request, action, group, device) {
    const isAdmin = group.participants.get(device.user) !== undefined;
    if (action?.tag === 'subject' && (isAdmin || !group.settings.locked)) {
      const subject = Buffer.from(action.content).toString();
      Object.assign(group, { subject, subjectOwner: device.user, subjectTime: seconds() });
      this.#notify(group, device, [{ tag: 'subject', attrs: { subject, s_t: group.subjectTime } }], device);
      return result(request);
    }
    if (action?.tag === 'description' && (isAdmin || !group.settings.locked)) {
      const body = child(action, 'body')?.content;
      group.description = body && { id: action.attrs.id, text: Buffer.from(body), owner: device.user, time: seconds() };
      this.#notify(group, device, [action], device);
      return result(request);
    }
    if (!isAdmin) return errorResult(request, 403, 'forbidden');
    if (MEMBERSHIP.includes(action?.tag)) return this.#changeMembers(request, action, group, device);
    if (Object.hasOwn(SWITCHES, action?.tag)) {
      group.settings[SWITCH_OF[action.tag] ?? action.tag] = SWITCHES[action.tag];
    } else if (action?.tag === 'ephemeral' || action?.tag === 'not_ephemeral') {
      group.ephemeral = action.attrs.expiration;
    } else {
      return unknown(request);
    }
    this.#notify(group, device, [action], device);
    return result(request);
  }

  /**
   * @param {Stanza} request
   * @param {Stanza} action
   * @param {StoredGroup} group
   * @param {Device} device
   */
  #changeMembers(request, { tag, content = [] }, group, device) {
    const before = new Set(group.participants.keys());
    /** @type {Stanza[]} */
    const changed = [];
    const answers = content.map((/** @type {Stanza} */ { attrs: { jid } }) => {
      const user = this.#registry.accountOf(jid)?.user;
      const possible = user !== undefined && before.has(user) === (tag !== 'add');
      if (!possible) return { tag: 'participant', attrs: { jid, error: tag === 'add' && user ? '409' : '404' } };
      if (tag !== 'remove') group.participants.set(user, tag === 'promote' ? 'admin' : undefined);
      changed.push(this.#participant(group, user));
      if (tag === 'remove') group.participants.delete(user);
      return { tag: 'participant', attrs: { jid } };
    });
    if (changed.length > 0) {
      // New participants do not know the group yet: their devices get the whole group.
      const added = [...group.participants.keys()].filter(user => !before.has(user));
      this.#notify(group, device, [{ tag, attrs: {}, content: changed }], device, before);
      if (added.length > 0) {
        const create = { tag: 'create', attrs: { reason: 'invite', type: 'new' }, content: [this.#node(group)] };
        this.#notify(group, device, [create], device, added);
      }
    }
    return result(request, [{ tag, attrs: {}, content: answers }]);
  }

  /**
   * Notifies every device of the participants, except the device that made the change.
   *
   * @param {StoredGroup} group
   * @param {Account | Device} actor
   * @param {Stanza[]} content
   * @param {Device | undefined} except
   * @param {Iterable<string>} [users]
   */
  #notify(group, actor, content, except, users = group.participants.keys()) {
    const { addressingMode } = group;
    const account = this.#registry.account(actor.user);
    const attrs = {
      from: group.id,
      type: 'w:gp2',
      participant: 'jid' in actor ? deviceJid(actor, addressingMode) : accountJid(account, addressingMode),
      [`participant_${otherAddressing(addressingMode)}`]: accountJid(account, otherAddressing(addressingMode)),
      addressing_mode: addressingMode,
      t: seconds(),
      notify: ('pushName' in actor ? actor.pushName : undefined) ?? account.user
    };
    for (const user of users) {
      for (const device of this.#registry.devicesOf(user)) {
        if (device !== except) this.onChange(device, { tag: 'notification', attrs, content });
      }
    }
  }

  /**
   * @param {StoredGroup} group
   * @param {string} user
   * @returns {Stanza}
   */
  #participant({ addressingMode, participants }, user) {
    const account = this.#registry.account(user);
    const type = participants.get(user);
    /** @type {Record<string, string>} */
    const other =
      addressingMode === 'lid' ? { phone_number: accountJid(account, 'pn') } : { lid: accountJid(account, 'lid') };
    return {
      tag: 'participant',
      attrs: { jid: accountJid(account, addressingMode), ...other, ...(type && { type }) }
    };
  }

  /** @param {StoredGroup} group */
  #node(group) {
    const { id, addressingMode, participants, settings, description, ephemeral } = group;
    /**
     * @param {string} name
     * @param {string} user
     */
    const who = (name, user) => ({
      [name]: accountJid(this.#registry.account(user), addressingMode),
      ...(addressingMode === 'lid' && { [`${name}_pn`]: accountJid(this.#registry.account(user), 'pn') })
    });
    /** @type {Stanza[]} */
    const content = [...participants.keys()].map(user => this.#participant(group, user));
    if (description) {
      const attrs = { id: description.id, t: description.time, ...who('participant', description.owner) };
      content.push({ tag: 'description', attrs, content: [{ tag: 'body', attrs: {}, content: description.text }] });
    }
    for (const [tag, on] of Object.entries(settings)) if (on) content.push({ tag, attrs: {} });
    if (ephemeral) content.push({ tag: 'ephemeral', attrs: { expiration: ephemeral } });
    const attrs = {
      id: id.replace('@g.us', ''),
      subject: group.subject,
      s_t: group.subjectTime,
      creation: group.creation,
      size: String(participants.size),
      addressing_mode: addressingMode,
      ...who('creator', group.owner),
      ...who('s_o', group.subjectOwner)
    };
    return { tag: 'group', attrs, content };
  }
}

/** @param {Stanza} request */
const unknown = request => errorResult(request, 501, 'feature-not-implemented');
