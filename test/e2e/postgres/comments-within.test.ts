/** Comments between words that the grammar reads together: such statements do what they do on a plain twin. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';

let all: TwinDatabase;
beforeAll(async () => {
  all = await openTwinDatabase(
    (sealed) => `CREATE TABLE people (id int PRIMARY KEY, mail ${sealed ? 'sealgate.sealed' : 'text'}, plain text)`,
    [{ table: 'people', column: 'mail', type: 'text', mode: 'deterministic' }],
  );
  for (const on of [all.client, all.twin])
    await on.query(
      "INSERT INTO people VALUES (1, 'first@mail.org', 'é'), (2, 'second@mail.org', NULL), (3, NULL, 'x')",
    );
});
afterAll(() => all.close());

test.each([
  "SELECT id, mail FROM people WHERE mail NOT /* these */ IN ('first@mail.org', 'é') ORDER BY id",
  "SELECT id, mail FROM people WHERE plain = 'é' /* é */ OR mail NOT -- this, 'that'\n IN ('first@mail.org') ORDER BY id",
  'SELECT mail, plain FROM people ORDER BY plain NULLS /* at the top */ FIRST, id',
  'SELECT p.mail, n FROM people p, unnest(ARRAY[p.id]) WITH /* its */ ORDINALITY AS u(i, n) ORDER BY p.id',
  "INSERT INTO people (id, mail) VALUES (4, 'fourth@mail.org') RETURNING mail, plain NOT /* a */ LIKE 'b'",
  "SELECT mail FROM people WHERE id NOT /* c */ IN (4) AND mail = 'first@mail.org' /* c */\n 'b'",
  'SELECT mail FROM people WHERE mail NOT /* c */ IN (',
])('%s', async (sql) => {
  const ask = async (on: TwinDatabase['client']): Promise<unknown> =>
    on.query(sql).then(
      ({ rows }): unknown => rows,
      ({ code }: { code: string }) => code,
    );
  const [ours, theirs] = [await ask(all.client), await ask(all.twin)];
  expect(ours).toEqual(theirs);
  expect(ours).not.toEqual([]);
});
