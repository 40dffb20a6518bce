import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    // Of hundreds of commands that start from the same sources, each would compile them anew: half of what its start costs.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'sealgate-compiled') },
    pool: 'forks',
    // Bodies of megabytes lie outside the heap, and count: near the size that it starts with, each few of them have all of it marked anew.
    execArgv: ['--initial-old-space-size=256'],
    maxWorkers: 2,
    // Far above what anything takes: a hang is found, and a machine that does other things as well is waited for.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // Nobody waits for what has come; a machine that does other things as well takes more than the second that is usual.
    expect: { poll: { timeout: 60_000 } },
    passWithNoTests: false,
    globalSetup: ['test/support/programs.ts', 'test/support/s3/radosgw-pool.ts', 'test/support/postgres/run-folder.ts'],
    reporters: ['default', './test/support/skip-report.ts'],
  },
});
