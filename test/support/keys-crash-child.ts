/** Creates and rotates keys until it is killed, and prints each change once it is acknowledged. */
import { openKeyManager } from '../../src/keys/key-manager.ts';
import type { KeyManagerOptions } from '../../src/keys/options.ts';
import { TEST_USE as use, testPorts } from './keys.ts';

// Written by the test that starts this process.
const options = JSON.parse(process.argv[2] ?? '{}') as KeyManagerOptions;
const manager = await openKeyManager(options, testPorts);
const context = { purpose: 'crash' };
process.stdout.write('ready\n');
for (;;) {
  const key = await manager.createKey({}, use);
  for (let round = 0; round < 3; round++) {
    const { wrapped } = await manager.generateDataKey({ keyId: key.keyId, context }, use);
    process.stdout.write(`${key.keyId} ${Buffer.from(wrapped).toString('hex')}\n`);
    await manager.rotateKey(key.keyId, use);
  }
}
