/** The bootstrap on small projects of their own, installed by the real npm from local folders. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { access, chmod, copyFile, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { start, type Ran } from '../test/support/run.ts';

let root: string;
/** Stands in for an npm that never ends: says that it runs by a file. */
let hangingNpm: string;

const project = { name: 'project', version: '1.0.0', devDependencies: { node: 'file:./node', hello: 'file:./hello' } };
const link = (name: string) => ({ [`node_modules/${name}`]: { resolved: name, link: true, dev: true } });
const packageLock = {
  ...project,
  lockfileVersion: 3,
  requires: true,
  packages: {
    '': project,
    ...link('node'),
    ...link('hello'),
    node: { version: '1.0.0', dev: true, hasInstallScript: true },
    hello: { version: '1.0.0', dev: true, bin: { hello: 'hello.cjs' } },
  },
};

async function write(path: string, content: unknown): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sealgate bootstrap '));
  hangingNpm = join(root, 'hanging-npm.cjs');
  const copy = `const fs = require('node:fs'); fs.rmSync('bin', { recursive: true, force: true }); fs.mkdirSync('bin'); fs.symlinkSync(process.execPath, 'bin/node');`;
  const nodePackage = { name: 'node', version: '1.0.0', scripts: { preinstall: 'node install.cjs' } };
  const helloPackage = { name: 'hello', version: '1.0.0', bin: packageLock.packages.hello.bin };
  await write('package.json', { ...project, allowScripts: { node: true, 'file:node': true } });
  await write('package-lock.json', packageLock);
  await write('node/package.json', nodePackage);
  await write('node/install.cjs', copy);
  await write('hello/package.json', helloPackage);
  await write('hello/hello.cjs', `#!/usr/bin/env node\nconsole.log('hello', ...process.argv.slice(2));\n`);
  await chmod(join(root, 'hello/hello.cjs'), 0o755);
  await write('hanging-npm.cjs', `require('node:fs').writeFileSync('npm-runs', ''); setInterval(() => {}, 1000);`);
  await mkdir(join(root, 'src'));
  await copyFile(join(import.meta.dirname, 'bootstrap.mjs'), join(root, 'src/bootstrap.mjs'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bootstrap = (env: Readonly<Record<string, string>> = {}) =>
  start(process.execPath, [join(root, 'src/bootstrap.mjs'), 'run', 'hello', 'world'], {
    env: { ...process.env, npm_config_offline: 'true', ...env },
  });

const installs = ({ stderr }: Ran): boolean => stderr.includes('installing packages');

async function untilNpmRuns(): Promise<void> {
  for (;;) {
    const there = await access(join(root, 'npm-runs')).then(
      () => true,
      () => false,
    );
    if (there) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A first command whose npm hangs, and npm's process id. */
async function startHanging(): Promise<{ readonly child: ChildProcess; readonly npm: number }> {
  const { child } = bootstrap({ npm_execpath: hangingNpm });
  await untilNpmRuns();
  const others = async (): Promise<readonly number[]> =>
    (await readdir(join(root, '.install-lock'))).map(Number).filter((pid) => pid !== child.pid);
  // npm may run before its number is written down.
  await expect.poll(others).toHaveLength(1);
  const [npm = 0] = await others();
  return { child, npm };
}

test('The first command installs and runs, the next only runs; two at once install once', async () => {
  const both = await Promise.all([bootstrap().done, bootstrap().done]);
  for (const { code, stdout, stderr } of both)
    expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: 'hello world\n' });
  expect(both.filter(installs)).toHaveLength(1);
  expect(await bootstrap().done).toEqual({ code: 0, stdout: 'hello world\n', stderr: '' });
});

test('A changed lock file is installed anew', async () => {
  expect(installs(await bootstrap().done)).toBe(true);
  await write('package-lock.json', `${JSON.stringify(packageLock)}\n`);
  const again = await bootstrap().done;
  expect([again.code, installs(again)]).toEqual([0, true]);
});

test('After an install that was killed the next command installs at once', async () => {
  const { child, npm } = await startHanging();
  child.kill('SIGKILL');
  await once(child, 'exit');
  // npm outlives it: whoever comes next has to wait for the end of its work.
  const next = bootstrap();
  await new Promise<void>((resolve) => {
    next.child.stderr?.on('data', (text: Buffer) => text.includes('another install is at work') && resolve());
  });
  process.kill(npm, 'SIGKILL');
  expect(await next.done).toMatchObject({ code: 0, stdout: 'hello world\n' });
});

test(
  'A lock whose owner ended without being waited for is in nobody’s way',
  { skip: process.platform !== 'linux' },
  async () => {
    // The shell becomes a program that waits for nobody.
    const parent = start('sh', ['-c', 'sleep 0.3 & echo "pid $!"; exec sleep 60']);
    await parent.untilSays('\n');
    const zombie = /\d+/u.exec(parent.said())?.[0] ?? '';
    await expect.poll(() => readFileSync(`/proc/${zombie}/stat`, 'latin1')).toContain(') Z');
    await write(`.install-lock/${zombie}`, '');
    const { code, stderr } = await bootstrap().done;
    parent.child.kill();
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('another install')]);
  },
);

