import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cliFolder } from '../../test/support/cli.ts';
import { certificate, CLIENT_CA } from '../../test/support/client-certificates.ts';
import { loadConfig } from '../config/load.ts';
import { CONFIG_EXAMPLE } from './config-example.ts';

const MADE = ['root.key', 'sealgate-keys.sqlite', 'sealgate-keys.sqlite.epoch', 'sealgate.yaml'];
const isLock = (name: string): boolean => name.endsWith('.lock');

test('What it writes loads, holds a store that opens, and is readable by its owner alone', async () => {
  using cli = cliFolder();
  const { exit, stdout } = await cli.run('init', 'etc/gate');
  expect([exit, stdout.toString()]).toEqual([0, expect.stringContaining('sealgate keys create')]);
  expect(readdirSync(cli.path('etc/gate')).filter((name) => !isLock(name))).toEqual(MADE);
  for (const name of readdirSync(cli.path('etc/gate')))
    expect(statSync(cli.path(`etc/gate/${name}`)).mode & 0o077, name).toBe(0);
  expect((await cli.run('keys', 'create', '-c', 'etc/gate/sealgate.yaml')).exit).toBe(0);
  expect((await cli.run('check', '--config', 'etc/gate/sealgate.yaml')).exit).toBe(0);
});

test.each([...MADE, 'sealgate-audit.jsonl', 'sealgate-audit.jsonl.0000000000000001'])(
  'Where %s exists nothing is written and nothing changed',
  async (name) => {
    using cli = cliFolder();
    writeFileSync(cli.path(name), 'mine');
    const { exit, stderr } = await cli.run('init');
    expect([exit === 1 || exit === 5, stderr]).toEqual([true, expect.stringMatching(/ERR_(?:CLI|KEYS_STORE)_EXISTS/u)]);
    expect(readdirSync(cli.folder).filter((found) => !isLock(found))).toEqual([name]);
    expect(readFileSync(cli.path(name), 'utf8')).toBe('mine');
  },
);

test('A second init changes nothing', async () => {
  using cli = cliFolder();
  await cli.run('init');
  const before = MADE.map((name) => readFileSync(cli.path(name)));
  expect(await cli.run('init')).toMatchObject({ exit: 1, stderr: expect.stringContaining('ERR_CLI_EXISTS') });
  expect(MADE.map((name) => readFileSync(cli.path(name)))).toEqual(before);
});

test.each([
  ['here', [], 'then\n  sealgate keys create'],
  ['in another folder', ['etc/gate'], 'then\n  cd etc/gate\n  sealgate keys create'],
  ['in one whose name a shell would split', ["a b/o'd"], `then\n  cd 'a b/o'\\''d'\n  sealgate keys create`],
  ['in one whose name an option could have', ['./-x'], 'then\n  cd ./-x\n  sealgate keys create'],
])('The next commands can be pasted: a config %s', async (_, words, next) => {
  using cli = cliFolder();
  expect((await cli.run('init', ...words)).stdout.toString()).toContain(next);
});

test('A folder that cannot be made is said with its reason', async () => {
  using cli = cliFolder();
  writeFileSync(cli.path('file'), '');
  const { exit, stderr } = await cli.run('init', 'file/below');
  expect([exit, stderr]).toEqual([1, expect.stringContaining('ERR_CLI_WRITE')]);
});

test('keys init: all of it or nothing, and never in the log of another store', async () => {
  using cli = cliFolder();
  await cli.run('init');
  await cli.run('keys', 'create');
  for (const name of ['sealgate-keys.sqlite', 'sealgate-keys.sqlite.epoch', 'root.key']) rmSync(cli.path(name));
  const log = readFileSync(cli.path('sealgate-audit.jsonl'));
  expect(await cli.run('keys', 'init')).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('sealgate-audit.jsonl'),
  });
  expect(readFileSync(cli.path('sealgate-audit.jsonl'))).toEqual(log);
  expect(existsSync(cli.path('root.key'))).toBe(false);
  rmSync(cli.path('sealgate-audit.jsonl'));
  mkdirSync(cli.path('sealgate-keys.sqlite.epoch'));
  expect((await cli.run('keys', 'init')).exit).toBe(5);
  expect(existsSync(cli.path('root.key'))).toBe(false);
  rmSync(cli.path('sealgate-keys.sqlite.epoch'), { recursive: true });
  // The head of the old log is no hindrance: it belongs to another store.
  expect((await cli.run('keys', 'init')).exit).toBe(0);
  expect((await cli.run('keys', 'create')).exit).toBe(0);
});

test('The example with its commented sections switched on is sound', async () => {
  const text = CONFIG_EXAMPLE.split('\n')
    .map((line) => (/^# (?:kms:|s3:|postgres:|  )/u.test(line) ? line.slice(2) : line))
    .join('\n');
  const files: Readonly<Record<string, string>> = {
    'app.secret': 'a',
    'service.password': 'b',
    'upstream.secret': 'c',
    'deploy.secret': 'd',
    'kms.crt': certificate('server').cert,
    'kms.key': certificate('server').key,
    'clients-ca.crt': CLIENT_CA,
    'sealgate.yaml': text,
  };
  const config = await loadConfig('sealgate.yaml', {}, async (path) =>
    Buffer.from(files[path.split('/').at(-1) ?? ''] ?? ''),
  );
  expect(config.kms?.clients).toMatchObject([{ type: 'access-key' }, { type: 'subject' }]);
  expect(config.s3?.buckets).toHaveLength(3);
  expect(config.postgres?.columns).toHaveLength(2);
});
