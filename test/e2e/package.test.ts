/** The package as npm packs it, in an empty folder beside the packages it depends on and no others. */
import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/cli/demo/servers.ts';
import { start, type Program, type Ran } from '../support/run.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';

type Manifest = {
  readonly bin: { readonly sealgate: string };
  readonly dependencies: Readonly<Record<string, string>>;
};

let folder: string;
let files: readonly string[];
let main: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate package '));
  const packed = await run(NPM, ['pack', '--json', '--foreground-scripts=false', '--pack-destination', folder], {
    cwd: root,
    maxBuffer: 2 ** 24,
  });
  // npm's own documented form of `pack --json`.
  const [{ filename, files: list } = { filename: '', files: [] }] = JSON.parse(packed.stdout) as {
    filename: string;
    files: { path: string }[];
  }[];
  files = list.map(({ path }) => path);
  const installed = join(folder, 'node_modules', 'sealgate');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', installed]);
  // The package's manifest, as packed.
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as Manifest;
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, 'node_modules', name), link, 'junction');
  }
  main = join(installed, manifest.bin.sealgate);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const program = (...words: readonly string[]): Program => start(process.execPath, [main, ...words], { cwd: folder });
const sealgate = (...words: readonly string[]): Promise<Ran> => program(...words).done;

test('The package holds the built command, its papers and its schema, and no tests or sources', () => {
  expect(files).toEqual(
    expect.arrayContaining(['dist/main.js', 'README.md', 'LICENSE', 'CHANGELOG.md', 'config/sealgate.schema.json']),
  );
  expect(files.filter((path) => /\.test\.|\.ts$|\.map$|^(?:src|test|bench)\//u.test(path))).toEqual([]);
});

test('Every command loads, and shows its help', async () => {
  const { code, stdout, stderr } = await sealgate('--help');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const commands = [...stdout.matchAll(/^ {2}((?:[a-z][a-z-]* )*[a-z][a-z-]*) {2,}\S/gmu)].map(([, name = '']) => name);
  expect(commands).toEqual(expect.arrayContaining(['demo', 'init', 'check', 'up', 'keys create', 'open object']));
  for (const name of commands) {
    const help = await sealgate(...name.split(' '), '--help');
    expect({ name, code: help.code }).toEqual({ name, code: 0 });
    expect(help.stdout).toContain('Example:');
  }
});

test('init, keys, check and up work from it; the demo says what it lacks', async () => {
  expect(await sealgate('init')).toMatchObject({ code: 0 });
  expect(await sealgate('init')).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_CLI_EXISTS') });
  expect(await sealgate('keys', 'create', '--alias', 'objects')).toMatchObject({ code: 0 });
  // Tried on the thread beside the event loop, whose file has to be there.
  expect(await sealgate('keys', 'create', '--spec', 'RSA_2048', '--usage', 'ENCRYPT_DECRYPT')).toMatchObject({
    code: 0,
  });
  const port = await freePort();
  const config = join(folder, 'sealgate.yaml');
  await writeFile(config, (await readFile(config, 'utf8')).replace('port: 9090', `port: ${port}`));
  const s3 = [
    `s3:`,
    `  listen: { host: 127.0.0.1, port: ${await freePort()} }`,
    `  upstream: { endpoint: 'http://127.0.0.1:1', credentials: { type: static, accessKeyId: a, secretAccessKey: b } }`,
    `  clients: [{ name: app, accessKeyId: APP, secretAccessKey: 0123456789abcdef }]`,
    `  buckets: [{ bucket: '*', seal: alias/objects }]`,
  ];
  await appendFile(config, `${s3.join('\n')}\n`);
  expect((await sealgate('check')).stdout).toContain('UNREACHABLE');
  const up = program('up');
  await up.untilSays(`http://127.0.0.1:${port}`);
  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
  up.child.kill('SIGTERM');
  expect(await up.done).toMatchObject({ code: 0 });
  expect(await sealgate('demo')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ERR_CLI_DEMO_UNAVAILABLE'),
  });
});

describe('on a Node that is too old', () => {
  test('it says so, and what to do', async ({ skip }) => {
    const old = process.env['npm_node_execpath'];
    const version = old === undefined ? '' : (await run(old, ['--version'])).stdout.trim();
    const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
    skip(version === '' || major > 24 || (major === 24 && minor >= 7), 'this machine has no Node older than 24.7');
    const { code, stderr } = await start(old ?? '', [main, 'check']).done;
    expect(code).toBe(1);
    expect(stderr).toContain('ERR_CLI_NODE');
    expect(stderr).toContain('24.7');
    expect(stderr).toContain(version.slice(1));
  });
});