test(
  'A lock that names the command’s own number is of a process before it',
  { skip: process.platform === 'win32' },
  async () => {
    const words = `mkdir -p .install-lock && touch .install-lock/$$ && exec "${process.execPath}" src/bootstrap.mjs run hello world`;
    const env = { ...process.env, npm_config_offline: 'true' };
    const { code, stderr } = await start('sh', ['-c', words], { cwd: root, env }).done;
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('another install')]);
  },
);

test('Ctrl-C during the install ends npm too and leaves nothing in the way', async () => {
  const { child, npm } = await startHanging();
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([130, null]);
  expect(() => process.kill(npm, 0)).toThrow();
  expect(await bootstrap().done).toMatchObject({ code: 0, stdout: 'hello world\n' });
});

test('An install that fails says so, and the next command tries again', async () => {
  await write('failing-npm.cjs', 'process.exit(7)');
  const failed = await bootstrap({ npm_execpath: join(root, 'failing-npm.cjs') }).done;
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('the install failed') });
  expect(await bootstrap().done).toMatchObject({ code: 0, stdout: 'hello world\n' });
});

test('Settings of the user that leave packages out do not matter', async () => {
  expect(await bootstrap({ npm_config_omit: 'dev', NODE_ENV: 'production' }).done).toMatchObject({ code: 0 });
});

test('Where npm may run no scripts, the error says what to do', async () => {
  const { code, stderr } = await bootstrap({ npm_config_ignore_scripts: 'true' }).done;
  expect(code).toBe(1);
  expect(stderr).toContain('npm_config_ignore_scripts=false');
  expect(await bootstrap({ npm_config_ignore_scripts: 'false' }).done).toMatchObject({ code: 0 });
  expect(await bootstrap({ npm_config_ignore_scripts: 'true' }).done).toMatchObject({ code: 0, stderr: '' });
});

test('The command runs where its user is: where npm was called, or in the folder of the shell', async () => {
  await write('src/main.ts', 'console.log(process.cwd());');
  const elsewhere = await realpath(await mkdtemp(join(tmpdir(), 'sealgate bootstrap ')));
  try {
    const words = [join(root, 'src/bootstrap.mjs'), 'sealgate'];
    const { INIT_CWD: _npms, ...env }: NodeJS.ProcessEnv = { ...process.env, npm_config_offline: 'true' };
    const [called, shell] = [{ env: { ...env, INIT_CWD: elsewhere } }, { env, cwd: elsewhere }];
    for (const options of [called, shell])
      expect(await start(process.execPath, words, options).done).toMatchObject({ code: 0, stdout: `${elsewhere}\n` });
  } finally {
    await rm(elsewhere, { recursive: true });
  }
});
