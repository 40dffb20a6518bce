/** Random statements that change rows. */
import { joined, sql, type Piece } from './pieces.ts';
import { columnsOf, constant, predicate, rowsOfValues, scopeOf } from './queries.ts';
import type { Column } from './tables.ts';
import type { Tape } from './tape.ts';

/** New ids of a statement begin here: those of two steps never meet, unless they are to. */
export type Ids = { readonly first: number };

const TARGETS = ['customers', 'people', 'events', 't', 'members'] as const;
const settable = (table: string): readonly Column[] =>
  columnsOf(table).filter(({ name }) => name !== 'id' && name !== 'day');

function returning(tape: Tape, table: string): string {
  if (!tape.chance(0.5)) return '';
  return ` RETURNING ${tape.pick('id', '*', `${table}.*`, tape.of(columnsOf(table)).name, table, `to_json(${table})`, `${table}::text AS x`, `old, new.*`)}`;
}

export function change(tape: Tape, ids: Ids): Piece {
  return tape.way(
    () => insert(tape, ids),
    () => update(tape),
    () => remove(tape),
    () => conflict(tape, ids),
    () => insertSelect(tape, ids),
    () => updateFrom(tape),
    () => merge(tape, ids),
    () => deleteUsing(tape),
    () => inWith(tape),
    () => ofView(tape),
  );
}

function insert(tape: Tape, { first }: Ids): Piece {
  const table = tape.of(TARGETS);
  const columns = tape.some(settable(table), 0.4);
  const keys = table === 'events' ? ['id', 'day'] : ['id'];
  const rows = tape.several(1, 3, (index) => {
    const id = tape.chance(0.1) ? 1 : first + index;
    const values = columns.map((column) =>
      tape.chance(0.1) ? sql`${tape.pick('NULL', 'DEFAULT')}` : sql`${constant(tape, column)}`,
    );
    const day = table === 'events' ? [sql`${tape.pick(1, 12, 25)}`] : [];
    return sql`(${joined([sql`${id}`, ...day, ...values], ', ')})`;
  });
  const names = [...keys, ...columns.map(({ name }) => name)].join(', ');
  return sql`INSERT INTO ${table} (${names}) VALUES ${joined(rows, ', ')}${returning(tape, table)}`;
}

function update(tape: Tape): Piece {
  const table = tape.of(TARGETS);
  const sets = tape.some(settable(table), 0.08).map((column): Piece => {
    const to = tape.way(
      () => sql`${constant(tape, column)}`,
      () => sql`NULL`,
      () => sql`DEFAULT`,
      () => sql`${column.name}`,
      () => sql`coalesce(${column.name}, ${constant(tape, column)})`,
      () => sql`CASE WHEN id = 1 THEN ${constant(tape, column)} ELSE ${column.name} END`,
    );
    return sql`${column.name} = ${to}`;
  });
  return sql`UPDATE ${table} SET ${joined(sets, ', ')} WHERE ${predicate(tape, scopeOf(table))}${returning(tape, table)}`;
}

function remove(tape: Tape): Piece {
  const table = tape.of(TARGETS);
  return sql`DELETE FROM ${table} WHERE ${predicate(tape, scopeOf(table))}${returning(tape, table)}`;
}

function conflict(tape: Tape, { first }: Ids): Piece {
  const table = tape.pick('customers', 'people');
  const column = tape.of(settable(table));
  const target = table === 'customers' ? tape.pick('(id)', '(ssn)', '(card)', 'ON CONSTRAINT customers_pkey') : '(id)';
  const id = tape.pick(1, 2, first);
  const by =
    target === '(ssn)' || target === '(card)' ? columnsOf(table).find(({ name }) => `(${name})` === target) : undefined;
  const columns = by === undefined || by.name === column.name ? [column] : [by, column];
  const to = tape.way(
    () => sql`excluded.${column.name}`,
    () => sql`${constant(tape, column)}`,
    () => sql`coalesce(excluded.${column.name}, ${table}.${column.name})`,
  );
  const action = tape.way(
    () => sql`UPDATE SET ${column.name} = ${to}`,
    () => sql`NOTHING`,
    () => sql`UPDATE SET ${column.name} = ${to} WHERE ${table}.${column.name} IS NOT NULL`,
  );
  const values = joined([sql`${id}`, ...columns.map((one) => sql`${constant(tape, one)}`)], ', ');
  const names = columns.map(({ name }) => name).join(', ');
  return sql`INSERT INTO ${table} (id, ${names}) VALUES (${values}) ON CONFLICT ${target} DO ${action}${returning(tape, table)}`;
}

