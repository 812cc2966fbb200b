'use strict';

const qrcode = require('qrcode-terminal');

/**
 * Draws a QR code in the terminal. If the output is not a terminal, the text of the code is printed.
 *
 * @param {string} qr
 */
function showQr(qr) {
  if (!process.stdout.isTTY) return console.log(`QR ${qr}`);
  qrcode.generate(qr, { small: true });
  console.log('WhatsApp on the phone: Settings, Linked devices, Link a device.');
}

module.exports = { showQr };
