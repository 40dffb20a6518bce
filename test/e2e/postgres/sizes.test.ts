/** Results, values and messages of any size pass through a running `sealgate up` in bounded memory; what has to be held whole has a limit. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { serialize } from 'pg-protocol';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { applyDdl, install, type Installation } from '../../support/installation.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, statusOf, types } from '../../support/postgres/proxy.ts';
import { skipBecause } from '../../support/skip.ts';

const MIB = 1024 * 1024;
/** `SEALGATE_TEST_MIB=1024` for a gigabyte. */
const LARGE = Number(process.env['SEALGATE_TEST_MIB'] ?? 256) * MIB;
/** PostgreSQL makes no text of a gigabyte. */
const VALUE = Math.min(LARGE, 800 * MIB);
/** What the process may come to hold beyond what it held before: buffers not collected yet, and far less than what passed. */
const MAX_GROWTH = 96 * MIB;
/** Values that are opened and sealed lie outside V8's heap, which lets 64 MiB of such garbage gather before it collects. */
const MAX_GROWTH_SEALED = MAX_GROWTH + 64 * MIB;

let server: TestPostgres;
let installation: Installation;
let direct: pg.Client;
let url: string;
let pid: number;

beforeAll(async () => {
  server = await startPostgres();
  direct = await connectTo(server.url());
  await direct.query("CREATE ROLE sealgate LOGIN PASSWORD 'service-password'");
  await direct.query('CREATE TABLE secrets (id int, note text); CREATE TABLE plain (id int, note text)');
  installation = await install(
    `
postgres:
  listen: { host: 127.0.0.1, port: 0 }
  upstream: { host: ${server.host}, port: ${server.port}, tls: { mode: disable } }
  databases:
    - { name: postgres, service: { user: sealgate, password: service-password } }
  columns:
    - { column: postgres.public.secrets.note, type: text, key: alias/bank }
`,
    ['bank'],
  );
  await applyDdl(installation, server, 'postgres');
  const { ports, program } = await installation.up();
  url = `postgres://postgres:${server.password}@127.0.0.1:${ports['postgres']}/postgres`;
  pid = program.child.pid ?? 0;
});
afterAll(async () => {
  await installation.remove();
  await direct.end();
  await server.stop();
});

/** What is asked for first is answered before anything is measured: a process that has just started grows by itself. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  const before = await peak();
  await work();
  return (await peak()) - before;
}

async function peak(): Promise<number> {
  const [, kib = ''] = /VmHWM:\s*(\d+)/u.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

/** How many bytes come up to a ReadyForQuery; none of them is kept. */
async function counted(client: RawClient, ...frames: readonly Uint8Array[]): Promise<number> {
  const { socket } = client;
  socket.removeAllListeners('data');
  client.send(...frames);
  let count = 0;
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    count += chunk.length;
    if (chunk.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))) return count;
  }
}

describe('in bounded memory', () => {
  skipBecause(existsSync('/proc/self/clear_refs') ? undefined : 'no /proc: the memory of a process is not known');

  test.each([
    ['a result of many rows', `SELECT repeat('x', 1024) FROM generate_series(1, ${LARGE / 1024})`],
    ['a single value', `SELECT repeat('x', ${VALUE})`],
    ['a COPY', `COPY (SELECT repeat('x', 1024) FROM generate_series(1, ${LARGE / 1024})) TO STDOUT`],
  ])('%s', async (_name, sql) => {
    const client = await RawClient.login(url);
    const growth = await growthDuring(async () => {
      expect(await counted(client, serialize.query(sql))).toBeGreaterThan(VALUE);
    });
    expect(growth).toBeLessThan(MAX_GROWTH);
    client.end();
  });

  test('sealed columns, in and out', async () => {
    const rows = LARGE / 8192;
    const client = await connectTo(url);
    const growth = await growthDuring(async () => {
      const row = `1\t${'secret '.repeat(1170)}\n`;
      const copy = client.query(copyFrom('COPY secrets FROM STDIN'));
      await pipeline(Readable.from(repeated(row.repeat(64), rows / 64)), copy);
      const reader = await RawClient.login(url);
      expect(await counted(reader, serialize.query('SELECT note FROM secrets'))).toBeGreaterThan(rows * 8190);
      reader.end();
    });
    expect(growth).toBeLessThan(MAX_GROWTH_SEALED);
    await client.end();
  });

  test('a parameter of 200 MiB', async () => {
    const client = await RawClient.login(url);
    const growth = await growthDuring(async () => {
      client.send(serialize.parse({ text: 'SELECT octet_length($1::bytea)' }));
      // No names, one binary parameter of that length, text results.
      const head = Buffer.from([0x42, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0]);
      head.writeUInt32BE(head.length - 1 + 200 * MIB + 2, 1);
      head.writeUInt32BE(200 * MIB, 13);
      client.send(head);
      const piece = Buffer.alloc(MIB, 1);
      for (let sent = 0; sent < 200; sent += 1) if (!client.socket.write(piece)) await once(client.socket, 'drain');
      client.send(Buffer.from([0, 0]), serialize.execute({}), serialize.sync());
      const answer = await client.untilReady();
      expect(types(answer)).toBe('12DCZ');
      expect(answer[2]?.body.toString('latin1')).toContain(String(200 * MIB));
    });
    expect(growth).toBeLessThan(MAX_GROWTH);
    client.end();
  });

  test('for clients that do not read, and for those that promise more than they send', async () => {
    const clients = await Promise.all(Array.from({ length: 16 }, () => RawClient.login(url)));
    const growth = await growthDuring(async () => {
      for (const [index, client] of clients.entries()) {
        client.socket.pause();
        if (index % 2 === 0) client.send(serialize.query(`SELECT repeat('x', 1024) FROM generate_series(1, 1000000)`));
        else client.send(Buffer.from([0x51, 0x3f, 0xff, 0xff, 0xff, 0x20]), Buffer.alloc(64));
      }
      const held = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event = 'ClientWrite'";
      while ((await direct.query<{ n: number }>(held)).rows[0]?.n !== clients.length / 2);
    });
    expect(growth).toBeLessThan(MAX_GROWTH);
    for (const client of clients) client.end();
  });
});

describe('beyond the limit', () => {
  test.each([
    ['a constant', serialize.query(`INSERT INTO secrets VALUES (1, '${'x'.repeat(17 * MIB)}')`)],
    ['a parameter', parameter(17 * MIB)],
    ['a message of parameters', parameter(200 * MIB)],
  ])('%s of a sealed column is refused before anything is sent, and the session goes on', async (_name, frames) => {
    const client = await RawClient.login(url);
    client.send(serialize.query('BEGIN'), serialize.query('TRUNCATE secrets'));
    await client.untilReady(2);
    client.send(frames);
    const refused = await client.untilReady();
    expect(errorOf(refused)).toMatchObject({ C: '54000' });
    expect(statusOf(refused)).toBe('E');
    client.send(serialize.query('ROLLBACK'), serialize.query("INSERT INTO secrets VALUES (1, 'x')"));
    expect(types(await client.untilReady(2))).toBe('CZCZ');
    client.end();
  });
});

function parameter(length: number): Buffer {
  return Buffer.concat([
    serialize.parse({ text: 'INSERT INTO secrets VALUES (1, $1)' }),
    serialize.bind({ values: ['x'.repeat(length)] }),
    serialize.execute({}),
    serialize.sync(),
  ]);
}

function* repeated(text: string, times: number): Generator<string> {
  for (let left = times; left > 0; left -= 1) yield text;
}
