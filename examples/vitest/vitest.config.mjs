import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Files that Vitest does not transform are loaded by Node.js, and so through register. Threads of vmThreads are not.
    pool: 'forks',
    poolOptions: { forks: { execArgv: ['--import', 'baileys-native/register'] } },
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
});
