/**
 * Makes a key store with something in every table, its audit log and a backup. `node test/support/keys/make-keystore.ts <folder>` writes the
 * files that are then kept, frozen, in test/vectors/keystore-v<n> for the version that wrote them: only ever for a new version.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EncryptionContext } from '../../../src/envelope/encryption-context.ts';
import type { KeyUse } from '../../../src/keys/uses/data-keys.ts';
import { createKeyFile, createKeyStore, openKeyManager, type KeyManager } from '../../../src/keys/key-manager.ts';
import type { ImportRequest } from '../../../src/keys/import/key-import.ts';
import { DAY_MS } from '../../../src/keys/limits.ts';
import type { KeyManagerOptions, KeyPorts } from '../../../src/keys/options.ts';
import { importMaterial } from './import-key.ts';

export const PASSPHRASE = 'correct horse battery staple';
export const BACKUP_PASSPHRASE = 'the passphrase of the backup';
const USE: KeyUse = { principal: 'arn:aws:iam::000000000000:user/alice', via: 's3', resource: 's3://b/k €' };
const CONTEXT: EncryptionContext = { 'aws:s3:arn': 'arn:aws:s3:::b/k', 'sealgate:object-id': '00ff', ä: '€' };
const OTHER_REGION = 'us-west-2';
const FIRST_INSTANT = Date.UTC(2026, 10, 25, 12);

/** What the store must give again, for ever. DEKs as hex: they protect nothing. */
export type StoreFacts = {
  readonly keyIds: { readonly a: string; readonly b: string };
  readonly context: EncryptionContext;
  /** Under each material of key a, oldest first. */
  readonly deks: readonly { readonly wrapped: string; readonly dek: string }[];
  readonly escrow: { readonly dekId: string; readonly owner: string; readonly wrapped: string };
  readonly serviceKey: string;
  /** Since version 4. */
  readonly imports?: ImportFacts;
  /** Since version 6. */
  readonly regions?: RegionFacts;
  /** Since version 7. */
  readonly managed?: ManagedFacts;
};

/** Keys of two regions. */
export type RegionFacts = {
  /** Multi-Region: primary in the home region, with a replica in the other one; rotated once. */
  readonly keyId: string;
  readonly otherRegion: string;
  /** Made in the home region before the rotation, and in the other one after. */
  readonly deks: readonly { readonly wrapped: string; readonly dek: string }[];
  /** Of the other region alone, where it has the alias `alias/a`. */
  readonly otherKey: string;
  /** How many materials all of this has, those of related keys counted once. */
  readonly materials: number;
};

/** Keys that no customer manages. Bytes as hex. */
export type ManagedFacts = {
  /** `alias/aws/s3`, and a data key under each of its materials, oldest first. */
  readonly managedKey: string;
  readonly deks: readonly { readonly wrapped: string; readonly dek: string }[];
  /** Of upload tokens: an owned key, and what each of its materials gives. */
  readonly ownedKey: string;
  readonly epochs: readonly { readonly epoch: number; readonly key: string }[];
};

