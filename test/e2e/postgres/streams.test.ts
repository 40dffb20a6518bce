/** Streams of npm's PostgreSQL clients over sealed columns: COPY both ways, cursors of the protocol, rows as they come. */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SealedDatabase } from '../../support/postgres/sealed-database.ts';

const ROWS = 5000;
const RULES = [
  { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' as const },
  { table: 'people', column: 'note', type: 'text' },
];

let server: TestPostgres;
let db: SealedDatabase;
let client: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(
    server,
    'streams',
    'CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed, note sealgate.sealed, plain text)',
    RULES,
  );
  client = await connectTo(db.url);
});
afterAll(async () => {
  await client.end();
  await db.close();
  await server.stop();
});

const line = (id: number): string => `${id}\tmail${id}@x.org\tnote "${id}", and more\tplain ${id}\n`;
const all = Array.from({ length: ROWS }, (_, index) => line(index + 1)).join('');

const fill = async (): Promise<void> => {
  const stream = client.query(copyFrom('COPY people FROM STDIN'));
  await pipeline(Readable.from(chunks(all, 1009)), stream);
  expect(stream.rowCount).toBe(ROWS);
};

function* chunks(text: string, length: number): Generator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

beforeEach(async () => {
  await db.direct.query('TRUNCATE people');
  await fill();
});

describe('pg-copy-streams', () => {
  test('what went in comes out', async () => {
    const out: Buffer[] = [];
    for await (const chunk of client.query(copyTo('COPY people TO STDOUT')) as AsyncIterable<Buffer>) out.push(chunk);
    expect(Buffer.concat(out).toString()).toBe(all);
    const stored = await db.direct.query<{ mail: Buffer }>('SELECT mail FROM people LIMIT 5');
    for (const { mail } of stored.rows) expect(mail.toString('latin1')).not.toContain('@x.org');
  });

  test('a source that fails half-way keeps nothing, and the client goes on', async () => {
    await db.direct.query('TRUNCATE people');
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from(line(1));
      await Promise.resolve();
      throw new Error('the source broke');
    };
    const stream = client.query(copyFrom('COPY people FROM STDIN'));
    await expect(pipeline(Readable.from(failing()), stream)).rejects.toThrow('the source broke');
    expect((await client.query('SELECT count(*)::int AS n FROM people')).rows).toEqual([{ n: 0 }]);
  });

  test('an error in the data arrives as the server would say it', async () => {
    const stream = client.query(copyFrom('COPY people FROM STDIN CSV'));
    await expect(pipeline(Readable.from(chunks('9001,a,b,c\n9002,a,b\n', 3)), stream)).rejects.toMatchObject({
      code: '22P04',
      where: 'COPY people, line 2',
    });
    expect((await client.query('SELECT count(*)::int AS n FROM people')).rows).toEqual([{ n: ROWS }]);
  });
});

test('pg-cursor reads in portions, and stops when it is closed', async () => {
  const cursor = client.query(
    new Cursor<{ id: number; mail: string }>('SELECT id, mail FROM people WHERE id > $1 ORDER BY id', [10]),
  );
  expect(await cursor.read(2)).toEqual([11, 12].map((id) => ({ id, mail: `mail${id}@x.org` })));
  expect((await cursor.read(100)).map(({ mail }) => mail)).toEqual(
    Array.from({ length: 100 }, (_, index) => `mail${index + 13}@x.org`),
  );
  await cursor.close();
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('pg-query-stream gives all rows', async () => {
  const stream = client.query(
    new QueryStream('SELECT note FROM people WHERE mail = ANY($1) ORDER BY id', [['mail7@x.org', 'mail4999@x.org']], {
      batchSize: 1,
    }),
  );
  const notes: unknown[] = [];
  for await (const row of stream) notes.push(row);
  expect(notes).toEqual([{ note: 'note "7", and more' }, { note: 'note "4999", and more' }]);
  const whole = client.query(new QueryStream('SELECT id, mail, note FROM people', [], { batchSize: 700 }));
  let count = 0;
  for await (const row of whole as AsyncIterable<{ id: number; mail: string }>) {
    expect(row.mail).toBe(`mail${row.id}@x.org`);
    count++;
  }
  expect(count).toBe(ROWS);
});
