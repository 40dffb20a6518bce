/**
 * Creates, uses and rotates keys, those made on first use included, or imports them, or makes key pairs, or keys of two regions,
 * until it is killed, and prints each thing once it is acknowledged.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { openKeyManager } from '../../../src/keys/key-manager.ts';
import type { KeyManagerOptions } from '../../../src/keys/options.ts';
import type { RegionKeys } from '../../../src/keys/regions/region-keys.ts';
import { CRASH_PAIRS, crashMaterial } from './crash-material.ts';
import { importMaterial } from './import-key.ts';
import { TEST_USE as use, testPorts } from './keys.ts';

// Written by the test that starts this process.
const options = JSON.parse(process.argv[2] ?? '{}') as KeyManagerOptions;
const manager = await openKeyManager(options, testPorts);
const context = { purpose: 'crash' };
const hash = (key: KeyObject): string => createHash('sha256').update(key.export()).digest('hex');
process.stdout.write('ready\n');
const work = { imports, pairs, regions, rotations };
for (;;) await work[(process.argv[3] ?? 'rotations') as keyof typeof work](); // what the test asks for

async function rotations(): Promise<void> {
  await firstUses();
  const { keyId } = await manager.createKey({}, use);
  process.stdout.write(`created ${keyId}\n`);
  for (let round = 0; round < 3; round++) {
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    process.stdout.write(`wrapped ${keyId} ${Buffer.from(wrapped).toString('hex')}\n`);
    const { currentMaterialId } = await manager.rotateKey(keyId, use);
    process.stdout.write(`rotated ${keyId} ${currentMaterialId}\n`);
  }
}

/** Pairs of all kinds, from those that are made at once to those that take long. */
async function pairs(): Promise<void> {
  for (const { spec, algorithm } of CRASH_PAIRS) {
    const { keyId } = await manager.createKey({ spec, usage: 'SIGN_VERIFY' }, use);
    process.stdout.write(`created ${keyId}\n`);
    const signed = { keyId, algorithm, message: crashMaterial(keyId, 1), messageType: 'RAW' } as const;
    const { signature } = await manager.signatures.sign(signed, use);
    process.stdout.write(`signed ${keyId} ${Buffer.from(signature).toString('hex')}\n`);
  }
}

/** Primary and replica, exchanged and rotated; what each of them wraps. */
async function regions(): Promise<void> {
  const [home = '', other = ''] = manager.regions;
  const there = manager.inRegion(other);
  if (there === undefined) throw new Error('another region');
  const { keyId } = await manager.createKey({ multiRegion: true }, use);
  process.stdout.write(`created ${keyId}\n`);
  const wrap = async (keys: RegionKeys): Promise<void> => {
    const { ciphertext } = await keys.operations.generateDataKey({ keyId, bytes: 32, context }, use);
    process.stdout.write(`wrapped ${keyId} ${Buffer.from(ciphertext).toString('hex')}\n`);
  };
  await wrap(manager);
  await manager.multiRegion.replicate({ keyId, replicaRegion: other }, use);
  process.stdout.write(`replicated ${keyId}\n`);
  await wrap(there);
  const { currentMaterialId } = await manager.rotateKey(keyId, use);
  process.stdout.write(`rotated ${keyId} ${currentMaterialId}\n`);
  await manager.multiRegion.updatePrimaryRegion({ keyId, primaryRegion: other }, use);
  process.stdout.write(`moved ${keyId}\n`);
  await wrap(manager);
  await there.multiRegion.updatePrimaryRegion({ keyId, primaryRegion: home }, use);
}

/** Of which the first in a store makes the key. */
async function firstUses(): Promise<void> {
  const { wrapped, keyArn } = await manager.generateDataKey({ keyId: 'alias/aws/s3', context }, { ...use, via: 's3' });
  process.stdout.write(`wrapped ${keyArn.slice(keyArn.indexOf('/') + 1)} ${Buffer.from(wrapped).toString('hex')}\n`);
  const { epoch, key } = await manager.serviceKey('s3-upload-token');
  process.stdout.write(`service ${epoch} ${hash(key)}\n`);
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
