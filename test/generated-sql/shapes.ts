/** Random queries of the rarer shapes: rows as values, windows, LATERAL, arrays, JSON, groupings, set operations within each other. */
import { joined, sql, type Hole, type Piece } from './pieces.ts';
import { columnsOf, constant, named, predicate, rowsOfValues, scopeOf, type Scope } from './queries.ts';
import { STORED, type Column } from './tables.ts';
import type { Tape } from './tape.ts';

const ORDERED_TABLES = ['customers', 'people', 't', 'v', 'members'] as const;
const isSearched = ({ searched }: Column): boolean => searched;

type OneTable = {
  readonly table: string;
  readonly scope: Scope;
  any(): string;
  column(): Column;
  /** The name of one that fits. */
  some(fits: (column: Column) => boolean): string;
  searched(): Column;
  where(): Piece;
};

/** A table under the name `a`, whose ids are different from each other. */
export function oneTable(tape: Tape, tables: readonly string[] = ORDERED_TABLES): OneTable {
  const table = tape.of(tables);
  const scope = scopeOf(table, 'a');
  return {
    table,
    scope,
    any: () => `a.${tape.of(columnsOf(table)).name}`,
    column: () => tape.of(columnsOf(table)),
    some: (fits) => `a.${tape.of(columnsOf(table).filter(fits)).name}`,
    searched: () => tape.of(columnsOf(table).filter(isSearched)),
    where: () => (tape.chance(0.4) ? sql` WHERE ${predicate(tape, scope)}` : []),
  };
}

export function shape(tape: Tape): Piece {
  return tape.way(
    () => rowCompared(tape),
    () => windowed(tape),
    () => lateral(tape),
    () => carried(tape),
    () => groupings(tape),
    () => nestedSets(tape),
    () => joinUsing(tape),
    () => expression(tape),
    () => locked(tape),
    () => renamedTable(tape),
  );
}

function rowCompared(tape: Tape): Piece {
  const one = oneTable(tape);
  const [first, second] = [one.searched(), one.searched()];
  const left = `(a.${first.name}, a.${second.name})`;
  const row = (): Piece => sql`(${constant(tape, first)}, ${constant(tape, second)})`;
  const compared = tape.way(
    () => sql`${left} = ${row()}`,
    () => sql`${left} IN (${row()}, ${row()})`,
    () => sql`${left} <> ${row()}`,
    () => sql`${left} NOT IN (${row()}, ${row()})`,
    () => sql`${left} IN (SELECT s.${first.name}, s.${second.name} FROM ${one.table} s WHERE s.id < 3)`,
    () => sql`${left} IS ${tape.pick('', 'NOT ')}DISTINCT FROM ${row()}`,
    () => sql`${left} = ANY (SELECT s.${first.name}, s.${second.name} FROM ${one.table} s)`,
    () => sql`ROW${left} IS ${tape.pick('', 'NOT ')}NULL`,
    () => sql`${left} = (SELECT s.${first.name}, s.${second.name} FROM ${one.table} s WHERE s.id = 1)`,
    () => sql`${left} IN (VALUES ${row()}, ${row()})`,
  );
  return sql`SELECT a.id, ${one.any()} FROM ${one.table} a WHERE ${compared}`;
}

function windowed(tape: Tape): Piece {
  const one = oneTable(tape);
  const by = `a.${one.searched().name}`;
  const over = tape.pick(
    'OVER (ORDER BY a.id)',
    `OVER (PARTITION BY ${by} ORDER BY a.id)`,
    'OVER (ORDER BY a.id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)',
    'OVER w',
  );
  const shown = one.any();
  const { name, ...column } = one.searched();
  const value = tape.way(
    () => sql`lag(${shown}) ${over}`,
    () => sql`row_number() ${over}`,
    () => sql`lead(${shown}, 2) ${over}`,
    () => sql`first_value(${shown}) ${over}`,
    () => sql`last_value(${shown}) ${over}`,
    () => sql`nth_value(${shown}, 2) ${over}`,
    () => sql`count(${shown}) ${over}`,
    () => sql`count(*) FILTER (WHERE ${predicate(tape, one.scope, 0)}) ${over}`,
    () => sql`lag(a.${name}, 1, ${constant(tape, { name, ...column })}) ${over}`,
    () => sql`coalesce(lag(${shown}) ${over}, ${shown})`,
    () => sql`array_agg(${shown}) ${over}`,
    () => sql`rank() OVER (PARTITION BY ${by} ORDER BY a.id)`,
  );
  const window = over === 'OVER w' ? ` WINDOW w AS (PARTITION BY ${by} ORDER BY a.id)` : '';
  const query = sql`SELECT a.id, ${one.any()} AS shown, ${value} AS value FROM ${one.table} a${one.where()}${window}`;
  return tape.chance(0.3) ? sql`SELECT q.id, q.value FROM (${query}) q WHERE q.id < 4` : query;
}

