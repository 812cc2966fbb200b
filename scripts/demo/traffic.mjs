// The stanzas of the demo. In every run the stanza with an index is the same.

import { sampleStanzas } from 'baileys-native/testing';

/** The events of Baileys' `ws` that deliver the stanzas of the flood. */
export const INBOUND_EVENTS = ['CB:relay', 'CB:ack', 'CB:receipt'];

/**
 * The mix of stanzas. Baileys only dispatches messages and acks; it acknowledges receipts through all of its layers.
 */
export const MIX = 'Of every 20 stanzas in, 13 look like messages, 6 are acks and 1 is a receipt.';

/** The number of stanzas that are sent at once, like a bot that answers or forwards to many users. */
export const SEND_BATCH = 64;

/** @param {number} index */
export function inboundStanza(index) {
  const place = index % 20;
  if (place < 13) return sampleStanzas.message(index);
  return place < 19 ? sampleStanzas.ack(index) : sampleStanzas.receipt(index);
}

/**
 * The number of receipts among the first `count` inbound stanzas. Baileys acknowledges each of them.
 *
 * @param {number} count
 */
export const countReceipts = count => Math.floor(count / 20);

/**
 * A text message to one device. The server does not acknowledge it, so that only one direction is measured.
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

/** The number of logins in a run. Every connection except the last is closed. */
export const LOGINS = 3;

/** The number of measurements of incoming and of outgoing traffic in a run. */
export const REPETITIONS = 5;
