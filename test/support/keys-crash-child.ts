/** Creates, uses and rotates keys, or imports them, until it is killed, and prints each thing once it is acknowledged. */
import { openKeyManager } from '../../src/keys/key-manager.ts';
import type { KeyManagerOptions } from '../../src/keys/options.ts';
import { crashMaterial } from './crash-material.ts';
import { importMaterial } from './import-key.ts';
import { TEST_USE as use, testPorts } from './keys.ts';

// Written by the test that starts this process.
const options = JSON.parse(process.argv[2] ?? '{}') as KeyManagerOptions;
const manager = await openKeyManager(options, testPorts);
const context = { purpose: 'crash' };
process.stdout.write('ready\n');
for (;;) await (process.argv[3] === 'imports' ? imports() : rotations());

async function rotations(): Promise<void> {
  const { keyId } = await manager.createKey({}, use);
  process.stdout.write(`created ${keyId}\n`);
  for (let round = 0; round < 3; round++) {
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    process.stdout.write(`wrapped ${keyId} ${Buffer.from(wrapped).toString('hex')}\n`);
    const { currentMaterialId } = await manager.rotateKey(keyId, use);
    process.stdout.write(`rotated ${keyId} ${currentMaterialId}\n`);
  }
}

/** Material comes, goes, comes again, and is rotated to other material. */
async function imports(): Promise<void> {
  const { keyId } = await manager.createKey({ origin: 'EXTERNAL' }, use);
  const wrap = async (): Promise<void> => {
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    process.stdout.write(`wrapped ${keyId} ${Buffer.from(wrapped).toString('hex')}\n`);
  };
  const bring = async (version: number): Promise<void> => {
    const type = version === 1 ? undefined : 'new';
    const id = await importMaterial(manager, keyId, crashMaterial(keyId, version), use, { type });
    process.stdout.write(`imported ${keyId} ${id}\n`);
  };
  await bring(1);
  await wrap();
  await manager.imports.deleteMaterial({ keyId }, use);
  process.stdout.write(`deleted ${keyId}\n`);
  await bring(1);
  await wrap();
  await bring(2);
  const { currentMaterialId } = await manager.rotateKey(keyId, use);
  process.stdout.write(`rotated ${keyId} ${currentMaterialId}\n`);
  await wrap();
}
