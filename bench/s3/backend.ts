/** What Sealgate and nginx stand in front of: the bench's own store by default, or a real one, whose own cost then dominates. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startRadosgw } from '../../test/support/s3/radosgw.ts';

export type Backend = {
  readonly about: string;
  readonly port: number;
  readonly pid: number | undefined;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly stop: () => Promise<void>;
};

export type BackendName = 'store' | 's3rver' | 'radosgw';

export async function startBackend(name: BackendName): Promise<Backend> {
  if (name === 'radosgw') return startCeph();
  return startChild(name === 'store' ? 'store.ts' : 's3rver.ts', name);
}

/** Each in a process of its own, so that it takes no time from who measures it. */
async function startChild(script: string, name: 'store' | 's3rver'): Promise<Backend> {
  const child = fork(join(import.meta.dirname, script), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return {
    about: name === 'store' ? "the bench's own store in memory, which checks no signatures" : 's3rver',
    port: message.port,
    pid: child.pid,
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    stop: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

async function startCeph(): Promise<Backend> {
  const ceph = await startRadosgw();
  if (ceph.type === 'none') throw new Error(`Ceph RGW cannot be started: ${ceph.reason}`);
  const { endpoint, accessKeyId, secretAccessKey } = ceph;
  return {
    about: 'Ceph RGW',
    port: Number(new URL(endpoint).port),
    pid: undefined,
    accessKeyId,
    secretAccessKey,
    stop: () => ceph.stop(),
  };
}
