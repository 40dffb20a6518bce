import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliFolder, type CliFolder } from '../../../test/support/cli.ts';
import { importMaterial } from '../../../test/support/keys/import-key.ts';
import { TEST_USE, testPorts } from '../../../test/support/keys/keys.ts';
import type { KeyDescription } from '../../keys/admin/key-admin.ts';
import { openKeyManager } from '../../keys/key-manager.ts';
import type { KeyManagerOptions } from '../../keys/options.ts';

async function json<T>(cli: CliFolder, ...words: readonly string[]): Promise<T> {
  const { exit, stdout, stderr } = await cli.run(...words, '--json');
  expect([exit, stderr]).toEqual([0, '']);
  // The command's own output, of the type the caller names.
  return JSON.parse(stdout.toString()) as T;
}

async function ready(cli: CliFolder): Promise<void> {
  expect((await cli.run('init')).exit).toBe(0);
}

test('A key’s life: created, named, rotated, disabled, enabled, described', async () => {
  using cli = cliFolder();
  await ready(cli);
  const made = await json<KeyDescription>(cli, 'keys', 'create', '--alias', 'objects', '--description', 'documents');
  expect(made).toMatchObject({ aliases: ['alias/objects'], description: 'documents', state: 'enabled' });
  expect((await cli.run('keys', 'alias', 'create', 'second', made.keyId)).exit).toBe(0);
  expect((await json<KeyDescription>(cli, 'keys', 'rotate', 'alias/second')).materials).toHaveLength(2);
  expect((await json<KeyDescription>(cli, 'keys', 'disable', made.arn)).state).toBe('disabled');
  expect((await json<KeyDescription>(cli, 'keys', 'enable', made.keyId)).state).toBe('enabled');
  expect((await cli.run('keys', 'alias', 'delete', 'alias/second')).exit).toBe(0);
  expect(await json<KeyDescription[]>(cli, 'keys', 'list')).toEqual([
    await json(cli, 'keys', 'describe', 'alias/objects'),
  ]);
  const { exit, stderr } = await cli.run('keys', 'describe', 'alias/second');
  expect([exit, stderr]).toEqual([5, expect.stringContaining('ERR_KEYS_NOT_FOUND')]);
  expect((await cli.run('audit', 'verify')).exit).toBe(0);
});

test('Keys of every kind are made, of kinds that there are', async () => {
  using cli = cliFolder();
  await ready(cli);
  for (const [spec, usage] of [
    ['RSA_2048', 'SIGN_VERIFY'],
    ['ECC_NIST_P256', 'KEY_AGREEMENT'],
  ] as const)
    expect(await json<KeyDescription>(cli, 'keys', 'create', '--spec', spec, '--usage', usage)).toMatchObject({
      spec,
      usage,
    });
  const { stdout } = await cli.run('keys', 'create', '--spec', 'HMAC_256');
  expect(stdout.toString()).toMatch(/^kind +HMAC_256 for GENERATE_VERIFY_MAC$/mu);
  for (const wrong of [
    ['--spec', 'RSA_1024'],
    ['--spec', 'RSA_2048'],
    ['--spec', 'RSA_2048', '--usage', 'KEY_AGREEMENT'],
    ['--usage', 'SIGN_VERIFY'],
  ]) {
    const { exit, stderr } = await cli.run('keys', 'create', ...wrong);
    expect([exit, stderr]).toEqual([5, expect.stringContaining('ERR_KEYS_INVALID_REQUEST')]);
  }
});

