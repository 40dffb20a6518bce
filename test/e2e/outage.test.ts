/** `sealgate up` while its upstreams cannot be reached, and when they can again; and when it is told twice to stop. */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { once } from 'node:events';
import { connect } from 'node:net';
import { writeFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFolder, type CliFolder } from '../support/cli.ts';
import { startPostgres, type TestPostgres } from '../support/postgres/postgres.ts';
import { startRelay, type Relay } from '../support/relay.ts';
import { sealgate, type Program } from '../support/run.ts';
import { createShop } from '../support/postgres/shop-database.ts';
import { startS3rver, type TestStore } from '../support/s3/s3rver.ts';

let cli: CliFolder;
let store: TestStore;
let database: TestPostgres;
let relays: { readonly s3: Relay; readonly postgres: Relay };
let up: Program | undefined;
let ports: { readonly s3: number; readonly postgres: number; readonly observe: number };

const configText = (): string => `version: 1
keys: { unseal: [{ type: keyFile, path: root.key }] }
observe: { listen: { port: 0 }, log: { level: silent } }
s3:
  listen: { port: 0 }
  upstream:
    endpoint: http://127.0.0.1:${relays.s3.port}
    credentials: { type: static, accessKeyId: ${store.accessKeyId}, secretAccessKey: ${store.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: sealed, seal: alias/a }]
postgres:
  listen: { port: 0 }
  upstream: { host: 127.0.0.1, port: ${relays.postgres.port}, tls: { mode: disable } }
  databases: [{ name: shop, service: { user: ${database.superuser}, password: ${database.password} } }]
  columns: [{ column: shop.public.people.name, type: text, key: alias/a, mode: deterministic }]
`;

async function startUp(): Promise<void> {
  const program = sealgate(['up'], { cwd: cli.folder });
  await program.untilSays('observe ');
  const portOf = (name: string): number =>
    Number(new RegExp(`^${name} +\\w+://127.0.0.1:(\\d+)`, 'mu').exec(program.said())?.[1]);
  ports = { s3: portOf('s3'), postgres: portOf('postgres'), observe: portOf('observe') };
  up = program;
}

beforeAll(async () => {
  cli = cliFolder();
  [store, database] = await Promise.all([startS3rver({ buckets: ['sealed'] }), startPostgres()]);
  const [s3, postgres] = await Promise.all([startRelay(Number(new URL(store.url).port)), startRelay(database.port)]);
  relays = { s3, postgres };
  await cli.run('init');
  writeFileSync(cli.path('sealgate.yaml'), configText());
  expect((await cli.run('keys', 'create', '--alias', 'a')).exit).toBe(0);
  await createShop(database, cli, 'create table people (id int primary key, name text)');
  await startUp();
});

afterAll(async () => {
  up?.child.kill('SIGKILL');
  await up?.done;
  await Promise.all([relays.s3.cut(), relays.postgres.cut()]);
  await Promise.all([store.close(), database.stop()]);
  cli[Symbol.dispose]();
});

const client = (): S3Client =>
  new S3Client({
    endpoint: `http://127.0.0.1:${ports.s3}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'APP', secretAccessKey: 'application-secret' },
    forcePathStyle: true,
    maxAttempts: 1,
  });

async function readBack(): Promise<string | undefined> {
  const { Body } = await client().send(new GetObjectCommand({ Bucket: 'sealed', Key: 'k' }));
  return Body?.transformToString();
}

async function find(name: string): Promise<readonly unknown[]> {
  const sql = new pg.Client({
    host: '127.0.0.1',
    port: ports.postgres,
    user: database.superuser,
    password: database.password,
    database: 'shop',
  });
  await sql.connect();
  try {
    return (await sql.query<{ name: string }>('select name from people where name = $1', [name])).rows;
  } finally {
    await sql.end();
  }
}

const readiness = async (): Promise<number> => (await fetch(`http://127.0.0.1:${ports.observe}/readyz`)).status;
const soon = { timeout: 60_000, interval: 250 };

test('What cannot be reached is an error while it lasts, and over when it is over', async () => {
  await client().send(new PutObjectCommand({ Bucket: 'sealed', Key: 'k', Body: 'words' }));
  expect([await readiness(), await find('Ann')]).toEqual([200, []]);
  for (const round of [1, 2]) {
    await Promise.all([relays.s3.cut(), relays.postgres.cut()]);
    await expect.poll(readiness, soon).toBe(503);
    await expect(readBack()).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    await expect(find('Ann')).rejects.toMatchObject({ code: expect.stringMatching(/^(08|57)/u) });
    await Promise.all([relays.s3.mend(), relays.postgres.mend()]);
    await expect.poll(readiness, soon).toBe(200);
    expect([round, await readBack(), await find('Ann')]).toEqual([round, 'words', []]);
  }
});

test('A second wish to stop does not wait for what is under way', async () => {
  const upload = connect(ports.s3, '127.0.0.1');
  // A request that never ends; an orderly end waits for it.
  upload.write('PUT /sealed/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n');
  await once(upload, 'connect');
  const idle = new pg.Client({
    host: '127.0.0.1',
    port: ports.postgres,
    user: database.superuser,
    password: database.password,
    database: 'shop',
  });
  idle.on('error', () => undefined);
  await idle.connect();
  await idle.query('begin');
  up?.child.kill('SIGTERM');
  await expect.poll(readiness, soon).toBe(503);
  expect(up?.child.exitCode).toBeNull();
  // One signal that arrives twice, from the terminal and from a parent, is one wish.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  up?.child.kill('SIGINT');
  expect((await up?.done)?.code).toBe(130);
  upload.destroy();
});
