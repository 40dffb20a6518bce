/**
 * Messages in any order, well made and malformed, all at once and one by one: on sealed columns the answers are those of the server to the same on
 * plain ones, or a refusal; none is missing. Seeded, so that a finding can be had again.
 */
import { serialize } from 'pg-protocol';
import { expect, test } from 'vitest';
import { peopleBesideTwin } from '../../support/postgres/people-twin.ts';
import { RawClient } from '../../support/postgres/proxy.ts';
import { frame, word } from '../../support/postgres/raw-frames.ts';
import { shown } from '../../support/postgres/said.ts';
import { drawing, drawn, type Draw } from '../../support/seeded.ts';
import { END, untilEnd } from '../../support/postgres/until-end.ts';

const { query, parse, bind, describe: ask, execute, close, sync, flush } = serialize;

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed + 1);

const people = peopleBesideTwin();

const statement = (draw: Draw): string => drawn(draw, ['', 's', 't', 'é']);
const portal = (draw: Draw): string => drawn(draw, ['', 'p']);
const either = (draw: Draw): 'S' | 'P' => drawn(draw, ['S', 'P']);

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

const row = (draw: Draw) => [String(draw(5)), drawn(draw, ['bob-canary', 'ann-canary', null]), 'note-canary'];
type Message = (draw: Draw) => Uint8Array;
const prepare: Message = (draw) => parse({ name: statement(draw), text: drawn(draw, PREPARED) });
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
  (draw) => query(drawn(draw, ASKED)),
  (draw) => frame(drawn(draw, TYPES), drawn(draw, BODIES)),
  () => frame('B', '\0s\0', word(1), [0, 0, 0, 9], 'ab'),
];

async function tell(url: string, frames: readonly Uint8Array[], apart: boolean): Promise<readonly string[]> {
  const on = await RawClient.login(url);
  on.send(query("TRUNCATE people; INSERT INTO people VALUES (1, 'ann-canary', 'one-canary')"));
  await on.untilReady();
  const after = [sync(), query('ROLLBACK'), query('SELECT * FROM people ORDER BY id'), query(END)];
  for (const part of apart ? [...frames, ...after] : [Buffer.concat([...frames, ...after])]) {
    on.send(part);
    if (apart) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const messages = await untilEnd(on);
  on.end();
  return shown(messages.filter(({ type }) => type !== 'N')).map((line) =>
    line.startsWith('E ') ? line.split(' ').slice(0, 3).join(' ') : line,
  );
}

test.each(SEEDS)('seed %i', async (seed) => {
  const draw = drawing(seed);
  const frames = Array.from({ length: 2 + draw(14) }, () => drawn(draw, MESSAGES)(draw));
  const apart = seed % 3 === 0;
  const [ours, theirs] = [await tell(people.db.url, frames, apart), await tell(people.twinUrl, frames, apart)];
  const isRefused = ours.includes('E ERROR 0A000') && !theirs.includes('E ERROR 0A000');
  if (isRefused)
    expect(ours.filter((line) => line.startsWith('Z'))).toHaveLength(
      theirs.filter((line) => line.startsWith('Z')).length,
    );
  else expect(ours).toEqual(theirs);
});