test('A material is held back, taken back, ended and marked, each with a reason that is kept', async () => {
  using cli = cliFolder();
  await ready(cli);
  await json<KeyDescription>(cli, 'keys', 'create', '--alias', 'objects');
  const change = (command: string, ...more: readonly string[]): Promise<KeyDescription> =>
    json(cli, 'keys', command, 'alias/objects', '--reason', `why ${command}`, ...more);
  expect((await change('suspend')).state).toBe('disabled');
  expect((await change('reactivate')).state).toBe('enabled');
  expect((await change('deactivate')).materials[0]).toMatchObject({ state: 'deactivated' });
  expect((await change('compromise', '--material', '1', '--still-opens')).materials[0]).toMatchObject({
    state: 'compromised',
    stillOpens: true,
  });
  const { stdout } = await cli.run('keys', 'describe', 'alias/objects');
  expect(stdout.toString()).toMatch(
    /compromised, still opens {2}arn:aws:iam::000000000000:user\/local\/\S+ {2}why compromise/u,
  );
  for (const command of ['suspend', 'reactivate', 'deactivate', 'compromise'])
    expect((await cli.run('keys', command, 'alias/objects')).stderr).toContain('ERR_CLI_USAGE');
  const none = await cli.run('keys', 'suspend', 'alias/objects', '--reason', 'why');
  expect([none.exit, none.stderr]).toEqual([5, expect.stringContaining('ERR_KEYS_INVALID_STATE')]);
  expect((await cli.run('audit', 'verify')).exit).toBe(0);
});

test('A backup is made, verified and restored by the commands alone', async () => {
  using cli = cliFolder();
  await ready(cli);
  const made = await json<KeyDescription>(cli, 'keys', 'create', '--alias', 'objects');
  writeFileSync(cli.path('pass'), 'the passphrase of the backup\n', { mode: 0o600 });
  expect((await cli.run('keys', 'backup', 'keys.backup', '--passphrase-file', 'pass')).exit).toBe(0);
  expect((await cli.run('keys', 'verify-backup', 'keys.backup', '--passphrase-file', 'pass')).exit).toBe(0);
  expect((await cli.run('keys', 'restore', 'keys.backup')).stderr).toContain('ERR_KEYS_STORE_EXISTS');
  mkdirSync(cli.path('lost'));
  for (const name of ['', '.epoch', '.lock'])
    renameSync(cli.path(`sealgate-keys.sqlite${name}`), join(cli.path('lost'), `s${name}`));
  expect((await cli.run('keys', 'restore', 'keys.backup')).exit).toBe(0);
  expect((await cli.run('keys', 'list')).stderr).toContain('ERR_KEYS_EPOCH_UNREADABLE');
  expect((await cli.run('keys', 'list', '--accept-rollback')).exit).toBe(0);
  expect(await json(cli, 'keys', 'describe', 'alias/objects')).toEqual(made);
});

/** As the commands open it. */
function optionsOf(cli: CliFolder): KeyManagerOptions {
  return {
    storePath: cli.path('sealgate-keys.sqlite'),
    unseal: [{ type: 'key-file', path: cli.path('root.key') }],
    region: 'us-east-1',
    account: '000000000000',
    audit: { path: cli.path('sealgate-audit.jsonl'), durability: 'write' },
  };
}

test('Of a key whose material is imported it is shown whether that is there, and until when', async () => {
  using cli = cliFolder();
  await ready(cli);
  const owner = await openKeyManager(optionsOf(cli), testPorts);
  const { keyId } = await owner.createKey({ origin: 'EXTERNAL', alias: 'alias/theirs' }, TEST_USE);
  const shown = async (): Promise<string> => (await cli.run('keys', 'describe', 'alias/theirs')).stdout.toString();
  try {
    expect(await shown()).toMatch(/^state +pending-import\norigin +imported; material is missing$/mu);
    const validTo = Date.now() + 60_000;
    await importMaterial(owner, keyId, testPorts.random(32), TEST_USE, { validTo });
    expect(await shown()).toContain(`imported, until ${new Date(validTo).toISOString()}`);
    expect((await cli.run('keys', 'list')).stdout.toString()).toMatch(/ enabled /u);
  } finally {
    await owner.close();
  }
});

