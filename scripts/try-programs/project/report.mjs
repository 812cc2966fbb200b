// The messages of a program to scripts/try-programs.mjs.

import { metrics } from 'baileys-native';
import { isActive, replaced } from 'baileys-native/register';

/**
 * Reports that the program has a QR code, and which socket layer it runs on.
 *
 * @param {string} qr The QR code, as the program gives it to its user.
 */
export function report(qr) {
  const { connections, bytesIn } = metrics().sockets;
  process.send?.({ qr, isActive: isActive(), replaced: replaced(), connections, bytesIn });
}

/** @param {string} message */
export const fail = message => process.send?.({ failure: message });
