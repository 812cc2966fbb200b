// The tested part of a bot: its reactions to events of a socket.

export function echo(sock) {
  sock.ev.on('messages.upsert', async ({ type, messages }) => {
    if (type !== 'notify') return;
    for (const { key, message } of messages) {
      const text = message?.conversation ?? message?.extendedTextMessage?.text;
      if (!text || key.fromMe) continue;
      try {
        await sock.sendMessage(key.remoteJid, { text: `You said: ${text}` });
      } catch (error) {
        console.error('the answer was not sent:', error);
      }
    }
  });
}
