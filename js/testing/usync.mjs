// `usync`: queries about users: their devices, their LID, and whether they use WhatsApp.

import { child, children, result } from './nodes.mjs';
import { accountJid, addressingOf } from './registry.mjs';

/** @import { Account, Context, Stanza } from './types.d.ts' */

/**
 * The devices of an account: its phone and its linked devices.
 *
 * @param {Account} account
 * @param {Context} context
 */
function devices(account, { registry }) {
  const ids = [0, ...registry.devicesOf(account.user).map(({ device }) => device)];
  const list = ids.map(id => ({ tag: 'device', attrs: { id: String(id), 'key-index': String(id) } }));
  return { tag: 'devices', attrs: {}, content: [{ tag: 'device-list', attrs: {}, content: list }] };
}

/**
 * Gives no answer if the query uses the LID, because Baileys would store a mapping of the LID to itself.
 *
 * @param {Account} account
 * @param {Context} _context
 * @param {string} jid
 */
const lid = (account, _context, jid) =>
  addressingOf(jid) === 'lid' ? undefined : { tag: 'lid', attrs: { val: accountJid(account, 'lid') } };

/** @type {Record<string, (account: Account, context: Context, jid: string) => Stanza | undefined>} */
const PROTOCOLS = {
  devices,
  lid,
  contact: () => ({ tag: 'contact', attrs: { type: 'in' } }),
  status: () => ({ tag: 'status', attrs: {} })
};

/**
 * The JID of a user in a query: the given JID, or the JID of a phone number.
 *
 * @param {Stanza} user
 */
function jidOf(user) {
  if (user.attrs.jid) return user.attrs.jid;
  const phone = child(user, 'contact')?.content?.toString().replace(/\D/g, '');
  return phone && `${phone}@s.whatsapp.net`;
}

/**
 * @param {Stanza} request
 * @param {Context} context
 */
export function usync(request, context) {
  const query = child(request, 'usync');
  const protocols = (child(query, 'query')?.content ?? []).map((/** @type {Stanza} */ { tag }) => tag);
  const users = children(child(query, 'list'), 'user').flatMap(user => {
    const jid = jidOf(user);
    if (!jid) return [];
    const account = context.registry.accountOf(jid);
    const answers = protocols.map((/** @type {string} */ protocol) =>
      account && Object.hasOwn(PROTOCOLS, protocol) ? PROTOCOLS[protocol](account, context, jid) : undefined
    );
    return [
      {
        tag: 'user',
        attrs: { jid },
        content: answers.filter((/** @type {Stanza | undefined} */ answer) => answer !== undefined)
      }
    ];
  });
  const answer = [
    { tag: 'result', attrs: {} },
    { tag: 'list', attrs: {}, content: users }
  ];
  return result(request, [{ tag: 'usync', attrs: { ...query.attrs }, content: answer }]);
}