function insertSelect(tape: Tape, { first }: Ids): Piece {
  const table = tape.pick('people', 'customers');
  const from = tape.pick('customers', 'people', 'v');
  const shared = settable(table).filter(
    ({ name }) => name !== 'ssn' && columnsOf(from).some((other) => other.name === name),
  );
  const column = tape.of(shared);
  return tape.way(
    () =>
      sql`INSERT INTO ${table} (id, ${column.name}) SELECT ${first} + s.id, s.${column.name} FROM ${from} s WHERE s.id < 4${returning(tape, table)}`,
    () =>
      sql`INSERT INTO ${table} (id, ${column.name}) SELECT ${first} + v.id, v.x FROM ${rowsOfValues(tape, column)}${returning(tape, table)}`,
    () =>
      sql`INSERT INTO ${table} (id, ${column.name}) SELECT v.id, v.x FROM ${rowsOfValues(tape, column)} ON CONFLICT (id) DO UPDATE SET ${column.name} = excluded.${column.name}`,
  );
}

function updateFrom(tape: Tape): Piece {
  const [table, other] = tape.pick(['customers', 'people'] as const, ['people', 'customers'] as const);
  const { name } = tape.of(
    settable(table).filter((column) => columnsOf(other).some((one) => one.name === column.name)),
  );
  // Whether two rows meet in a unique column on their way depends on which is changed first.
  const column = tape.of(settable(table).filter((one) => one.name !== 'ssn' && one.name !== 'card'));
  return tape.way(
    () => sql`UPDATE ${table} SET ${name} = o.${name} FROM ${other} o WHERE o.id = ${table}.id`,
    () =>
      sql`UPDATE ${table} c SET ${column.name} = v.x FROM ${rowsOfValues(tape, column)} WHERE v.id = c.id RETURNING c.id, c.${column.name}`,
    () => sql`UPDATE ${table} c SET ${name} = (SELECT o.${name} FROM ${other} o WHERE o.id = c.id)`,
  );
}

function deleteUsing(tape: Tape): Piece {
  const table = tape.pick('customers', 'people', 't');
  const column = tape.of(columnsOf(table).filter(({ searched }) => searched));
  return tape.way(
    () => sql`DELETE FROM ${table} c USING ${rowsOfValues(tape, column)} WHERE c.${column.name} = v.x`,
    () =>
      sql`DELETE FROM people c USING customers o WHERE o.email = c.email AND ${predicate(tape, scopeOf('customers', 'o'), 0)}`,
  );
}

function merge(tape: Tape, { first }: Ids): Piece {
  const table = tape.pick('people', 'customers');
  const column = tape.of(settable(table));
  const { name } = column;
  const matched = tape.pick(`UPDATE SET ${name} = v.x`, 'DELETE', 'DO NOTHING');
  const otherwise = tape.pick(`INSERT (id, ${name}) VALUES (${first} + v.id, v.x)`, 'DO NOTHING');
  // A value that meets no column of its own is sealed nowhere.
  const isStored = `${matched}${otherwise}`.includes('v.x');
  const on = isStored ? tape.pick('c.id = v.id', `c.${name} = v.x`) : `c.${name} = v.x`;
  const shown = tape.pick('', '', ' RETURNING merge_action(), c.id');
  return sql`MERGE INTO ${table} c USING ${rowsOfValues(tape, column)} ON ${on} WHEN MATCHED THEN ${matched} WHEN NOT MATCHED THEN ${otherwise}${shown}`;
}

function inWith(tape: Tape): Piece {
  const column = tape.of(settable('people'));
  return tape.way(
    () =>
      sql`WITH w AS (DELETE FROM people WHERE ${predicate(tape, scopeOf('people'), 0)} RETURNING *) SELECT ${column.name} FROM w`,
    () =>
      sql`WITH w AS (SELECT * FROM ${rowsOfValues(tape, column)}) UPDATE people c SET ${column.name} = w.x FROM w WHERE w.id = c.id`,
    () =>
      sql`WITH w AS (UPDATE people SET ${column.name} = ${constant(tape, column)} RETURNING id, ${column.name}) SELECT * FROM w`,
  );
}

function ofView(tape: Tape): Piece {
  const column = tape.of(columnsOf('v').filter(({ name }) => name !== 'id'));
  return sql`UPDATE v SET ${column.name} = ${constant(tape, column)} WHERE id = 2${tape.pick('', ' RETURNING *')}`;
}
