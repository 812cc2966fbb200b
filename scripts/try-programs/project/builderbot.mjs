// A BuilderBot with its Baileys provider. Options of `createProvider` are passed on to Baileys, `agent` among them.

import { createBot, createFlow, createProvider, MemoryDB } from '@builderbot/bot';
import { BaileysProvider } from '@builderbot/provider-baileys';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { fail, report } from './report.mjs';

const { TRY_SOCKS_PROXY } = process.env;
const agent = TRY_SOCKS_PROXY === undefined ? undefined : new SocksProxyAgent(TRY_SOCKS_PROXY);

const provider = createProvider(BaileysProvider, agent ? { agent } : {});
provider.on('require_action', ({ payload }) => report(payload.qr));
provider.on('auth_failure', reasons => fail(String(reasons)));
const { httpServer } = await createBot({ flow: createFlow([]), provider, database: new MemoryDB() });
httpServer(0);
