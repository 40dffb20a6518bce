/** Ceph RGW for end-to-end tests, a cluster of the run's pool. Where Ceph is not installed the tests are skipped with the reason. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { missing, RADOSGW_SCRIPT } from '../programs.ts';
import { startCluster, TESTER } from './radosgw-cluster.ts';
import { POOL_VARIABLE, type Lease } from './radosgw-pool.ts';

const PROGRAMS = ['radosgw', 'ceph-mon', 'ceph-osd', 'radosgw-admin', 'ceph', 'monmaptool', 'curl'];

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

/**
 * A cluster without buckets that nobody else uses meanwhile, or why there is none. `isOwn`: one that is started for this
 * and ends with it, for whoever changes its settings or fills it, and outside of vitest. Call `stop` in afterAll.
 */
export async function startRadosgw(isOwn = false): Promise<TestRadosgw | NoRadosgw> {
  const reason = existsSync(RADOSGW_SCRIPT) ? missing(...PROGRAMS) : `${RADOSGW_SCRIPT} is not there`;
  if (reason !== undefined) return { type: 'none', reason };
  const pool = process.env[POOL_VARIABLE];
  if (pool !== undefined && !isOwn) return lease(Number(pool));
  const cluster = await startCluster();
  if (typeof cluster === 'string') return { type: 'none', reason: cluster };
  const { endpoint, directory } = cluster;
  return { type: 'running', endpoint, ...TESTER, directory, stop: () => cluster.stop() };
}

async function lease(port: number): Promise<TestRadosgw | NoRadosgw> {
  const socket = connect(port, '127.0.0.1');
  const closed = once(socket, 'close');
  for await (const line of createInterface(socket)) {
    const given = JSON.parse(line) as Lease; // The pool's own words.
    if (typeof given === 'string') return { type: 'none', reason: given };
    // Whoever forgets to give it back does so at the end of the process.
    socket.unref();
    const stop = async (): Promise<void> => {
      socket.ref().resume().end();
      // Whoever comes next finds it emptied.
      await closed;
    };
    return { type: 'running', ...given, ...TESTER, stop };
  }
  throw new Error('the pool of clusters gave none');
}