function lateral(tape: Tape): Piece {
  const one = oneTable(tape);
  const outer = one.searched();
  const inner = tape.of(STORED);
  const other = named(tape, scopeOf(inner, 's'), ({ family }) => family === outer.family)?.text ?? 's.id';
  const condition = other === 's.id' ? 's.id = a.id' : `${other} = a.${outer.name}`;
  const [comma, end] = tape.pick(['CROSS JOIN', ''] as const, ['LEFT JOIN', ' ON true'] as const);
  const source = tape.way(
    () =>
      sql`(SELECT s.id AS other, ${named(tape, scopeOf(inner, 's'))?.text ?? 's.id'} AS x FROM ${inner} s WHERE ${condition}) l`,
    () =>
      sql`(SELECT count(*) AS x FROM ${inner} s WHERE ${condition} AND ${predicate(tape, scopeOf(inner, 's'), 0)}) l`,
    () => sql`(SELECT a.${outer.name} AS x) l`,
    () => sql`(VALUES (a.${outer.name}), (${constant(tape, outer)})) l (x)`,
    () => sql`(SELECT a.${outer.name} AS x UNION SELECT ${other} FROM ${inner} s WHERE ${condition}) l`,
    () => sql`unnest(ARRAY[a.${outer.name}, ${constant(tape, outer)}]) l (x)`,
  );
  return sql`SELECT a.id, l.x FROM ${one.table} a ${comma} LATERAL ${source}${end}${one.where()}`;
}

/** Values inside of arrays, JSON and lists. */
function carried(tape: Tape): Piece {
  const one = oneTable(tape);
  const column = one.searched();
  const { name } = column;
  const shown = one.any();
  const item = tape.way(
    () => sql`ARRAY[a.${name}, ${constant(tape, column)}]`,
    () => sql`ARRAY[${shown}]`,
    () => sql`to_jsonb(${shown})`,
    () => sql`jsonb_build_object('id', a.id, 'x', ${shown})`,
    () => sql`json_build_array(a.id, ${shown}, ${one.any()})`,
    () => sql`(ARRAY[a.${name}, ${constant(tape, column)}])[1]`,
    () => sql`ARRAY(SELECT s.${name} FROM ${one.table} s ORDER BY s.id)`,
    () => sql`(SELECT jsonb_agg(s.${name} ORDER BY s.id) FROM ${one.table} s)`,
    () => sql`(SELECT row_to_json(q) FROM (SELECT a.id, ${shown} AS x) q)`,
    () => sql`${constant(tape, column)} = ANY (ARRAY[a.${name}, ${constant(tape, column)}])`,
  );
  const agg = (): Piece =>
    tape.way(
      () => sql`array_agg(${shown} ORDER BY a.id)`,
      () => sql`jsonb_agg(${shown} ORDER BY a.id)`,
      () => sql`(array_agg(${shown} ORDER BY a.id))[2]`,
      () => sql`jsonb_object_agg(a.id, ${shown} ORDER BY a.id)`,
      () => sql`string_agg(${shown}, ',' ORDER BY a.id)`,
      () => sql`json_agg(jsonb_build_object('x', ${shown}) ORDER BY a.id)`,
      () => sql`array_agg(DISTINCT a.${name}) IS NULL`,
      () => sql`count(DISTINCT a.${name}) FILTER (WHERE ${predicate(tape, one.scope, 0)})`,
    );
  return tape.chance(0.5)
    ? sql`SELECT ${agg()}, ${agg()} FROM ${one.table} a${one.where()}`
    : sql`SELECT a.id, ${item} AS item FROM ${one.table} a${one.where()}`;
}

