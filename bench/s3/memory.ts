/**
 * `npm run bench -- memory`: the largest resident size of Sealgate while 64 objects of 64 MiB are put, and while 64 are got, all at
 * once, sealed: before a store that takes and gives as fast as it is asked.
 */
import { randomBytes } from 'node:crypto';
import type { BenchOptions } from '../options.ts';
import type { BackendName } from './backend.ts';
import { peakMemory } from '../cost.ts';
import { objectsAt, type Connection } from './objects.ts';
import { createS3World } from './world.ts';

const BYTES = 64 * 2 ** 20;
const AT_ONCE = 64;

export async function benchMemory({ print }: BenchOptions, backend: BackendName): Promise<void> {
  const world = await createS3World(backend);
  try {
    const endpoint = world.endpoints.find(({ bucket }) => bucket === 'sealed');
    if (endpoint === undefined) throw new Error('no sealed bucket');
    const objects = objectsAt(endpoint);
    // The bench's own store does not keep what lies below sink/.
    const puts = Array.from({ length: AT_ONCE }, (_, index) => `sink/${index}`);
    await objects.prepare(['source', ...puts]);
    const body = randomBytes(BYTES);
    const peak = async (): Promise<string> => {
      const value = await peakMemory(world.sealgate.pid);
      return value === undefined ? 'not known here' : `${value.toFixed(0)} MiB`;
    };
    const cells = [await peak()];
    await atOnce(objects.connect, puts, (connection, key) => connection.put(key, body));
    cells.push(await peak());
    await atOnce(objects.connect, ['source'], (connection, key) => connection.put(key, body));
    const gets = puts.map(() => 'source');
    await atOnce(objects.connect, gets, (connection, key) => connection.get(key, BYTES));
    cells.push(await peak());
    await atOnce(objects.connect, [...puts, ...gets], (connection, key) =>
      key === 'source' ? connection.get(key, BYTES) : connection.put(key, body),
    );
    cells.push(await peak());
    print(
      `\n### Largest resident memory of Sealgate so far, sealed, backend: ${world.backend.about}\n
| at start | ${AT_ONCE} PUTs of 64 MiB at once | then ${AT_ONCE} GETs | then ${AT_ONCE} PUTs and ${AT_ONCE} GETs |
| --- | --- | --- | --- |
| ${cells.join(' | ')} |`,
    );
  } finally {
    await world.close();
  }
}

async function atOnce(
  connect: () => Connection,
  keys: readonly string[],
  work: (connection: Connection, key: string) => Promise<void>,
): Promise<void> {
  await Promise.all(
    keys.map(async (key) => {
      const connection = connect();
      await work(connection, key);
      connection.close();
    }),
  );
}
