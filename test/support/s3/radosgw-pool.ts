/**
 * Ceph clusters that outlive a test file: to start one takes longer than most files that want one. This is a `globalSetup` of vitest, in the
 * process of the whole run: a test asks for a cluster over a loopback port (`radosgw.ts`), has one alone until it ends the connection, and
 * finds no buckets in it. There are as many clusters as are in use at once, and none before somebody asks.
 */
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster, type RadosgwCluster } from './radosgw-cluster.ts';

/** The port, for the processes that the tests run in. */
export const POOL_VARIABLE = 'SEALGATE_TEST_RADOSGW_POOL';

/** What is said over the connection, once, as JSON on a line; the reason where there is no cluster. */
export type Lease = { readonly endpoint: string; readonly directory: string } | string;

/** What a cluster may have written, of the 10 GiB that it has: the next file gets another. */
const SPENT_BYTES = 4 * 1024 ** 3;
/** vitest's patience with a teardown is ten seconds; whoever keeps a cluster wipes it also without us. */
const TEARDOWN_MS = 8_000;

const clusters = new Set<RadosgwCluster>();
const free: RadosgwCluster[] = [];
let server: Server | undefined;

export async function setup(): Promise<void> {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    void serve(socket).catch((error: unknown) => socket.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  process.env[POOL_VARIABLE] = String((server.address() as AddressInfo).port); // A listening TCP server has an address object.
}

export async function teardown(): Promise<void> {
  server?.close();
  const stopped = Promise.all([...clusters].map((cluster) => cluster.stop()));
  // Where all have stopped, the rest of that time would be waited for at the end of every run.
  await Promise.race([stopped, sleep(TEARDOWN_MS, undefined, { ref: false })]);
  for (const cluster of clusters) cluster.unref();
}

async function serve(socket: Socket): Promise<void> {
  const back = once(socket.resume(), 'end').catch(() => undefined);
  const cluster = free.pop() ?? (await startCluster());
  if (typeof cluster === 'string') {
    socket.end(line(cluster));
    return;
  }
  clusters.add(cluster);
  socket.write(line({ endpoint: cluster.endpoint, directory: cluster.directory }));
  // It comes back with the end of what they say, or of them.
  await back;
  if (await isOfUse(cluster)) free.push(cluster);
  else await retire(cluster);
  socket.end();
}

/** Whether it could be emptied, which one that is broken cannot, and has room for more. */
async function isOfUse(cluster: RadosgwCluster): Promise<boolean> {
  try {
    await cluster.empty();
    // The file that its one disk is, which never shrinks.
    return (await stat(join(cluster.directory, 'osd', 'block'))).blocks * 512 < SPENT_BYTES;
  } catch {
    return false;
  }
}

async function retire(cluster: RadosgwCluster): Promise<void> {
  clusters.delete(cluster);
  await cluster.stop();
}

const line = (lease: Lease): string => `${JSON.stringify(lease)}\n`;
