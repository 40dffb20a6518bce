/**
 * `npm run bench -- memory`: the largest resident size of a worker while 200 objects of 64 MiB are put, 200 are got, and both are, all at
 * once, sealed; and while parts of 5 GiB are: before a store that takes and gives as fast as it is asked.
 */
import { randomBytes } from 'node:crypto';
import type { BenchOptions } from '../options.ts';
import type { BackendName } from './backend.ts';
import { peakMemory } from '../cost.ts';
import { objectsAt, type Connection, type Endpoint } from './objects.ts';
import { signed } from './signed.ts';
import { WireClient } from './wire-client.ts';
import { createS3World } from './world.ts';

const MIB = 2 ** 20;
const BYTES = 64 * MIB;
const AT_ONCE = 200;
/** What S3 takes at most, and what a part costs comes on top: one piece less. */
const PART_PIECES = (5 * 1024 * MIB) / BYTES - 1;
const PARTS_AT_ONCE = 4;

export async function benchMemory({ print, say }: BenchOptions, backend: BackendName): Promise<void> {
  const world = await createS3World(backend, { workers: '1' });
  try {
    const endpoint = world.endpoints.find(({ bucket }) => bucket === 'sealed');
    if (endpoint === undefined) throw new Error('no sealed bucket');
    const rows: (readonly [string, string])[] = [];
    const note = async (what: string): Promise<void> => {
      const value = await peakMemory(world.sealgate.pid);
      rows.push([what, value === undefined ? 'not known here' : `${value.toFixed(0)} MiB`]);
      say(rows.at(-1)?.join(': ') ?? '');
    };
    await note('at start');
    await streams(endpoint, note);
    // The bench's own store alone takes parts for nothing.
    if (backend === 'store') {
      await largeParts(endpoint);
      await note(`then ${PARTS_AT_ONCE} parts of 5 GiB at once`);
    }
    const lines = rows.map(([what, value]) => `| ${what} | ${value} |`).join('\n');
    print(
      `\n### Largest resident memory of a worker so far, sealed, backend: ${world.backend.about}\n\n| | |\n| --- | --- |\n${lines}`,
    );
  } finally {
    await world.close();
  }
}

async function streams(endpoint: Endpoint, note: (what: string) => Promise<void>): Promise<void> {
  const objects = objectsAt(endpoint);
  // The bench's own store does not keep what lies below sink/.
  const puts = Array.from({ length: AT_ONCE }, (_, index) => `sink/${index}`);
  await objects.prepare(['source', ...puts]);
  const body = randomBytes(BYTES);
  await atOnce(objects.connect, puts, (connection, key) => connection.put(key, body));
  await note(`${AT_ONCE} PUTs of 64 MiB at once`);
  await atOnce(objects.connect, ['source'], (connection, key) => connection.put(key, body));
  const gets = puts.map(() => 'source');
  await atOnce(objects.connect, gets, (connection, key) => connection.get(key, BYTES));
  await note(`then ${AT_ONCE} GETs`);
  const half = AT_ONCE / 2;
  await atOnce(objects.connect, [...puts.slice(half), ...gets.slice(half)], (connection, key) =>
    key === 'source' ? connection.get(key, BYTES) : connection.put(key, body),
  );
  await note(`then ${half} of each`);
}

async function largeParts(endpoint: Endpoint): Promise<void> {
  const key = 'sink/large';
  const creating = new WireClient(endpoint.port, endpoint);
  const created = await creating.send(signed(endpoint, { method: 'POST', key, query: { uploads: '' } }), true);
  creating.close();
  const uploadId = /<UploadId>([^<]+)</u.exec(created.text)?.[1];
  if (uploadId === undefined) throw new Error(`no upload: ${created.status} ${created.text}`);
  const body = randomBytes(BYTES);
  const part = async (_: unknown, index: number): Promise<void> => {
    const query = { partNumber: String(index + 1), uploadId };
    const client = new WireClient(endpoint.port, endpoint);
    const { status, text } = await client.send(
      signed(endpoint, { method: 'PUT', key, query, body, times: PART_PIECES }),
    );
    client.close();
    if (status !== 200) throw new Error(`a part was answered ${status}: ${text}`);
  };
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, part));
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
