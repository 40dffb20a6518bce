/** Random queries whose values become text and lists: what is printed, and in which order. */
import { sql, type Piece } from './pieces.ts';
import { oneTable } from './shapes.ts';
import type { Column } from './tables.ts';
import type { Tape } from './tape.ts';

export function printedShape(tape: Tape): Piece {
  return tape.way(
    () => castToText(tape),
    () => joinedTexts(tape),
    () => orderedLists(tape),
  );
}

function castToText(tape: Tape): Piece {
  const one = oneTable(tape);
  const cast = (): string => {
    const x = one.any();
    return tape.pick(
      `${x}::text`,
      `CAST(${x} AS varchar)`,
      `${x}::pg_catalog.text`,
      `${x}::varchar(5)`,
      `${x}::bpchar`,
      `${x}::name`,
      `(${x}::text)::varchar`,
      `text(${x})`,
    );
  };
  const item = tape.way(
    () => sql`${cast()} AS x`,
    () => sql`${cast()}`,
    () => sql`CASE WHEN a.id < 3 THEN ${cast()} END AS x`,
    () => sql`coalesce(${cast()}, ${tape.pick("''", "'none'", 'a.id::text')}) AS x`,
    () => sql`nullif(${cast()}, '') AS x`,
    () => sql`(SELECT ${cast()}) AS x`,
    () => sql`to_json(${cast()}) AS x`,
    () => sql`ARRAY[${cast()}] AS x`,
    () => sql`concat(${cast()}) AS x`,
    () => sql`${cast()} || '' AS x`,
    () => sql`lag(${cast()}) OVER (ORDER BY a.id) AS x`,
    () => sql`format('%s', ${one.any()}) AS x`,
  );
  const whole = sql`SELECT a.id, ${item} FROM ${one.table} a${one.where()}`;
  return tape.way(
    () => whole,
    () => sql`SELECT q.* FROM (${whole}) q`,
    () => sql`WITH q AS MATERIALIZED (${whole}) SELECT * FROM q WHERE q.id < 4`,
    () => sql`SELECT a.id, ${cast()} AS x FROM ${one.table} a UNION ALL SELECT a.id, ${cast()} FROM ${one.table} a`,
    () => sql`SELECT array_agg(${cast()} ORDER BY a.id), count(*) FROM ${one.table} a${one.where()}`,
    () => sql`SELECT string_agg(${cast()}, ',' ORDER BY a.id) FROM ${one.table} a${one.where()}`,
    () => sql`SELECT DISTINCT ${cast()} AS x FROM ${one.table} a`,
    () => sql`SELECT a.id FROM ${one.table} a WHERE ${cast()} = ${tape.pick("'5'", "'x'", "'1987-06-05'")}`,
  );
}

const TEXTS = new Set(['text', 'varchar(40)', 'varchar(20)', 'char(5)', 'public.email', 'varchar(19)']);
const isText = ({ type }: Column): boolean => TEXTS.has(type);

