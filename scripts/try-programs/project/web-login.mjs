// The login by QR code of OpenClaw's WhatsApp plugin and of clawdbot, as their command `channels login` starts it.

import { fail, report } from './report.mjs';

const { TRY_PACKAGE, TRY_ENTRY } = process.env;

const { startWebLoginWithQr } = await import(`./node_modules/${TRY_PACKAGE}/${TRY_ENTRY}`);
const { qrDataUrl, message } = await startWebLoginWithQr({ timeoutMs: 30_000 });
if (qrDataUrl) report(qrDataUrl);
else fail(message);