test('Keys of all regions are listed, and one of another region is named by its ARN, beside an owner or as one', async () => {
  using cli = cliFolder();
  await ready(cli);
  const config = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  writeFileSync(cli.path('sealgate.yaml'), config.replace(/^keys:\n/mu, 'keys:\n  otherRegions: [us-west-2]\n'));
  const made = await json<KeyDescription>(cli, 'keys', 'create', '--alias', 'both', '--multi-region');
  const there = made.arn.replace('us-east-1', 'us-west-2');
  const owner = await openKeyManager({ ...optionsOf(cli), otherRegions: ['us-west-2'] }, testPorts);
  await owner.multiRegion.replicate({ keyId: made.keyId, replicaRegion: 'us-west-2' }, TEST_USE);
  const seen = async (): Promise<readonly unknown[]> => [
    (await json<KeyDescription[]>(cli, 'keys', 'list')).map(({ arn }) => arn),
    (await json<KeyDescription>(cli, 'keys', 'describe', made.keyId)).aliases,
    (await json<KeyDescription>(cli, 'keys', 'describe', there)).aliases,
    (await json<{ keys: { arn: string }[] }>(cli, 'keys', 'report')).keys.map(({ arn }) => arn),
  ];
  const expected = [[made.arn, there], ['alias/both'], [], [made.arn, there]];
  expect(await seen()).toEqual(expected);
  const served = readFileSync(cli.path('sealgate.yaml'));
  writeFileSync(cli.path('sealgate.yaml'), config);
  const ofHome = async (): Promise<unknown> =>
    (await json<KeyDescription[]>(cli, 'keys', 'list')).map(({ arn }) => arn);
  expect(await ofHome()).toEqual([made.arn]);
  await owner.close();
  expect(await ofHome()).toEqual([made.arn]);
  writeFileSync(cli.path('sealgate.yaml'), served);
  expect(await seen()).toEqual(expected);
  expect((await cli.run('keys', 'list')).stdout.toString()).toMatch(
    /^mrk-[0-9a-f]{32} +us-west-2 +customer +enabled /mu,
  );
  expect((await json<KeyDescription>(cli, 'keys', 'disable', there)).state).toBe('disabled');
  const shown = (await cli.run('keys', 'describe', made.keyId)).stdout.toString();
  expect(shown).toMatch(/^regions +multi-Region, primary; primary key in us-east-1, replicas in us-west-2$/mu);
  const told = (await cli.run('keys', 'report')).stdout.toString();
  for (const type of ['primary', 'replica'])
    expect(told).toMatch(
      new RegExp(`^regions +multi-Region, ${type}; primary key in us-east-1, replicas in us-west-2$`, 'mu'),
    );
});

test('A key and its aliases are made in the region that is told, or that an ARN names', async () => {
  using cli = cliFolder();
  await ready(cli);
  const config = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  writeFileSync(cli.path('sealgate.yaml'), config.replace(/^keys:\n/mu, 'keys:\n  otherRegions: [us-west-2]\n'));
  const made = await json<KeyDescription>(cli, 'keys', 'create', '--alias', 'west', '--region', 'us-west-2');
  expect(made.arn).toMatch(/^arn:aws:kms:us-west-2:/u);
  const arnOf = (name: string): string => made.arn.replace(/key\/.*/u, `alias/${name}`);
  const done = async (...words: string[]): Promise<unknown> => (await cli.run('keys', 'alias', ...words)).exit;
  const aliases = async (...words: string[]): Promise<readonly unknown[]> =>
    (await json<{ aliasArn: string; targetKeyId?: string }[]>(cli, 'keys', 'alias', 'list', ...words))
      .filter(({ aliasArn }) => !aliasArn.includes('alias/aws/'))
      .map(({ aliasArn, targetKeyId }) => [aliasArn, targetKeyId]);
  expect(await done('create', 'second', made.arn)).toBe(0);
  expect(await done('create', arnOf('third'), made.keyId)).toBe(0);
  expect(await done('create', 'fourth', made.keyId, '--region', 'us-west-2')).toBe(0);
  // In the home region there is no such key.
  expect(await done('create', 'fifth', made.keyId)).toBe(5);
  const other = await json<KeyDescription>(cli, 'keys', 'create', '--region', 'us-west-2');
  expect(await done('update', arnOf('third'), other.keyId)).toBe(0);
  expect(await done('delete', arnOf('second'))).toBe(0);
  expect(await done('delete', 'fourth')).toBe(5);
  expect(await done('delete', 'fourth', '--region', 'us-west-2')).toBe(0);
  const expected = [
    [arnOf('third'), other.keyId],
    [arnOf('west'), made.keyId],
  ];
  expect(await aliases('--region', 'us-west-2')).toEqual(expected);
  expect(await aliases('--region', 'us-east-1')).toEqual([]);
  await json(cli, 'keys', 'create', '--alias', 'west');
  expect(await aliases()).toHaveLength(3);
  expect((await cli.run('keys', 'alias', 'list')).stdout.toString()).toMatch(/^alias\/west +us-west-2 +\S+ /mu);
  const nowhere = await cli.run('keys', 'create', '--region', 'eu-north-1');
  expect([nowhere.exit, nowhere.stderr.toString()]).toEqual([5, expect.stringContaining('eu-north-1')]);
});

