/** `npm run bench -- s3`: GET and PUT of 64 MiB and of 1 KiB, directly, through nginx, and through Sealgate with and without sealing. */
import { randomBytes } from 'node:crypto';
import type { BenchOptions } from '../options.ts';
import type { BackendName } from './backend.ts';
import { compare, table, type Subject } from './compare.ts';
import { objectsAt, type Connection, type Endpoint, type Objects } from './objects.ts';
import { createS3World } from './world.ts';

const MIB = 2 ** 20;
const LARGE_BYTES = 64 * MIB;
const SMALL_BYTES = 1024;
const SMALL_KEYS = 50;
/** So that a run lasts long enough for the clock: a few hundred milliseconds. */
const LARGE_TIMES = 6;
const SMALL_TIMES = { store: 3000, s3rver: 500, radosgw: 500 };
const SMALL_AT_ONCE = 8;
/** The engine compiles what is hot, and what it compiles again and again, in the first ten thousand requests: they cost half as much again as those that follow. */
const SMALL_UNMEASURED = 4;

type Direction = 'put' | 'get';
type Ready = { readonly endpoint: Endpoint; readonly objects: Objects };

export async function benchS3({ rounds, say, print }: BenchOptions, backend: BackendName): Promise<void> {
  const world = await createS3World(backend);
  try {
    if (world.nginx === undefined) say('nginx is not installed: measured without it');
    print(`\n## S3, backend: ${world.backend.about}`);
    const ready: Ready[] = [];
    for (const endpoint of world.endpoints) ready.push({ endpoint, objects: await prepared(endpoint) });
    for (const direction of ['put', 'get'] as const)
      print(
        table(
          `${direction.toUpperCase()} of 64 MiB, one after another`,
          'MiB',
          await compare(ready.map(largeSubject(direction)), rounds),
          'nginx',
        ),
      );
    for (const direction of ['put', 'get'] as const)
      print(
        table(
          `${direction.toUpperCase()} of 1 KiB, ${SMALL_AT_ONCE} at a time`,
          'requests',
          await compare(ready.map(smallSubject(direction, SMALL_TIMES[backend])), rounds, SMALL_UNMEASURED),
          'nginx',
        ),
      );
  } finally {
    await world.close();
  }
}

const smallKey = (index: number): string => `small-${index % SMALL_KEYS}`;

async function prepared(endpoint: Endpoint): Promise<Objects> {
  const objects = objectsAt(endpoint);
  await objects.prepare(['large', ...Array.from({ length: SMALL_KEYS }, (_, index) => smallKey(index))]);
  return objects;
}

const large = randomBytes(LARGE_BYTES);
const small = randomBytes(SMALL_BYTES);

const largeSubject =
  (direction: Direction) =>
  ({ endpoint: { name, pid }, objects }: Ready): Subject => ({
    name,
    pid,
    run: async () => {
      const connection = objects.connect();
      for (let time = 0; time < LARGE_TIMES; time += 1) await transfer(connection, direction, 'large', large);
      connection.close();
      return (LARGE_BYTES * LARGE_TIMES) / MIB;
    },
  });

const smallSubject =
  (direction: Direction, times: number) =>
  ({ endpoint: { name, pid }, objects }: Ready): Subject => ({
    name,
    pid,
    run: async () => {
      let next = 0;
      const worker = async (): Promise<void> => {
        const connection = objects.connect();
        for (let mine = next++; mine < times; mine = next++)
          await transfer(connection, direction, smallKey(mine), small);
        connection.close();
      };
      await Promise.all(Array.from({ length: SMALL_AT_ONCE }, worker));
      return times;
    },
  });

const transfer = (connection: Connection, direction: Direction, key: string, body: Uint8Array): Promise<void> =>
  direction === 'put' ? connection.put(key, body) : connection.get(key, body.length);
