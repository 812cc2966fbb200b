// Finds a Chromium of this machine for tests of web pages.

import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The message if there is none. */
export const ADVICE = 'no Chromium was found: apt-get install chromium, or set CHROMIUM to the path of one';

/** Flags for a browser without its own requests and without state of other runs. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
];

/** @returns {string | undefined} its path */
export function findChromium(env = process.env) {
  if (env.CHROMIUM) return env.CHROMIUM;
  const folders = (env.PATH ?? '').split(delimiter);
  const paths = NAMES.flatMap(name => [...folders, '/usr/bin'].map(folder => join(folder, name)));
  return paths.find(path => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A headless browser with an empty profile, which ends with the test. */
export async function launchChromium(t, executablePath, options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'bn-chromium-'));
  let context;
  t.after(async () => {
    await context?.close();
    // Its processes may keep files open for a short time.
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: FLAGS,
    timeout: 60_000,
    viewport: { width: 1280, height: 960 },
    ...options
  });
  return context;
}
