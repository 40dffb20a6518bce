/**
 * `npm run bench -- workers`: the same work for one worker and for `workers: auto`, one for each core. On a machine whose cores client and
 * store need as well the rates say little; what the workers had of the cores does.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { BenchOptions } from '../options.ts';
import type { BackendName } from './backend.ts';
import { compare, table, type Subject } from './compare.ts';
import { objectsAt, type Connection, type Endpoint, type Objects } from './objects.ts';
import { createS3World, type S3World } from './world.ts';

const MIB = 2 ** 20;
const SIZES = [
  { name: '64 MiB', bytes: 64 * MIB, requests: 16 },
  { name: '1 KiB', bytes: 1024, requests: 4000 },
] as const;
const AT_ONCE = 16;

export async function benchScaling({ rounds, print }: BenchOptions, backend: BackendName): Promise<void> {
  const worlds: S3World[] = [];
  try {
    const ready: { readonly name: string; readonly endpoint: Endpoint; readonly objects: Objects }[] = [];
    for (const workers of ['1', 'auto']) {
      const world = await createS3World(backend, { workers });
      worlds.push(world);
      const endpoint = world.endpoints.find(({ bucket }) => bucket === 'sealed');
      if (endpoint === undefined) throw new Error('no sealed bucket');
      const objects = objectsAt(endpoint);
      await objects.prepare(SIZES.map(({ name }) => name));
      ready.push({ name: `workers: ${workers}`, endpoint, objects });
    }
    print(`\n## Workers, ${availableParallelism()} cores, backend: ${worlds[0]?.backend.about ?? ''}`);
    for (const size of SIZES)
      for (const direction of ['put', 'get'] as const) {
        const body = randomBytes(size.bytes);
        const subjects = ready.map(({ name, endpoint, objects }): Subject => ({
          name,
          pid: endpoint.pid,
          run: () => transfers(objects, size, (connection) => transfer(connection, direction, size.name, body)),
        }));
        const title = `${direction.toUpperCase()} of ${size.name}, ${AT_ONCE} at a time`;
        print(table(title, 'requests', await compare(subjects, rounds), 'workers: 1'));
      }
  } finally {
    for (const world of worlds) await world.close();
  }
}

async function transfers(
  objects: Objects,
  { requests }: (typeof SIZES)[number],
  work: (connection: Connection) => Promise<void>,
): Promise<number> {
  let left: number = requests;
  const worker = async (): Promise<void> => {
    const connection = objects.connect();
    for (; left > 0;) {
      left -= 1;
      await work(connection);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return requests;
}

const transfer = (connection: Connection, direction: 'put' | 'get', key: string, body: Uint8Array): Promise<void> =>
  direction === 'put' ? connection.put(key, body) : connection.get(key, body.length);
