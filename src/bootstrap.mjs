#!/usr/bin/env node
/**
 * From a fresh clone to a running command, on any Node from 20: installs what is missing, then runs the command on the
 * Node that the project pins (npm package `node`), so that the machine's own version does not matter. Plain JavaScript
 * without dependencies: it runs before anything is installed.
 *
 *   node src/bootstrap.mjs sealgate <arguments>   the command, from the sources
 *   node src/bootstrap.mjs run <tool> <arguments> a tool of node_modules/.bin
 *   node src/bootstrap.mjs steps "<tool …>" "<tool …>"   several, stopping at the first that fails
 */
import { spawnSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.sealgate-installed');
const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

const wanted = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(`${process.platform} ${process.arch}`)
    .digest('hex');

const installed = () => existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted();

/** One install at a time: two first commands started together would otherwise tear each other's node_modules apart. */
function withInstallLock(work) {
  const lock = join(root, '.install-lock');
  for (let waited = 0; ; waited += 1) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      // A lock older than ten minutes belongs to an install that was killed.
      if (Date.now() - statSync(lock).mtimeMs > 600_000) rmSync(lock, { recursive: true, force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    }
  }
  try {
    return work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function install() {
  if (installed()) return;
  process.stderr.write('sealgate: installing packages (once, about a minute) …\n');
  // Through the npm that started us where there is one, so that no second npm is needed on the PATH.
  const npm = process.env.npm_execpath;
  const words = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const how = { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, NODE_ENV: '' } };
  const result =
    npm && /\.c?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...words], how)
      : spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', words, how);
  if (result.status !== 0 || !existsSync(node)) {
    process.stderr.write('sealgate: the install failed; see the lines above (npm needs its registry for this step)\n');
    process.exit(1);
  }
  writeFileSync(stamp, wanted());
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20) {
  process.stderr.write(`sealgate: needs Node 20 or newer to start, this is ${major}.${minor}\n`);
  process.exit(1);
}
if (!installed()) withInstallLock(install);

const env = {
  ...process.env,
  PATH: [join(modules, 'node', 'bin'), join(modules, '.bin'), process.env.PATH].join(delimiter),
};

/** The script behind a tool of node_modules/.bin: npm's links point at it. */
function commandFor(words) {
  const [tool, ...rest] = words;
  // The Node itself is a binary, no script: what follows is the script.
  if (tool === 'node') return rest;
  if (tool === 'sealgate') return [join(root, 'src', 'main.ts'), ...rest];
  return [join(modules, '.bin', tool), ...rest];
}

/** Runs one command to its end; signals reach it through us, since npm may signal us alone. */
function run(words) {
  return new Promise((resolve) => {
    const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...commandFor(words)], {
      stdio: 'inherit',
      env,
      cwd: process.env.INIT_CWD && words[0] === 'sealgate' ? process.env.INIT_CWD : root,
    });
    const pass = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
    child.on('exit', (code, signal) => resolve(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)));
  });
}

const [mode, ...words] = process.argv.slice(2);
const list = mode === 'steps' ? words.map((line) => line.split(' ')) : mode === 'run' ? [words] : [[mode, ...words]];
for (const step of list) {
  if (mode === 'steps') process.stderr.write(`\n> ${step.join(' ')}\n`);
  const code = await run(step);
  if (code !== 0) process.exit(code);
}
