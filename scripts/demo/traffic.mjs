// The stanzas of the demo: the same ones, index by index, in every run.

import { sampleStanzas } from 'baileys-native/testing';

/** The listeners that a library on top of Baileys would use to see the stanzas of the flood. */
export const INBOUND_EVENTS = ['CB:relay', 'CB:ack', 'CB:receipt'];

/** Baileys only dispatches most of these stanzas. It acknowledges a receipt, in which all of its layers take part. */
export const MIX = 'Of every 20 stanzas in, 13 look like messages, 6 are acks and 1 is a receipt.';

/** Stanzas that are sent at once, as a bot does that answers or forwards to many; then the next ones. */
export const SEND_BATCH = 64;

/** @param {number} index */
export function inboundStanza(index) {
  const place = index % 20;
  if (place < 13) return sampleStanzas.message(index);
  return place < 19 ? sampleStanzas.ack(index) : sampleStanzas.receipt(index);
}

/**
 * How many of the first `count` inbound stanzas Baileys acknowledges.
 *
 * @param {number} count
 */
export const acknowledged = count => Math.floor(count / 20);

/**
 * A text message to one device. The server of the demo does not acknowledge it, so that each direction is measured alone.
 *
 * @param {number} index
 */
export function outboundStanza(index) {
  return {
    tag: 'message',
    attrs: {
      id: `3EB1${index.toString(16).padStart(16, '0').toUpperCase()}`,
      to: '15550001111@s.whatsapp.net',
      type: 'text'
    },
    content: [{ tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Buffer.alloc(160, index & 0xff) }]
  };
}

export const ping = () => ({
  tag: 'iq',
  attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' },
  content: [{ tag: 'ping', attrs: {} }]
});

/** Logins of a run; each but the last one ends with a close. */
export const LOGINS = 3;

/** How often traffic in and traffic out are measured in a run. */
export const REPETITIONS = 5;