function groupings(tape: Tape): Piece {
  const one = oneTable(tape);
  const [first, second] = [one.searched(), one.searched()];
  const [x, y] = [`a.${first.name}`, `a.${second.name}`];
  const by = tape.pick(
    `${x}, ${y}`,
    '1, 2',
    `ROLLUP (${x}, ${y})`,
    `GROUPING SETS ((${x}), (${y}), ())`,
    `CUBE (${x}, ${y})`,
  );
  const having = tape.way(
    (): Piece => [],
    () => sql` HAVING count(*) > ${tape.pick(1, 0)}`,
    () => sql` HAVING ${x} = ${constant(tape, first)}`,
    () => sql` HAVING ${x} IS ${tape.pick('', 'NOT ')}NULL`,
    () => sql` HAVING count(DISTINCT ${y}) = 1 OR ${x} IN (${constant(tape, first)}, ${constant(tape, first)})`,
    () => sql` HAVING ${x} = ANY (SELECT s.${first.name} FROM ${one.table} s WHERE s.id < 3)`,
  );
  const more = tape.pick('count(*)', `count(${one.any()})`, 'sum(a.id)', `bool_or(${x} = ${y})`, 'sum(DISTINCT a.id)');
  const names = `${x}${tape.pick('', ' AS x')}, ${y}${tape.pick('', ' AS y')}`;
  return sql`SELECT ${names}, ${more} FROM ${one.table} a${one.where()} GROUP BY ${by}${having}`;
}

const HOWS = ['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL', 'INTERSECT ALL'] as const;

function nestedSets(tape: Tape): Piece {
  const columns = tape.some(['id', 'name', 'email', 'score', 'note'] as const, 0.2);
  const declared = columns
    .map((name) => columnsOf('v').find((column) => column.name === name))
    .filter((one) => one !== undefined);
  const ofTable = (): Piece => {
    const table = tape.pick('customers', 'people', 'v');
    const names = columns.map((name) => `c.${name}`).join(', ');
    return sql`SELECT ${names} FROM ${table} c WHERE ${predicate(tape, scopeOf(table, 'c'), 0)}`;
  };
  const values = (cast: boolean): Piece =>
    joined(
      declared.map((one) => sql`${constant(tape, one)}${cast ? `::${one.type}` : ''}`),
      ', ',
    );
  const part = (how: string, depth: number): Piece => {
    const inner = tape.pick(...HOWS);
    if (depth > 0 && tape.chance(0.4))
      return sql`(${ofTable()} ${inner} ${part(how.startsWith('UNION') ? inner : how, depth - 1)})`;
    // Of INTERSECT and EXCEPT the planner says the modifier of the left side, whatever the analysis has said.
    const ways = [ofTable, () => sql`SELECT ${values(true)}`];
    if (how.startsWith('UNION'))
      ways.push(
        () => sql`SELECT ${values(false)}`,
        () => sql`VALUES (${values(false)})`,
      );
    return tape.of(ways)();
  };
  // Constants that meet no column are sealed nowhere.
  const how = tape.pick(...HOWS);
  const parts = tape.chance(0.5) ? [ofTable(), part(how, 1)] : [part(how, 1), ofTable()];
  const whole = joined(parts, ` ${how} `);
  return tape.way(
    () => whole,
    () => sql`SELECT * FROM (${whole}) q`,
    () =>
      sql`WITH q (${columns.map((_, index) => `c${index}`).join(', ')}) AS (${whole}) SELECT count(*), count(c0) FROM q`,
    () => sql`SELECT a.id FROM customers a WHERE EXISTS (${whole})`,
  );
}

