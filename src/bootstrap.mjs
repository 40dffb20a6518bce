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
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.sealgate-installed');
const lock = join(root, '.install-lock');
const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const wanted = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(`${process.platform} ${process.arch}`)
    .digest('hex');

const installed = () => existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted();

const say = (text) => void process.stderr.write(`sealgate: ${text}\n`);

function fail(text) {
  say(text);
  process.exit(1);
}

/** Whether a process is there, be it another user's, and still runs. */
function alive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return !isZombie(pid);
}

/** Ended, and never waited for, as in a container whose first process reaps nobody: it answers signals for ever. Linux tells. */
function isZombie(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before it may hold anything, parentheses too.
    return stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
  } catch {
    return false;
  }
}

/** Whether everybody who worked under the lock is gone without having taken it away: killed. */
function abandoned() {
  try {
    const pids = readdirSync(lock).map(Number);
    // A number of our own is of a process before us, as in a container that was started anew.
    const others = pids.filter((pid) => pid !== process.pid);
    // Empty: its maker is about to write its name, or was killed before it could.
    return pids.length === 0 ? Date.now() - statSync(lock).mtimeMs > 10_000 : !others.some(alive);
  } catch {
    return false;
  }
}

/** One install at a time: two first commands started together would otherwise tear each other's node_modules apart. */
async function takeLock() {
  for (let waited = 0; ; waited += 1) {
    try {
      mkdirSync(lock);
      return writeFileSync(join(lock, String(process.pid)), '');
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`cannot install packages in ${root}: ${error.message}`);
    }
    if (abandoned()) {
      rmSync(lock, { recursive: true, force: true });
      continue;
    }
    if (waited === 0) say(`another install is at work here; waiting for it (${lock}) …`);
    await sleep(300);
  }
}

const dropLock = () => rmSync(lock, { recursive: true, force: true });

/** Through the npm that started us where there is one, so that no second npm is needed on the PATH. */
function startNpm() {
  const npm = process.env.npm_execpath;
  // Whatever the user's settings leave out (omit=dev, production), the commands of a checkout need all of it.
  const words = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const how = { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, NODE_ENV: '' } };
  return npm && /\.c?js$/.test(npm)
    ? spawn(process.execPath, [npm, ...words], how)
    : spawn('npm', words, { ...how, shell: process.platform === 'win32' });
}

async function install() {
  await takeLock();
  // Somebody else may have done it while we waited.
  if (installed()) return dropLock();
  say('installing packages (once, about a minute) …');
  const npm = startNpm();
  // Were we killed and npm not, its work would still be going on.
  if (npm.pid !== undefined) writeFileSync(join(lock, String(npm.pid)), '');
  const code = await finished(npm);
  if (code === 0 && existsSync(node)) writeFileSync(stamp, wanted());
  dropLock();
  if (code > 128) process.exit(code);
  if (code !== 0) fail('the install failed; see the lines above (npm needs its registry for this step)');
  if (!existsSync(node))
    fail(
      'npm did not run the install script that fetches Node (is `ignore-scripts` set?): run the same command once with npm_config_ignore_scripts=false',
    );
}

/** The exit code of a child; signals reach it through us, since npm may signal us alone. */
function finished(child) {
  return new Promise((resolve) => {
    const pass = (signal) => child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, pass);
    const end = (code) => {
      for (const signal of SIGNALS) process.off(signal, pass);
      resolve(code);
    };
    child.on('error', (error) => {
      say(`cannot start ${child.spawnfile}: ${error.message}`);
      end(1);
    });
    child.on('exit', (code, signal) => end(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)));
  });
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20) {
  fail(`needs Node 20 or newer to start, this is ${major}.${minor}`);
}
if (!installed()) await install();

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

/** Runs one command to its end. */
function run(words) {
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...commandFor(words)], {
    stdio: 'inherit',
    env,
    cwd: words[0] === 'sealgate' ? process.env.INIT_CWD || process.cwd() : root,
  });
  return finished(child);
}

const [mode, ...words] = process.argv.slice(2);
const list = mode === 'steps' ? words.map((line) => line.split(' ')) : mode === 'run' ? [words] : [[mode, ...words]];
for (const step of list) {
  if (mode === 'steps') process.stderr.write(`\n> ${step.join(' ')}\n`);
  const code = await run(step);
  if (code !== 0) process.exit(code);
}
