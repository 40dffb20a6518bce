/** Random changes of the rarer shapes: several in one WITH, MERGE from a table, rows set at once, aliases, views. */
import type { Ids } from './changes.ts';
import { joined, sql, type Piece } from './pieces.ts';
import { columnsOf, constant, predicate, rowsOfValues, scopeOf } from './queries.ts';
import type { Column } from './tables.ts';
import type { Tape } from './tape.ts';

/** What customers and people both have. */
const SHARED = ['name', 'email', 'score', 'born', 'note'] as const;
const columnOf = (table: string, name: string): Column | undefined =>
  columnsOf(table).find((column) => column.name === name);
const valueOf = (tape: Tape, table: string, name: string): Piece => {
  const column = columnOf(table, name);
  return column === undefined ? sql`NULL` : sql`${constant(tape, column)}`;
};

export function rareChange(tape: Tape, ids: Ids): Piece {
  return tape.way(
    () => setOfRow(tape),
    () => severalInWith(tape, ids),
    () => mergeTable(tape, ids),
    () => aliased(tape, ids),
    () => selectedRows(tape, ids),
    () => throughView(tape, ids),
    () => deleteJoined(tape),
  );
}

function setOfRow(tape: Tape): Piece {
  const table = tape.pick('people', 'customers');
  const [x, y] = tape.pick(['email', 'score'] as const, ['name', 'email'] as const, ['note', 'score'] as const);
  const other = table === 'people' ? 'customers' : 'people';
  const to = tape.way(
    () => sql`(${valueOf(tape, table, x)}, ${valueOf(tape, table, y)})`,
    () => sql`ROW (${valueOf(tape, table, x)}, DEFAULT)`,
    () => sql`(SELECT s.${x}, s.${y} FROM ${other} s WHERE s.id = ${table}.id)`,
    () => sql`(SELECT ${valueOf(tape, table, x)}, s.${y} FROM ${other} s WHERE s.id = 1)`,
    () => sql`(${x}, ${valueOf(tape, table, y)})`,
  );
  return sql`UPDATE ${table} SET (${x}, ${y}) = ${to} WHERE ${predicate(tape, scopeOf(table))} RETURNING id, ${tape.pick(x, y)}`;
}

function severalInWith(tape: Tape, { first }: Ids): Piece {
  const x = tape.of(SHARED);
  const y = tape.of(SHARED);
  return tape.way(
    () =>
      sql`WITH w AS (INSERT INTO people (id, ${x}) VALUES (${first}, ${valueOf(tape, 'people', x)}) RETURNING id, ${x}) INSERT INTO customers (id, ${x}) SELECT id + 5, ${x} FROM w RETURNING id, ${x}`,
    () =>
      sql`WITH w AS (DELETE FROM people WHERE ${predicate(tape, scopeOf('people'), 0)} RETURNING *) INSERT INTO customers (id, ${x}) SELECT ${first} + id, ${x} FROM w RETURNING *`,
    () =>
      sql`WITH w AS (UPDATE people SET ${x} = ${valueOf(tape, 'people', x)} WHERE id < 3 RETURNING id, ${x} AS x), q AS (DELETE FROM customers WHERE id IN (SELECT id FROM w) RETURNING id, ${y}) SELECT q.*, w.x FROM q JOIN w ON w.id = q.id`,
    () =>
      sql`WITH w AS (SELECT id, ${x} FROM customers WHERE ${predicate(tape, scopeOf('customers'), 0)}) UPDATE people p SET ${x} = w.${x} FROM w WHERE w.id = p.id RETURNING p.id, p.${x}, w.${x}`,
    () =>
      sql`WITH w (k, x) AS (VALUES (1, ${valueOf(tape, 'people', 'email')}), (2, ${valueOf(tape, 'people', 'email')})) INSERT INTO people (id, email) SELECT ${first} + k, x FROM w`,
    () =>
      sql`WITH w AS (SELECT email FROM customers WHERE id = 1) DELETE FROM people p USING w WHERE p.email = w.email RETURNING p.*`,
  );
}

/** On ids, so that no row is met twice. */
function mergeTable(tape: Tape, { first }: Ids): Piece {
  const x = tape.of(SHARED);
  const y = tape.of(SHARED);
  const [target, source] = tape.pick(['people', 'customers'] as const, ['customers', 'people'] as const);
  const set = tape.way(
    () => sql`${x} = s.${x}`,
    () => sql`${x} = ${valueOf(tape, target, x)}`,
    () => sql`${x} = coalesce(s.${x}, c.${x})`,
    () => (x === y ? sql`${x} = NULL` : sql`${x} = s.${x}, ${y} = DEFAULT`),
  );
  const when = tape.way(
    (): Piece => [],
    () => sql` AND ${predicate(tape, scopeOf(target, 'c'), 0)}`,
    () => sql` AND s.email IS NOT DISTINCT FROM c.email`,
    () => sql` AND ${predicate(tape, scopeOf(source, 's'), 0)}`,
  );
  const matched = sql` WHEN MATCHED${when} THEN ${tape.way(
    () => sql`UPDATE SET ${set}`,
    () => sql`DELETE`,
    () => sql`DO NOTHING`,
  )}`;
  const insert = tape.way(
    () => sql` WHEN NOT MATCHED THEN INSERT (id, ${x}) VALUES (${first} + s.id, s.${x})`,
    () =>
      sql` WHEN NOT MATCHED AND s.${y} IS NOT NULL THEN INSERT (id, ${x}) VALUES (${first} + s.id, ${valueOf(tape, target, x)})`,
    (): Piece => [],
  );
  const from = tape.way(
    () => sql`${source} s`,
    () => sql`(SELECT * FROM ${source} WHERE ${predicate(tape, scopeOf(source), 0)}) s`,
  );
  const more = tape.pick('', '', ' WHEN NOT MATCHED BY SOURCE THEN DELETE');
  const returning = tape.pick(
    '',
    ` RETURNING c.id, c.${x}`,
    ` RETURNING s.${x}, c.*`,
    ' RETURNING merge_action(), c.id',
  );
  return sql`MERGE INTO ${target} c USING ${from} ON c.id = s.id${matched}${insert}${more}${returning}`;
}