/** Keys whose material was imported. Bytes as hex. */
export type ImportFacts = {
  /** Rotated once, with another material that waits for its rotation. */
  readonly rotatedKey: string;
  /** Its materials, in the order of their import. */
  readonly materials: readonly { readonly materialId: string; readonly material: string }[];
  /** Wrapped under the first of them. */
  readonly dek: { readonly wrapped: string; readonly dek: string };
  /** Its material was deleted. */
  readonly deletedKey: string;
  readonly deletedMaterial: string;
  /** A DEK that only that material opens. */
  readonly lostDek: { readonly wrapped: string; readonly dek: string };
  /** Never had any. */
  readonly emptyKey: string;
  /** For `emptyKey`: RSA_AES_KEY_WRAP_SHA_256 under RSA_2048, with the public half of its wrapping key. */
  readonly token: string;
  readonly publicKey: string;
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** As a command line has them; `folder` holds root.key, passphrase, backup-passphrase and everything the manager writes. */
export function storeOptions(folder: string): KeyManagerOptions {
  return {
    storePath: join(folder, 'store.sqlite'),
    unseal: [
      { type: 'key-file', path: join(folder, 'root.key') },
      { type: 'passphrase-file', path: join(folder, 'passphrase') },
    ],
    region: 'eu-central-1',
    otherRegions: [OTHER_REGION],
    account: '000000000000',
    audit: { path: join(folder, 'audit.jsonl'), durability: 'fsync' },
  };
}

export async function makeKeyStore(folder: string): Promise<StoreFacts> {
  let clock = FIRST_INSTANT;
  const ports: KeyPorts = { random: (bytes) => new Uint8Array(randomBytes(bytes)), now: () => (clock += 1000) };
  mkdirSync(folder, { recursive: true });
  createKeyFile(join(folder, 'root.key'), ports.random);
  writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'backup-passphrase'), `${BACKUP_PASSPHRASE}\r\n`, { mode: 0o600 });
  const options = storeOptions(folder);
  await createKeyStore(options, ports);
  const manager = await openKeyManager(options, ports);
  const { keyId: a } = await manager.createKey({ alias: 'alias/a', description: 'of objects: ä€' }, USE);
  const { keyId: b } = await manager.createKey({ alias: 'alias/b' }, USE);
  const deks: { wrapped: string; dek: string }[] = [];
  for (let round = 0; round < 3; round++) {
    const { wrapped, dek } = await manager.generateDataKey({ keyId: a, context: CONTEXT }, USE);
    deks.push({ wrapped: Buffer.from(wrapped).toString('hex'), dek: dek.export().toString('hex') });
    if (round < 2) await manager.rotateKey(a, USE);
  }
  const { wrapped } = await manager.generateDataKey({ keyId: a, context: CONTEXT }, USE);
  const escrow = { dekId: ports.random(16), owner: 'database 1', wrapped, context: CONTEXT };
  await manager.escrow(escrow, USE);
  await manager.disableKey(b, USE);
  await settingsOfVersion2(manager, a, b);
  await grantsOfVersion3(manager, a);
  await grantsOfVersion9(manager, a);
  await statesOfVersion5(manager, b);
  const managed = await managedOfVersion7(manager);
  const imports = await importsOfVersion4(manager, clock);
  const regions = await regionsOfVersion6(manager);
  const { keyId: destroyed } = await manager.createKey({ alias: 'alias/destroyed' }, USE);
  await manager.lifecycle.scheduleDeletion({ keyId: destroyed, days: 7 }, USE);
  clock += 8 * DAY_MS;
  await manager.runDue({ destroy: true });
  await manager.decrypt({ wrapped: Uint8Array.of(1), context: {} }, USE).catch(() => undefined);
  await manager.backup({ path: join(folder, 'store.backup'), passphraseFile: join(folder, 'backup-passphrase') }, USE);
  const { key } = await manager.serviceKey('s3-upload-token', 1);
  await manager.close();
  rmSync(join(folder, 'store.sqlite.lock'));
  return {
    keyIds: { a, b },
    context: CONTEXT,
    deks,
    escrow: { dekId: hex(escrow.dekId), owner: escrow.owner, wrapped: hex(wrapped) },
    serviceKey: key.export().toString('hex'),
    imports,
    regions,
    managed,
  };
}

/** Each rotated once. */
async function managedOfVersion7(manager: KeyManager): Promise<ManagedFacts> {
  const operator: KeyUse = { ...USE, via: 'cli' };
  const deks: { wrapped: string; dek: string }[] = [];
  const epochs: { epoch: number; key: string }[] = [];
  let managedKey = '';
  let ownedKey = '';
  for (let round = 0; round < 2; round++) {
    const { wrapped, dek, keyArn } = await manager.generateDataKey({ keyId: 'alias/aws/s3', context: CONTEXT }, USE);
    deks.push({ wrapped: hex(wrapped), dek: dek.export().toString('hex') });
    managedKey = idOf(keyArn);
    const { epoch, key, keyArn: owner = '' } = await manager.serviceKey('s3-upload-token');
    epochs.push({ epoch, key: key.export().toString('hex') });
    ownedKey = idOf(owner);
    if (round === 0) for (const keyId of [managedKey, ownedKey]) await manager.rotateKey(keyId, operator);
  }
  return { managedKey, deks, ownedKey, epochs };
}

const idOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

async function settingsOfVersion2(manager: KeyManager, a: string, b: string): Promise<void> {
  await manager.settings.tagKey(
    {
      keyId: a,
      tags: [
        { key: 'team', value: '€' },
        { key: 'empty', value: '' },
      ],
    },
    USE,
  );
  await manager.lifecycle.enableRotation({ keyId: a, periodDays: 2560 }, USE);
  const policy = JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' } });
  await manager.settings.putPolicy({ keyId: b, policy }, USE);
}

/** Two on one bucket, one on another, one revoked. */
async function grantsOfVersion3(manager: KeyManager, keyId: string): Promise<void> {
  const grantee = 'arn:aws:iam::000000000000:user/bob';
  const retiring = '444455556666';
  await manager.grants.create({ keyId, grantee, operations: ['Decrypt'], name: 'first' }, USE);
  const constraints = { subset: { ä: '€' } };
  await manager.grants.create({ keyId, grantee, retiring, operations: ['Encrypt', 'CreateGrant'], constraints }, USE);
  await manager.grants.create({ keyId, grantee: '444455556666', operations: ['DescribeKey'] }, USE);
  const { grantId } = await manager.grants.create({ keyId, grantee, operations: ['Decrypt'] }, USE);
  await manager.grants.revoke({ keyId, grantId }, USE);
}

