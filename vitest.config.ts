import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 180_000,
    passWithNoTests: false,
    globalSetup: ['test/support/programs.ts'],
    reporters: ['default', './test/support/skip-report.ts'],
  },
});
