/**
 * Owns a key store and does what its parent asks, one word a line: `create`, `use`, `use-many`, `use-now`, `ready`, `backup`, `close`; answers each with one
 * line, `ok` or a code. The parent bounds how long its files may grow meanwhile, as a full disk does.
 */
import { createInterface } from 'node:readline';
import { openKeyManager } from '../../../src/keys/key-manager.ts';
import type { KeyManagerOptions } from '../../../src/keys/options.ts';
import { TEST_USE as use, testPorts } from './keys.ts';

// Written by the test that starts this process.
const options = JSON.parse(process.argv[2] ?? '{}') as KeyManagerOptions;
const context = Object.freeze({ purpose: 'limits' });
const manager = await openKeyManager(options, testPorts);
const { keyId } = await manager.createKey({}, use);
const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
await manager.decrypt({ wrapped, context }, use);

/** Uses whose records go out in one write: all of them are answered, or none is. */
async function useMany(): Promise<unknown> {
  const uses = Array.from({ length: 300 }, () => manager.generateDataKey({ keyId, context }, use));
  const outcomes = await Promise.allSettled(uses);
  const failed = outcomes.filter(({ status }) => status === 'rejected');
  if (failed.length > 0 && failed.length < uses.length) throw new Error(`${failed.length} of ${uses.length} failed`);
  return Promise.all(uses);
}

const work: Readonly<Record<string, () => Promise<unknown>>> = {
  create: () => manager.createKey({ description: 'x'.repeat(4000) }, use),
  use: () => manager.generateDataKey({ keyId, context }, use),
  'use-many': useMany,
  'use-now': async () => manager.decryptNow({ wrapped, context }, use) ?? Promise.reject(new Error('not at once')),
  ready: () => manager.ready(),
  backup: () => manager.backup({ path: `${options.storePath}.backup` }, use),
  close: () => manager.close(),
};

process.stdout.write('ok\n');
for await (const word of createInterface({ input: process.stdin })) {
  try {
    await work[word]?.();
    process.stdout.write('ok\n');
  } catch (error) {
    process.stdout.write(`${error instanceof Error && 'code' in error ? String(error.code) : String(error)}\n`);
  }
}