/** To a service, with both kinds of constraints and with one. */
async function grantsOfVersion9(manager: KeyManager, keyId: string): Promise<void> {
  const sourceArn = 'arn:aws:dynamodb:eu-central-1:000000000000:table/of-users';
  const service = { service: 'backup.example.com' };
  const asked = { keyId, grantee: service, retiring: service, operations: ['Decrypt'] };
  await manager.grants.create({ ...asked, constraints: { sourceArn } }, USE);
  await manager.grants.create({ ...asked, constraints: { sourceArn, equals: { ä: '€' } } }, USE);
}

/** Of a disabled key, so that nothing else of it changes. */
async function statesOfVersion5(manager: KeyManager, keyId: string): Promise<void> {
  await manager.materials.suspend({ keyId, reason: 'looked into: ä€' }, USE);
  await manager.materials.reactivate({ keyId, reason: 'nothing found' }, USE);
  await manager.materials.markCompromised({ keyId, material: '1', reason: 'found after all', stillOpens: true }, USE);
}

async function regionsOfVersion6(manager: KeyManager): Promise<RegionFacts> {
  const there = manager.inRegion(OTHER_REGION);
  if (there === undefined) throw new Error('another region');
  const { keyId } = await manager.createKey({ multiRegion: true }, USE);
  const deks: { wrapped: string; dek: string }[] = [];
  const first = await manager.generateDataKey({ keyId, context: CONTEXT }, USE);
  deks.push({ wrapped: hex(first.wrapped), dek: first.dek.export().toString('hex') });
  await manager.multiRegion.replicate({ keyId, replicaRegion: OTHER_REGION, description: 'the replica' }, USE);
  await manager.rotateKey(keyId, USE);
  const made = await there.operations.generateDataKey({ keyId, bytes: 32, context: CONTEXT }, USE);
  deks.push({ wrapped: hex(made.ciphertext), dek: hex(made.plaintext) });
  const grantee = 'arn:aws:iam::000000000000:user/bob';
  await there.grants.create({ keyId, grantee, operations: ['Decrypt'] }, USE);
  const { keyId: otherKey } = await there.createKey({ alias: 'alias/a' }, USE);
  return { keyId, otherRegion: OTHER_REGION, deks, otherKey, materials: 3 };
}

async function importsOfVersion4(manager: KeyManager, now: number): Promise<ImportFacts> {
  const external = async (): Promise<string> => (await manager.createKey({ origin: 'EXTERNAL' }, USE)).keyId;
  const [rotatedKey, deletedKey, emptyKey] = [await external(), await external(), await external()];
  const materials: { materialId: string; material: string }[] = [];
  const bring = async (keyId: string, more: Partial<ImportRequest>): Promise<string> => {
    const material = randomBytes(32);
    const materialId = await importMaterial(manager, keyId, material, USE, more);
    if (keyId === rotatedKey) materials.push({ materialId, material: hex(material) });
    return hex(material);
  };
  const dekOf = async (keyId: string): Promise<{ wrapped: string; dek: string }> => {
    const { wrapped, dek } = await manager.generateDataKey({ keyId, context: CONTEXT }, USE);
    return { wrapped: hex(wrapped), dek: dek.export().toString('hex') };
  };
  await bring(rotatedKey, { description: 'the first' });
  const dek = await dekOf(rotatedKey);
  await bring(rotatedKey, { type: 'new' });
  await manager.rotateKey(rotatedKey, USE);
  await bring(rotatedKey, { type: 'new', validTo: now + 300 * DAY_MS, description: 'it waits' });
  const deletedMaterial = await bring(deletedKey, {});
  const lostDek = await dekOf(deletedKey);
  await manager.imports.deleteMaterial({ keyId: deletedKey }, USE);
  const asked = { keyId: emptyKey, algorithm: 'RSA_AES_KEY_WRAP_SHA_256', wrappingSpec: 'RSA_2048' } as const;
  const { token, publicKey } = await manager.imports.parameters(asked, USE);
  return {
    ...{ rotatedKey, materials, dek, deletedKey, deletedMaterial, lostDek, emptyKey },
    ...{ token: hex(token), publicKey: hex(publicKey) },
  };
}

const [, script, folder] = process.argv;
if (script === fileURLToPath(import.meta.url) && folder !== undefined) {
  writeFileSync(join(folder, 'facts.json'), `${JSON.stringify(await makeKeyStore(folder), undefined, 2)}\n`);
}