function joinUsing(tape: Tape): Piece {
  const shared = tape.pick('email', 'score', 'id', 'name', 'email, score', 'note');
  const [first, second] = tape.pick(
    ['customers', 'people'] as const,
    ['people', 'v'] as const,
    ['v', 'customers'] as const,
  );
  const kind = tape.pick('JOIN', 'LEFT JOIN', 'FULL JOIN', 'RIGHT JOIN');
  const what = tape.pick('*', shared, `a.id, b.id, ${shared.split(', ')[0] ?? 'id'}`, 'a.*', 'j.*');
  const scope = [...scopeOf(first, 'a'), ...scopeOf(second, 'b')];
  const where = tape.chance(0.5) ? sql` WHERE ${predicate(tape, scope, 0)}` : [];
  if (what === 'j.*') return sql`SELECT j.* FROM ${first} a ${kind} ${second} b USING (${shared}) AS j${where}`;
  return sql`SELECT ${what} FROM ${first} a ${kind} ${second} b USING (${shared})${where}`;
}

/** What may stand where a value does. */
function expression(tape: Tape): Piece {
  const one = oneTable(tape);
  const column = one.searched();
  const x = `a.${column.name}`;
  const value = (): Hole => constant(tape, column);
  const other = (): string => named(tape, one.scope, ({ family }) => family === column.family)?.text ?? x;
  const item = tape.way(
    () => sql`(${predicate(tape, one.scope)}) AS is`,
    () => sql`CASE ${x} WHEN ${value()} THEN 1 WHEN ${value()} THEN 2 ELSE 3 END`,
    () => sql`CASE WHEN ${predicate(tape, one.scope, 0)} THEN ${x} ELSE ${value()} END`,
    () => sql`coalesce(nullif(${x}, ${value()}), ${other()})`,
    () => sql`${x} IS NOT DISTINCT FROM ${other()}`,
    () => sql`CAST(${x} AS ${tape.pick('text', 'varchar(3)', 'int8', 'numeric', column.type)})`,
    () => sql`num_nulls(${x}, ${other()})`,
    () => sql`(SELECT count(*) FROM people s WHERE s.id = a.id AND ${x} IS NOT NULL)`,
    () => sql`greatest(${x}, ${value()})`,
    () => sql`pg_typeof(${x})`,
  );
  if (tape.chance(0.1)) return sql`SELECT DISTINCT ON (${x}) ${x} FROM ${one.table} a${one.where()}`;
  const cast = tape.pick('text', 'int8', 'varchar', column.type);
  const where = tape.chance(0.3) ? sql` WHERE ${x}::${cast} = ${value()}` : one.where();
  return sql`SELECT a.id, ${item} FROM ${one.table} a${where}`;
}

function locked(tape: Tape): Piece {
  const one = oneTable(tape, ['customers', 'people', 't']);
  const how = tape.pick('FOR UPDATE', 'FOR SHARE OF a', 'FOR NO KEY UPDATE SKIP LOCKED', 'FOR KEY SHARE NOWAIT');
  return sql`SELECT a.id, ${one.any()} FROM ${one.table} a${one.where()} ${how}`;
}

function renamedTable(tape: Tape): Piece {
  const rest = tape.pick('WHERE y.p = y.q', 'ORDER BY y.p', '');
  const column = columnsOf('people').find(({ name }) => name === 'email');
  return tape.way(
    () => sql`SELECT y.p, y.r FROM public.people AS y (p, q, r) ${rest === 'WHERE y.p = y.q' ? '' : rest}`,
    () => sql`TABLE ${tape.pick('people', 'v', 'customers')}`,
    () => sql`SELECT people.email, "people"."score" FROM ONLY people`,
    () =>
      sql`WITH w (k, m) AS MATERIALIZED (SELECT id, email FROM people) SELECT w.k, c.id FROM w JOIN customers c ON c.email = w.m`,
    () =>
      sql`WITH w AS (SELECT * FROM people), x AS (SELECT w.email FROM w UNION SELECT email FROM customers) SELECT * FROM x`,
    () =>
      column === undefined
        ? []
        : sql`SELECT c.id, v.id FROM people c, ${rowsOfValues(tape, column)} WHERE c.email = v.x AND EXISTS (SELECT FROM customers s WHERE s.email = v.x)`,
    () =>
      sql`WITH RECURSIVE r (n, e) AS (SELECT 1, email FROM people WHERE id = 1 UNION ALL SELECT n + 1, e FROM r WHERE n < 3) SELECT n, e FROM r`,
  );
}
