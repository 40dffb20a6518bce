/** Creates, uses and rotates keys until it is killed, and prints each thing once it is acknowledged. */
import { openKeyManager } from '../../src/keys/key-manager.ts';
import type { KeyManagerOptions } from '../../src/keys/options.ts';
import { TEST_USE as use, testPorts } from './keys.ts';

// Written by the test that starts this process.
const options = JSON.parse(process.argv[2] ?? '{}') as KeyManagerOptions;
const manager = await openKeyManager(options, testPorts);
const context = { purpose: 'crash' };
process.stdout.write('ready\n');
for (;;) {
  const { keyId } = await manager.createKey({}, use);
  process.stdout.write(`created ${keyId}\n`);
  for (let round = 0; round < 3; round++) {
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    process.stdout.write(`wrapped ${keyId} ${Buffer.from(wrapped).toString('hex')}\n`);
    const { currentMaterialId } = await manager.rotateKey(keyId, use);
    process.stdout.write(`rotated ${keyId} ${currentMaterialId}\n`);
  }
}