/** ON CONFLICT of a table by another name, and what was there before. */
function aliased(tape: Tape, { first }: Ids): Piece {
  const x = tape.of(SHARED);
  const y = tape.of(SHARED);
  const id = tape.pick(1, 2, first);
  const columns = x === y ? [x] : [x, y];
  const values = joined(
    columns.map((name) => valueOf(tape, 'people', name)),
    ', ',
  );
  const where = tape.way(
    (): Piece => [],
    () => sql` WHERE p.${x} IS DISTINCT FROM excluded.${x}`,
    () => sql` WHERE p.email = ${valueOf(tape, 'people', 'email')} OR excluded.score = p.score`,
    () => sql` WHERE p.id IN (SELECT s.id FROM customers s WHERE s.email = excluded.email)`,
  );
  const set = tape.way(
    () => sql`${x} = excluded.${x}`,
    () => sql`(${columns.join(', ')}) = ROW (${columns.map((name) => `excluded.${name}`).join(', ')})`,
    () => sql`${x} = CASE WHEN p.${x} IS NULL THEN excluded.${x} ELSE p.${x} END`,
    () => sql`${x} = (SELECT s.${x} FROM customers s WHERE s.id = excluded.id)`,
    () => sql`${x} = DEFAULT`,
  );
  const returning = tape.pick(
    '',
    ' RETURNING *',
    ` RETURNING p.${x} AS now`,
    ` RETURNING old.${x}, new.${x}`,
    ' RETURNING old.*',
  );
  return sql`INSERT INTO people AS p (id, ${columns.join(', ')}) VALUES (${id}, ${values}) ON CONFLICT (id) DO UPDATE SET ${set}${where}${returning}`;
}

function selectedRows(tape: Tape, { first }: Ids): Piece {
  const x = tape.of(SHARED);
  return tape.way(
    () =>
      sql`INSERT INTO people (id, ${x}) SELECT ${first} + id, ${x} FROM customers WHERE id < 3 UNION ALL SELECT ${first} + 9, ${valueOf(tape, 'people', x)}`,
    () =>
      sql`INSERT INTO people (${x}, id) SELECT DISTINCT ON (c.id) c.${x}, ${first} + c.id FROM customers c ORDER BY c.id RETURNING id, ${x}`,
    () =>
      sql`INSERT INTO people (id, ${x}) SELECT ${first} + c.id, coalesce(c.${x}, ${valueOf(tape, 'people', x)}) FROM customers c LEFT JOIN people o ON o.email = c.email WHERE c.id < 4 ON CONFLICT DO NOTHING`,
    () =>
      sql`INSERT INTO people (id, ${x}) SELECT ${first} + row_number() OVER (ORDER BY c.id), first_value(c.${x}) OVER (ORDER BY c.id) FROM customers c`,
    () =>
      sql`INSERT INTO people SELECT ${first} + id, name, email, score, born, note FROM customers WHERE id = 1 RETURNING *`,
    () =>
      sql`INSERT INTO people VALUES (${first}, ${valueOf(tape, 'people', 'name')}, ${valueOf(tape, 'people', 'email')})`,
  );
}

function throughView(tape: Tape, { first }: Ids): Piece {
  const x = tape.pick('email', 'score', 'note');
  const column = columnOf('v', x);
  return tape.way(
    () => sql`INSERT INTO v (id, ${x}) VALUES (${first}, ${valueOf(tape, 'v', x)}) RETURNING *`,
    () => sql`DELETE FROM v WHERE ${predicate(tape, scopeOf('v'), 0)} RETURNING id`,
    () => sql`UPDATE v SET ${x} = p.${x} FROM people p WHERE p.id = v.id RETURNING v.*`,
    () =>
      column === undefined
        ? []
        : sql`UPDATE v SET ${x} = r.x FROM (SELECT * FROM ${rowsOfValues(tape, column)}) r WHERE r.id = v.id`,
  );
}

function deleteJoined(tape: Tape): Piece {
  return tape.way(
    () =>
      sql`DELETE FROM people p USING customers c LEFT JOIN events e ON e.ssn = c.ssn WHERE p.email = c.email AND ${predicate(tape, scopeOf('events', 'e'), 0)} RETURNING p.id, p.note`,
    () =>
      sql`DELETE FROM customers c WHERE NOT EXISTS (SELECT FROM people p WHERE p.email = c.email AND p.score IS NOT DISTINCT FROM c.score) RETURNING *`,
    () => sql`DELETE FROM customers WHERE (id, email) IN (SELECT p.id, p.email FROM people p) RETURNING id, card`,
  );
}
