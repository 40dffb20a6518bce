import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../test/support/keys/keys.ts';
import { CRASH_PAIRS, crashMaterial } from '../../test/support/keys/crash-material.ts';
import { importMaterial } from '../../test/support/keys/import-key.ts';
import { missing } from '../../test/support/programs.ts';
import type { KeyManager } from './key-manager.ts';
import { verifyAudit } from './offline.ts';

const CHILD = fileURLToPath(new URL('../../test/support/keys/keys-crash-child.ts', import.meta.url));
/** Kills in each test, and how many more a machine gets that is too slow to acknowledge anything in between. */
const KILLS = 12;
const PATIENCE = 50;
const CALLS = 'pwrite64,fsync,fdatasync,rename,ftruncate,unlink,write';
/** What the child does; within how many calls on the store’s files, a start included; and within how many milliseconds. */
const WORK: readonly {
  readonly what: string;
  readonly words: readonly string[];
  readonly calls: number;
  readonly ms: number;
  readonly rotateAtBytes?: number;
}[] = [
  { what: 'creating, using and rotating', words: [], calls: 100, ms: 150 },
  { what: 'rotating its audit log', words: ['rotations'], calls: 100, ms: 150, rotateAtBytes: 4000 },
  { what: 'making key pairs and signing', words: ['pairs'], calls: 120, ms: 600 },
  { what: 'replicating, rotating and moving keys of two regions', words: ['regions'], calls: 120, ms: 400 },
  { what: 'importing, deleting and rotating what is imported', words: ['imports'], calls: 160, ms: 1500 },
];

const OTHER_REGION = 'us-west-2';

type Acknowledged = readonly string[];

/** Runs `program` until it is killed; `onFirst` is called when it printed its first line. Gives the lines that came whole. */
async function linesOf(
  program: string,
  words: readonly string[],
  onFirst: (kill: () => void) => void,
): Promise<Acknowledged> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '') onFirst(() => child.kill('SIGKILL'));
      output += text;
    });
    child.once('close', () => resolve());
  });
  return output.split('\n').slice(1, -1);
}

/** Whatever was acknowledged is there, opens and is of use. */
async function expectNothingLost(manager: KeyManager, acknowledged: Acknowledged): Promise<void> {
  const context = { purpose: 'crash' };
  const keys = new Map((await manager.listKeys(use)).map((key) => [key.keyId, key]));
  for (const line of acknowledged) {
    const [what, keyId = '', detail = ''] = line.split(' ');
    if (what === 'service') {
      const { key } = await manager.serviceKey('s3-upload-token', Number(keyId));
      expect(createHash('sha256').update(key.export()).digest('hex'), line).toBe(detail);
      continue;
    }
    const materials = keys.get(keyId)?.materials.map(({ materialId }) => materialId) ?? [];
    expect(materials.length, line).toBeGreaterThan(0);
    if (what === 'rotated') expect(materials, line).toContain(detail);
    if (what === 'wrapped') await manager.decrypt({ wrapped: Buffer.from(detail, 'hex'), context, keyId }, use);
    if (what === 'signed') await expectSigned(manager, keys.get(keyId)?.spec, keyId, Buffer.from(detail, 'hex'));
  }
  expect([...keys.values()].filter(({ management }) => management.type === 'service').length).toBeLessThan(2);
  for (const { keyId, state, spec } of keys.values()) {
    if (state !== 'enabled') continue;
    if (spec === 'SYMMETRIC_DEFAULT') await manager.generateDataKey({ keyId, context }, use);
    else await expectSigned(manager, spec, keyId);
  }
}

/** By the pair of this key, whose halves still belong together; by a signature made now unless one is given. */
async function expectSigned(manager: KeyManager, spec: unknown, keyId: string, given?: Uint8Array): Promise<void> {
  const pair = CRASH_PAIRS.find((each) => each.spec === spec);
  if (pair === undefined) throw new Error(`${String(spec)} is none that was made`);
  const { algorithm } = pair;
  const signed = { keyId, algorithm, message: crashMaterial(keyId, 1), messageType: 'RAW' } as const;
  const signature = given ?? (await manager.signatures.sign(signed, use)).signature;
  await manager.signatures.verify({ ...signed, signature }, use);
}

/** Of related keys all or none: one primary key, the same materials, and each opens what the other wraps. */
async function expectRelated(manager: KeyManager, acknowledged: Acknowledged): Promise<void> {
  const context = { purpose: 'crash' };
  const there = manager.inRegion(OTHER_REGION);
  const replicas = new Map((await there?.listKeys(use))?.map((key) => [key.keyId, key]));
  for (const line of acknowledged)
    if (line.startsWith('replicated ')) expect([...replicas.keys()], line).toContain(line.split(' ')[1]);
  for (const here of await manager.listKeys(use)) {
    const replica = replicas.get(here.keyId);
    expect(here.multiRegion?.replicas.length).toBe(here.multiRegion === undefined ? undefined : replica ? 1 : 0);
    if (there === undefined || replica === undefined) continue;
    expect([here.multiRegion?.type, replica.multiRegion?.type].sort()).toEqual(['primary', 'replica']);
    expect(replica.materials).toEqual(here.materials);
    expect(replica.currentMaterialId).toBe(here.currentMaterialId);
    const { ciphertext } = await there.operations.generateDataKey({ keyId: here.keyId, bytes: 32, context }, use);
    await manager.decrypt({ wrapped: ciphertext, context }, use);
  }
}

