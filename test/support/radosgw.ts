/**
 * Ceph RGW for end-to-end tests: a one-node cluster in a temporary directory, by the script in the shared tools. Where Ceph is not
 * installed and can be (root on Debian), it is installed; else the tests are skipped with the reason.
 */
import { execFile } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PACKAGES = ['radosgw', 'ceph-mon', 'ceph-osd'];
const PROGRAMS = ['radosgw', 'ceph-mon', 'ceph-osd', 'radosgw-admin', 'ceph', 'monmaptool', 'curl'];
const INSTALL_TIMEOUT_MS = 240_000;
const START_TIMEOUT_MS = 150_000;

export type TestRadosgw = {
  readonly type: 'running';
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where the cluster keeps its state. */
  readonly directory: string;
  stop(): Promise<void>;
};

export type NoRadosgw = { readonly type: 'none'; readonly reason: string };

/** Starts a cluster (about 20 seconds), or says why there is none. Call `stop` in afterAll. */
export async function startRadosgw(): Promise<TestRadosgw | NoRadosgw> {
  const script = resolve(process.env['SEALGATE_SHARED'] ?? '../shared', 'tools/radosgw.sh');
  const missing = (await exists(script)) ? await ensureInstalled() : `${script} is not there`;
  if (missing !== undefined) return { type: 'none', reason: missing };
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-rgw-'));
  const [rgw, mon1, mon2] = await Promise.all([freePort(), freePort(), freePort()]);
  const env = { ...process.env, D: directory, RGW_PORT: String(rgw), MON1: String(mon1), MON2: String(mon2) };
  const stop = async (): Promise<void> => {
    await run('bash', [script, 'wipe'], { env, timeout: START_TIMEOUT_MS });
    await rm(directory, { recursive: true, force: true });
  };
  const state = await run('bash', [script, 'start'], { env, timeout: START_TIMEOUT_MS }).then(
    ({ stdout }) => stdout,
    () => 'DOWN',
  );
  if (state.includes('DOWN')) {
    await stop();
    return { type: 'none', reason: `the cluster did not start: ${state.replaceAll('\n', ', ')}` };
  }
  return { type: 'running', endpoint: `http://127.0.0.1:${rgw}`, ...TESTER, directory, stop };
}

/** The script's user, as in the sample configuration of ceph/s3-tests. */
const TESTER = {
  accessKeyId: '0555b35654ad1656d804',
  secretAccessKey: 'h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q==',
};

/** Undefined when everything is there, else why not. */
async function ensureInstalled(): Promise<string | undefined> {
  if (await allInstalled()) return undefined;
  if (process.getuid?.() !== 0 || !(await exists('/usr/bin/apt-get'))) {
    return `Ceph is not installed (apt-get install -y --no-install-recommends ${PACKAGES.join(' ')})`;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['update', '-q'], { env, timeout: INSTALL_TIMEOUT_MS });
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...PACKAGES], {
      env,
      timeout: INSTALL_TIMEOUT_MS,
    });
  } catch {
    return `Ceph could not be installed (${PACKAGES.join(' ')})`;
  }
  return (await allInstalled()) ? undefined : 'Ceph is incomplete after installing it';
}

async function allInstalled(): Promise<boolean> {
  const found = await Promise.all(
    PROGRAMS.map((name) =>
      run('which', [name]).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}
