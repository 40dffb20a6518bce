/**
 * Messages in any order, well made and malformed, all at once and one by one: on sealed columns the answers are those of the server to the same on
 * plain ones, or a refusal; none is missing. Seeded, so that a finding can be had again.
 */
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { RawClient, type RawMessage } from '../../support/postgres/proxy.ts';
import { frame, word } from '../../support/postgres/raw-frames.ts';
import { shown } from '../../support/postgres/said.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const { query, parse, bind, describe: ask, execute, close, sync, flush } = serialize;

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed + 1);

let server: TestPostgres;
let db: SearchedDatabase;
let twinUrl: string;

beforeAll(async () => {
  server = await startPostgres();
  const sealed = 'CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed UNIQUE, note sealgate.sealed)';
  db = await openSearchedDatabase(server, 'sealed', sealed, [
    { table: 'people', column: 'mail', type: 'varchar(30)', mode: 'deterministic' },
    { table: 'people', column: 'note', type: 'text' },
  ]);
  twinUrl = await db.openTwin();
  const twin = await connectTo(twinUrl);
  await twin.query('CREATE TABLE people (id int PRIMARY KEY, mail varchar(30) UNIQUE, note text)');
  await twin.end();
});
afterAll(async () => {
  await db.close();
  await server.stop();
});

/** A whole number below the one given. */
type Draw = (below: number) => number;

/** mulberry32 (public domain). */
function numbers(seed: number): Draw {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const pick = <Item>(draw: Draw, items: readonly [Item, ...Item[]]): Item => items[draw(items.length)] ?? items[0];
const statement = (draw: Draw): string => pick(draw, ['', 's', 't', 'é']);
const portal = (draw: Draw): string => pick(draw, ['', 'p']);
const either = (draw: Draw): 'S' | 'P' => pick(draw, ['S', 'P']);

const PREPARED = [
  'SELECT note FROM people WHERE mail = $1',
  'INSERT INTO people VALUES ($1, $2, $3)',
  'SELECT note, id FROM people ORDER BY id',
  'SELECT $1::text',
  ...['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT a', "SET TimeZone = 'UTC'", '', 'DISCARD ALL', 'SELECT absent'],
] as const;
const ASKED = [
  ...['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT a', 'ROLLBACK TO a', 'SELEC', 'EXECUTE s', 'FETCH c'],
  ...["INSERT INTO people VALUES (7, 'cid-canary')", "DELETE FROM people WHERE mail = 'cid-canary'"],
  ...['SELECT 1; SELECT count(*) FROM people', 'PREPARE s AS SELECT 1', 'COPY people TO STDOUT'],
  "UPDATE people SET note = 'new-canary' WHERE mail = 'ann-canary'; SELECT 1/0",
  'DECLARE c CURSOR FOR SELECT note FROM people',
] as const;
const BODIES = ['', 'x', '\0', 'S\0', '\0s\0', 'Ss\0x', '\0\0\0\0\0\0\0'] as const;
const TYPES = ['Q', 'P', 'B', 'D', 'C', 'E', 'H', 'S', 'F'] as const;

const row = (draw: Draw) => [String(draw(5)), pick(draw, ['bob-canary', 'ann-canary', null]), 'note-canary'];
type Message = (draw: Draw) => Uint8Array;
const prepare: Message = (draw) => parse({ name: statement(draw), text: pick(draw, PREPARED) });
const MESSAGES: readonly [Message, ...Message[]] = [
  ...([prepare, prepare, prepare] as const),
  (draw) => bind({ statement: statement(draw), portal: portal(draw), values: ['ann-canary'] }),
  (draw) => bind({ statement: statement(draw), portal: portal(draw), values: row(draw) }),
  (draw) => bind({ statement: statement(draw), portal: portal(draw) }),
  (draw) => execute({ portal: portal(draw), rows: draw(3) }),
  (draw) => execute({ portal: portal(draw) }),
  (draw) => ask({ type: either(draw), name: statement(draw) }),
  (draw) => close({ type: either(draw), name: statement(draw) }),
  ...([flush, sync, sync, sync] as const),
  (draw) => query(pick(draw, ASKED)),
  (draw) => frame(pick(draw, TYPES), pick(draw, BODIES)),
  () => frame('B', '\0s\0', word(1), [0, 0, 0, 9], 'ab'),
];

async function tell(url: string, frames: readonly Uint8Array[], apart: boolean): Promise<readonly string[]> {
  const on = await RawClient.login(url);
  on.send(query("TRUNCATE people; INSERT INTO people VALUES (1, 'ann-canary', 'one-canary')"));
  await on.untilReady();
  const after = [sync(), query('ROLLBACK'), query('SELECT * FROM people ORDER BY id'), query('SELECT 424242')];
  for (const part of apart ? [...frames, ...after] : [Buffer.concat([...frames, ...after])]) {
    on.send(part);
    if (apart) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const messages: RawMessage[] = [];
  for (let isEnd = false; ;) {
    const next = await on.message();
    if (next !== undefined) messages.push(next);
    isEnd ||= next?.type === 'D' && next.body.includes('424242');
    if (next === undefined || (isEnd && next.type === 'Z')) break;
  }
  on.end();
  return shown(messages.filter(({ type }) => type !== 'N')).map((line) =>
    line.startsWith('E ') ? line.split(' ').slice(0, 3).join(' ') : line,
  );
}

test.each(SEEDS)('seed %i', async (seed) => {
  const draw = numbers(seed);
  const frames = Array.from({ length: 2 + draw(14) }, () => pick(draw, MESSAGES)(draw));
  const apart = seed % 3 === 0;
  const [ours, theirs] = [await tell(db.url, frames, apart), await tell(twinUrl, frames, apart)];
  const isRefused = ours.includes('E ERROR 0A000') && !theirs.includes('E ERROR 0A000');
  if (isRefused)
    expect(ours.filter((line) => line.startsWith('Z'))).toHaveLength(
      theirs.filter((line) => line.startsWith('Z')).length,
    );
  else expect(ours).toEqual(theirs);
});
