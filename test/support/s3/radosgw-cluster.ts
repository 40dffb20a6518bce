/**
 * A one-node Ceph cluster with RGW in a temporary directory, by the script in the shared tools. A shell keeps it, in a session of its own: it
 * wipes the cluster when its standard input ends, which it does when it is told to and when whoever started it is gone, however that went.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { freePort } from '../../../src/cli/demo/servers.ts';
import { RADOSGW_SCRIPT } from '../programs.ts';

export type RadosgwCluster = {
  readonly endpoint: string;
  /** Where it keeps its state. */
  readonly directory: string;
  /** Removes all buckets of all users, whatever is in them; rejects where one stays. */
  empty(): Promise<void>;
  /** Ends it and removes all of it. */
  stop(): Promise<void>;
  /** Keeps this process no longer from ending, which ends the cluster too. */
  unref(): void;
};

/** The script's user, as in the sample configuration of ceph/s3-tests. */
export const TESTER = {
  accessKeyId: '0555b35654ad1656d804',
  secretAccessKey: 'h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q==',
};

/** With a bucket that takes longer a new cluster is sooner there. */
const ADMIN_TIMEOUT_MS = 60_000;

const KEEPER = 'bash "$0" start </dev/null; exec >/dev/null; cat; bash "$0" wipe; rm -rf "$D"';

/** Starts one (about 20 seconds), or gives the reason why it did not start. */
export async function startCluster(): Promise<RadosgwCluster | string> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-rgw-'));
  const [rgw, mon1, mon2] = await Promise.all([freePort(), freePort(), freePort()]);
  const env = { ...process.env, D: directory, RGW_PORT: String(rgw), MON1: String(mon1), MON2: String(mon2) };
  const keeper = spawn('bash', ['-c', KEEPER, RADOSGW_SCRIPT], {
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exited = once(keeper, 'exit');
  const stop = async (): Promise<void> => {
    keeper.ref();
    keeper.stdin.end();
    await exited;
  };
  const state = await text(keeper.stdout);
  // Nobody's end waits for it.
  keeper.unref();
  if (state === '' || state.includes('DOWN')) {
    await stop();
    return `the cluster did not start: ${state.replaceAll('\n', ', ')}`;
  }
  const admin = async (...words: readonly string[]): Promise<string> => {
    const as = ['-c', join(directory, 'ceph.conf'), '-n', 'client.rgw.main'];
    return (await promisify(execFile)('radosgw-admin', [...as, ...words], { timeout: ADMIN_TIMEOUT_MS })).stdout;
  };
  const buckets = async (): Promise<readonly string[]> => JSON.parse(await admin('bucket', 'list')) as string[]; // Its form.
  const empty = async (): Promise<void> => {
    for (const bucket of await buckets()) await admin('bucket', 'rm', `--bucket=${bucket}`, '--purge-objects');
    const left = await buckets();
    if (left.length > 0) throw new Error(`cannot be removed: ${left.join(', ')}`);
  };
  return { endpoint: `http://127.0.0.1:${rgw}`, directory, empty, stop, unref: () => void keeper.unref() };
}
