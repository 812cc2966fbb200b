/** The accounts of the two clients. */

/** Phone numbers, by client. */
export const USERS = { a: '15550000001', b: '15550000002' };

/** @param {import('./types.js').Side} side */
export const jidOf = side => `${USERS[side]}@s.whatsapp.net`;
