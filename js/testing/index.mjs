// `baileys-native/testing`: a WhatsApp-like server to test bots against. Nothing in here uses the native addon.

export { MockServer } from './mock-server.mjs';
export { createTlsCertificate, trustTestRoot } from './certificate.mjs';
export { addTrustedRoot } from '../connect/trust.cjs';
export { compressStanza, sampleStanzas } from './flood.mjs';
export { parseQr } from './registration.mjs';
export { errorResult, result } from './nodes.mjs';