test('Beside a running owner keys are listed, described and backed up, and nothing else is done', async () => {
  using cli = cliFolder();
  await ready(cli);
  const made = await json<KeyDescription>(cli, 'keys', 'create', '--alias', 'objects');
  const owner = await openKeyManager(optionsOf(cli), testPorts);
  try {
    expect(await json(cli, 'keys', 'list')).toEqual([made]);
    expect(await json(cli, 'keys', 'describe', 'alias/objects')).toEqual(made);
    expect(await cli.run('keys', 'backup', 'live.backup')).toMatchObject({
      exit: 0,
      stderr: expect.stringContaining('audit log') as unknown,
    });
    expect((await cli.run('audit', 'verify')).exit).toBe(0);
    for (const words of [['create'], ['rotate', 'alias/objects'], ['disable', 'alias/objects']]) {
      expect((await cli.run('keys', ...words)).stderr).toContain('ERR_KEYS_STORE_IN_USE');
    }
  } finally {
    await owner.close();
  }
  expect((await cli.run('keys', 'verify-backup', 'live.backup')).exit).toBe(0);
});

test('A tampered audit log ends audit verify with exit code 1 and names the line', async () => {
  using cli = cliFolder();
  await ready(cli);
  await cli.run('keys', 'create');
  const path = cli.path('sealgate-audit.jsonl');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"started"', '"Started"'));
  const { exit, stdout } = await cli.run('audit', 'verify');
  expect([exit, stdout.toString()]).toEqual([1, expect.stringContaining('sealgate-audit.jsonl:1:')]);
});

test('audit verify with the public key needs no key store, and takes both options or none', async () => {
  using cli = cliFolder();
  await ready(cli);
  await cli.run('keys', 'create');
  const whole = JSON.parse((await cli.run('audit', 'verify', '--json')).stdout.toString()) as { checkpointKey: string };
  for (const name of ['sealgate-keys.sqlite', 'sealgate.yaml', 'root.key']) rmSync(cli.path(name));
  const log = ['--file', cli.path('sealgate-audit.jsonl')];
  const key = ['--public-key', whole.checkpointKey];
  const { exit, stdout } = await cli.run('audit', 'verify', ...log, ...key);
  expect([exit, stdout.toString()]).toEqual([0, expect.stringContaining('is as it was signed up to record 2;')]);
  for (const wrong of [log, key, [...log, '--public-key', 'abc']])
    expect((await cli.run('audit', 'verify', ...wrong)).stderr).toContain('ERR_CLI_USAGE');
  expect((await cli.run('audit', 'verify', ...log, '--public-key', '0'.repeat(64))).exit).toBe(1);
});

test('keys init makes a store for a config that has none, and overwrites nothing', async () => {
  using cli = cliFolder();
  await ready(cli);
  expect((await cli.run('keys', 'init')).stderr).toContain('ERR_KEYS_STORE_EXISTS');
  for (const name of ['sealgate-keys.sqlite', 'sealgate-keys.sqlite.epoch']) rmSync(cli.path(name));
  expect((await cli.run('keys', 'init')).exit).toBe(0);
  expect((await cli.run('keys', 'create')).exit).toBe(0);
});