/** string_agg, with whatever stands between the values. */
function joinedTexts(tape: Tape): Piece {
  const one = oneTable(tape);
  const text = one.some(isText);
  const hole = { value: tape.of([', ', '', 'é', '\u{1f600}', '\\', "'", null]), bare: false };
  const delimiter = tape.way(
    () => sql`','`,
    () => sql`${hole}`,
    () => sql`${hole}::${tape.pick('text', 'varchar', 'char(3)')}`,
    () => sql`${tape.pick("E'\\n'", 'NULL', '5', "N', '", "U&'\\00e9'", '$$;$$', "'a' 'b'", "'; '::text")}`,
    () => sql`(a.id)::text`,
    () => sql`repeat('-', a.id)`,
    () => sql`coalesce(${hole}, '.')`,
    () => sql`(SELECT sum(s.id)::text FROM people s WHERE s.id <= a.id)`,
    () => sql`CASE WHEN a.id > 2 THEN ${hole} ELSE ' ' END`,
    () => sql`chr(a.id) /* , ) */`,
  );
  const order = tape.pick('a.id', 'a.id DESC', `a.id % 2, a.id`, `${text} , a.id`);
  const distinct = tape.chance(0.1) ? 'DISTINCT ' : '';
  const call = sql`string_agg(${distinct}${text}, ${delimiter} ORDER BY ${order})`;
  return tape.way(
    () => sql`SELECT ${call} FROM ${one.table} a${one.where()}`,
    () => sql`SELECT ${call}, ${call} AS again, count(*) FROM ${one.table} a${one.where()}`,
    () => sql`SELECT a.id % 2, ${call} FROM ${one.table} a GROUP BY 1`,
    () => sql`SELECT ${call} FILTER (WHERE a.id <> 2) FROM ${one.table} a${one.where()}`,
    () => sql`SELECT coalesce(${call}, '') AS x FROM ${one.table} a${one.where()}`,
    () => sql`SELECT a.id, string_agg(${text}, ${delimiter}) OVER (ORDER BY a.id) FROM ${one.table} a`,
    () => sql`SELECT p.id, (SELECT ${call} FROM ${one.table} a WHERE a.id >= p.id) FROM people p`,
    () => sql`SELECT json_build_object('x', ${call}) FROM ${one.table} a${one.where()}`,
    () => sql`SELECT ${call} FROM ${one.table} a UNION ALL SELECT ${call} FROM ${one.table} a WHERE a.id < 3`,
    () => sql`SELECT ${call} FROM ${one.table} a GROUP BY a.id % 2 HAVING ${call} IS NOT NULL`,
  );
}

/** Lists in the order of their values, and without what comes twice. */
function orderedLists(tape: Tape): Piece {
  const one = oneTable(tape);
  const listed = (): string => {
    const x = one.any();
    const nulls = tape.pick('', ' NULLS FIRST', ' NULLS LAST');
    const order = `ORDER BY ${x}${tape.pick('', ' DESC', ' USING <', ' ASC')}${nulls}`;
    const call = tape.pick('array_agg', 'json_agg', 'jsonb_agg');
    const inside = tape.pick(
      `DISTINCT ${x}`,
      `${x} ${order}, a.id`,
      `DISTINCT ${x} ${order}`,
      `${x} ORDER BY a.id % 2, a.id`,
      `${x} ORDER BY a.id DESC, ${x}`,
      `${x}::text ORDER BY a.id`,
    );
    const wrap = tape.pick('', '', 'to_json', 'to_jsonb', 'array_to_json', 'json_build_array');
    return `${wrap}(${call}(${inside})${tape.pick('', '', ' FILTER (WHERE a.id > 1)', ' FILTER (WHERE a.id > 99)')})`;
  };
  return tape.way(
    () => sql`SELECT ${listed()} FROM ${one.table} a${one.where()}`,
    () => sql`SELECT ${listed()}, ${listed()} FROM ${one.table} a${one.where()}`,
    () => sql`SELECT a.id % 2, ${listed()} FROM ${one.table} a GROUP BY a.id % 2`,
    () => sql`SELECT coalesce(${listed()}, ${tape.pick("'[]'", "'{}'", 'NULL')}) FROM ${one.table} a${one.where()}`,
    () => sql`SELECT jsonb_build_object('z', ${listed()}, 'a', a.id % 2) FROM ${one.table} a GROUP BY a.id % 2`,
    () => sql`SELECT p.id, (SELECT ${listed()} FROM ${one.table} a WHERE a.id >= p.id) FROM people p`,
    () => sql`SELECT q.x FROM (SELECT ${listed()} AS x FROM ${one.table} a) q WHERE q.x IS NOT NULL`,
    () => sql`SELECT ${listed()} FROM ${one.table} a UNION ALL SELECT ${listed()} FROM ${one.table} a`,
  );
}
