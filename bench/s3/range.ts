/** `npm run bench -- range`: how long it takes to get 64 KiB out of the middle of an object of 1 GiB, one request after the other. */
import { randomInt } from 'node:crypto';
import type { BenchOptions } from '../options.ts';
import type { BackendName } from './backend.ts';
import { latencyTable, timed, type Timed } from './latency.ts';
import type { Endpoint } from './objects.ts';
import { signed } from './signed.ts';
import { WireClient } from './wire-client.ts';
import { createS3World, type S3World } from './world.ts';

const MIB = 2 ** 20;
const OBJECT_BYTES = 1024 * MIB;
const RANGE_BYTES = 64 * 1024;
const REQUESTS = 200;
/** Until the engine has compiled what a range needs. */
const UNMEASURED = 2000;

export async function benchRange({ rounds, print, say }: BenchOptions, backend: BackendName): Promise<void> {
  const world = await createS3World(backend);
  try {
    say('putting two objects of 1 GiB');
    for (const name of ['direct', 'sealgate, sealed']) await putLarge(named(world, name));
    const clients: WireClient[] = [];
    const targets = world.endpoints.map((endpoint): Timed => {
      const client = new WireClient(endpoint.port, endpoint);
      clients.push(client);
      return { name: endpoint.name, run: () => getRange(client, endpoint) };
    });
    const samples = await timed(targets, rounds, REQUESTS, UNMEASURED);
    for (const client of clients) client.close();
    print(latencyTable(`64 KiB out of 1 GiB, backend: ${world.backend.about}`, targets, samples, 'direct'));
  } finally {
    await world.close();
  }
}

function named({ endpoints }: S3World, name: string): Endpoint {
  const endpoint = endpoints.find((one) => one.name === name);
  if (endpoint === undefined) throw new Error(`nothing is called ${name}`);
  return endpoint;
}

async function putLarge(endpoint: Endpoint): Promise<void> {
  const client = new WireClient(endpoint.port, endpoint);
  const body = Buffer.alloc(64 * MIB, 'sixteen letters.');
  const times = OBJECT_BYTES / body.length;
  const { status, text } = await client.send(signed(endpoint, { method: 'PUT', key: 'large', body, times }));
  client.close();
  if (status !== 200) throw new Error(`${endpoint.name} answered ${status}: ${text}`);
}

async function getRange(client: WireClient, endpoint: Endpoint): Promise<void> {
  const from = randomInt(0, OBJECT_BYTES - RANGE_BYTES);
  const headers = { range: `bytes=${from}-${from + RANGE_BYTES - 1}` };
  const { status, bytes, text } = await client.send(signed(endpoint, { method: 'GET', key: 'large', headers }));
  if (status !== 206 || bytes !== RANGE_BYTES)
    throw new Error(`${endpoint.name} answered ${status}: ${text.slice(0, 300)}`);
}
