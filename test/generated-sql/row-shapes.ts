/** Random queries whose values become rows and JSON, or those of the rows before and after. */
import { sql, type Piece } from './pieces.ts';
import { constant } from './queries.ts';
import { oneTable } from './shapes.ts';
import type { Tape } from './tape.ts';

export function rowShape(tape: Tape): Piece {
  return tape.way(
    () => wholeRows(tape),
    () => asJson(tape),
    () => shifted(tape),
  );
}

/** Rows as one value. */
function wholeRows(tape: Tape): Piece {
  const one = oneTable(tape);
  const row = tape.pick('a', 'a.*', `ROW(a.*)`, `ROW(a.id, ${one.any()})`, `(${one.any()}, ${one.any()})`);
  const shown = tape.pick(
    row,
    `${row}::text`,
    `row_to_json(${row})`,
    `to_json(${row})`,
    `to_jsonb(${row})`,
    `row_to_json(${row}, true)`,
    `CAST(${row} AS varchar)`,
    `${row} IS NULL`,
    `ARRAY[${row}]`,
    `to_json(ARRAY[${row}])`,
  );
  return tape.way(
    () => sql`SELECT ${shown} FROM ${one.table} a${one.where()}`,
    () => sql`SELECT a.id, ${shown} AS x FROM ${one.table} a${one.where()}`,
    () =>
      sql`SELECT ${tape.pick('json_agg', 'jsonb_agg', 'array_agg')}(${row} ORDER BY a.id) FROM ${one.table} a${one.where()}`,
    () => sql`SELECT (a).${one.any().slice(2)}, (a).id FROM ${one.table} a${one.where()}`,
    () => sql`SELECT (a).* FROM ${one.table} a${one.where()}`,
    () => sql`SELECT p.id, a FROM people p LEFT JOIN ${one.table} a ON a.id = p.id`,
    () => sql`SELECT q.x FROM (SELECT ${shown} AS x FROM ${one.table} a) q`,
    () => sql`SELECT q FROM (SELECT a.id, ${one.any()} AS x FROM ${one.table} a) q`,
    () => sql`SELECT row_to_json(q)::text FROM (SELECT a.id, ${one.any()} AS x FROM ${one.table} a) q`,
    () => sql`SELECT count(a), json_object_agg(a.id, ${row} ORDER BY a.id) FROM ${one.table} a`,
  );
}

function asJson(tape: Tape): Piece {
  const one = oneTable(tape);
  const made = (): string =>
    tape.pick(
      `to_json(${one.any()})`,
      `to_jsonb(${one.any()})`,
      `json_build_object('k', ${one.any()}, 'é"', ${one.any()})`,
      `jsonb_build_object('k', ${one.any()}, 'k', ${one.any()}, 'id', a.id)`,
      `json_build_array(${one.any()}, NULL, ${one.any()})`,
      `jsonb_build_array(${one.any()}, to_json(${one.any()}))`,
      `to_json(${one.any()}::text)`,
      `jsonb_build_object('n', json_build_object('m', ${one.any()}))`,
      `json_build_object(${one.any()}, 1)`,
      `json_object(ARRAY['k'], ARRAY[${one.any()}])`,
      `jsonb_strip_nulls(to_jsonb(${one.any()}))`,
    );
  const item = tape.way(
    () => sql`${made()}`,
    () => sql`${made()} AS x`,
    () => sql`coalesce(${made()}, 'null') AS x`,
    () => sql`CASE WHEN a.id > 1 THEN ${made()} END AS x`,
    () => sql`${made()}::text AS x`,
    () => sql`${made()}${tape.pick("->>'k'", '->>0', '->0', "#>>'{k}'")} AS x`,
    () => sql`${one.any()}${tape.pick("->>'a'", "->'b'", '->0')} AS x`,
    () => sql`lag(${made()}) OVER (ORDER BY a.id) AS x`,
  );
  return sql`SELECT a.id, ${item} FROM ${one.table} a${one.where()}`;
}

/** lag() and lead() with what stands where there is no such row. */
function shifted(tape: Tape): Piece {
  const one = oneTable(tape);
  const column = one.column();
  const x = `a.${column.name}`;
  const fallback = tape.way(
    () => sql`${constant(tape, column)}`,
    () => sql`${constant(tape, column)}::${column.type}`,
    () => sql`NULL`,
    () => sql`${x}`,
    () => sql`coalesce(${x}, ${constant(tape, column)})`,
    () => sql`(SELECT s.${column.name} FROM ${one.table} s WHERE s.id = 1)`,
  );
  const value = tape.way(
    () => sql`${x}`,
    () => sql`coalesce(${x}, ${constant(tape, column)})`,
    () => sql`CASE WHEN a.id > 1 THEN ${x} END`,
  );
  const over = tape.pick('ORDER BY a.id', 'ORDER BY a.id DESC', 'PARTITION BY a.id % 2 ORDER BY a.id');
  const call = sql`${tape.pick('lag', 'lead')}(${value}, ${tape.pick('1', '2', 'a.id', '0', '-1')}, ${fallback}) OVER (${over})`;
  return tape.way(
    () => sql`SELECT a.id, ${call} AS x FROM ${one.table} a${one.where()}`,
    () => sql`SELECT a.id, ${call} FROM ${one.table} a`,
    () => sql`SELECT to_json(q) FROM (SELECT a.id, ${call} AS x FROM ${one.table} a) q`,
    () => sql`SELECT a.id, (${call})::text AS x FROM ${one.table} a`,
    () => sql`SELECT array_agg(q.x ORDER BY q.id) FROM (SELECT a.id, ${call} AS x FROM ${one.table} a) q`,
  );
}
