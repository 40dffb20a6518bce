/**
 * Uses a key many times at once and is killed, by itself, when the records of the uses have been written and before anything that waits
 * for them goes on. Prints a line for each use that was answered.
 */
import { openKeyManager } from '../../../src/keys/key-manager.ts';
import type { KeyManagerOptions } from '../../../src/keys/options.ts';
import { TEST_USE as use, testPorts } from './keys.ts';

// Written by the test that starts this process.
const options = JSON.parse(process.argv[2] ?? '{}') as KeyManagerOptions;
const manager = await openKeyManager(options, testPorts);
const { keyId } = await manager.createKey({}, use);
manager.auditFeed.onWritten(() => process.kill(process.pid, 'SIGKILL'));
const uses = Array.from({ length: Number(process.argv[3]) }, async (_, n) => {
  await manager.generateDataKey({ keyId, context: { n: String(n) } }, use);
  process.stdout.write(`answered ${n}\n`);
});
await Promise.all(uses);
