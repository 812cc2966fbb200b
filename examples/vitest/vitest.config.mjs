import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Packages such as Baileys are loaded by Node.js, so register replaces them. The pool vmThreads has its own loader.
    pool: 'forks',
    poolOptions: { forks: { execArgv: ['--import', 'baileys-native/register'] } },
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
});
