/**
 * Ceph RGW for end-to-end tests: a one-node cluster in a temporary directory, by the script in the shared tools. Where Ceph is
 * not installed the tests are skipped with the reason.
 */
import { execFile } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/cli/demo/servers.ts';
import { missing, RADOSGW_SCRIPT } from './programs.ts';

const run = promisify(execFile);

const PROGRAMS = ['radosgw', 'ceph-mon', 'ceph-osd', 'radosgw-admin', 'ceph', 'monmaptool', 'curl'];
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
  const script = RADOSGW_SCRIPT;
  const reason = (await exists(script)) ? missing(...PROGRAMS) : `${script} is not there`;
  if (reason !== undefined) return { type: 'none', reason };
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

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