/** What is imported is there when that was the last that was acknowledged; what was deleted can be imported again. */
async function expectImports(manager: KeyManager, acknowledged: Acknowledged): Promise<void> {
  const last = new Map(acknowledged.map((line) => [line.split(' ')[1] ?? '', line.split(' ')[0]]));
  for (const key of await manager.listKeys(use)) {
    if (key.origin === 'AWS_KMS') continue;
    if (last.get(key.keyId) === 'imported') expect(key.state).toBe('enabled');
    if (key.state === 'enabled') continue;
    const known = key.materials.length > 0;
    const id = await importMaterial(manager, key.keyId, crashMaterial(key.keyId, 1), use);
    if (known) expect(key.materials[0]?.materialId).toBe(id);
  }
}

async function killAgainAndAgain(
  rotateAtBytes: number | undefined,
  killedRun: (keys: KeyFolder) => Promise<Acknowledged>,
): Promise<void> {
  const rotated = (keys: KeyFolder): KeyFolder =>
    rotateAtBytes === undefined
      ? keys
      : { ...keys, options: { ...keys.options, audit: { ...keys.options.audit, rotateAtBytes } } };
  await using plain = await keyFolder({ otherRegions: [OTHER_REGION] });
  const keys = rotated(plain);
  const acknowledged: string[] = [];
  for (let kill = 0; kill < KILLS || (acknowledged.length === 0 && kill < KILLS * PATIENCE); kill++) {
    acknowledged.push(...(await killedRun(keys)));
    const manager = await keys.open(keys.options);
    await expectImports(manager, acknowledged);
    await expectNothingLost(manager, acknowledged);
    await expectRelated(manager, acknowledged);
    await manager.close();
    expect(await verifyAudit(keys.options)).toMatchObject({ problem: undefined, startsAfter: 0, gaps: [] });
  }
  if (rotateAtBytes !== undefined)
    expect(readdirSync(keys.folder).filter((name) => /\.\d{16}$/.test(name)).length).toBeGreaterThan(0);
  expect(acknowledged.length).toBeGreaterThan(0);
}

test.for(WORK)(
  'Killed after any time of $what, the store loses nothing that was acknowledged',
  async ({ words, ms, rotateAtBytes }) => {
    await killAgainAndAgain(rotateAtBytes, (keys) => {
      const child = [CHILD, JSON.stringify(keys.options), ...words];
      return linesOf(process.execPath, child, (kill) => setTimeout(kill, randomInt(ms)));
    });
  },
);

test('Killed between writing the records of many uses and answering them, all are recorded, in their order, and none was answered', async () => {
  await using keys = await keyFolder();
  const child = fileURLToPath(new URL('../../test/support/keys/keys-killed-child.ts', import.meta.url));
  const run = spawnSync(process.execPath, [child, JSON.stringify(keys.options), '500'], { encoding: 'utf8' });
  expect([run.signal, run.stdout, run.stderr]).toEqual(['SIGKILL', '', '']);
  const written = readFileSync(keys.options.audit.path, 'utf8').trimEnd().split('\n');
  const records = written.map((line) => JSON.parse(line) as { seq: number; action: string; context: { n?: string } });
  expect(records.map(({ seq }) => seq)).toEqual(records.map((_, at) => at + 1));
  const uses = records.filter(({ action }) => action === 'GenerateDataKey');
  expect(uses.map(({ context }) => context.n)).toEqual(Array.from({ length: 500 }, (_, n) => String(n)));
  await (await keys.open()).close();
  expect(await verifyAudit(keys.options)).toMatchObject({ problem: undefined, gaps: [] });
});

function whyNoTracing(): string | undefined {
  const traces = (): boolean => spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
  return missing('strace') ?? (traces() ? undefined : 'strace may not trace here');
}

const AT_CALLS =
  'Killed at any of its system calls on the store’s files while $what, the store loses nothing that was acknowledged';
test.for(WORK)(AT_CALLS, async ({ words, calls, rotateAtBytes }, { skip }) => {
  const reason = whyNoTracing();
  if (reason !== undefined) skip(reason);
  await killAgainAndAgain(rotateAtBytes, (keys) => {
    const { storePath, audit } = keys.options;
    const endings = ['', '-wal', '.epoch', '.epoch.new'].map((ending) => `${storePath}${ending}`);
    const files = [...endings, audit.path, `${audit.path}.head`, keys.folder].flatMap((path) => ['-P', path]);
    const call = randomInt(1, calls);
    const inject = `inject=${CALLS}:signal=SIGKILL:when=${call}`;
    const child = [process.execPath, CHILD, JSON.stringify(keys.options), ...words];
    const traced = ['-f', '-qq', '-o', '/dev/null', ...files, '-e', `trace=${CALLS}`, '-e', inject, ...child];
    return linesOf('strace', traced, () => undefined);
  });
});
