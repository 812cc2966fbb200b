// A mock server for trying the examples without WhatsApp. It prints the value of WA_SERVER. To link a device, type its
// pairing code, or the text of its QR code, as a line of input: the server then acts as the phone.

import { createInterface } from 'node:readline';
import { MockServer } from 'baileys-native/testing';

const server = await MockServer.start({ tls: false, acceptUnknown: true, preKeyCount: 100 });
console.log(`WA_SERVER=${server.url}#${server.rootKey.toString('hex')}`);
server.on('login', ({ device }) => console.log(`${device.jid} has logged in`));
server.on('pairingCode', phoneNumber => console.log(`${phoneNumber} has asked for a pairing code: type it here`));
server.on('failure', error => console.log(`a client failed: ${error.message}`));

for await (const line of createInterface({ input: process.stdin })) {
  const text = line.trim().replace(/^QR /, '');
  if (text === '') continue;
  try {
    const device = await (text.includes(',') ? server.scanQr(text) : server.enterPairingCode(text.replace('-', '')));
    console.log(`linked ${device.jid}`);
  } catch (error) {
    console.log(error.message);
  }
}
await server.stop();
