/** Random queries over the tables, and the predicates that changes use too. */
import { joined, sql, type Hole, type Piece } from './pieces.ts';
import { STORED, TABLES, type Column } from './tables.ts';
import type { Tape } from './tape.ts';

type Source = { readonly alias: string; readonly columns: readonly Column[] };
export type Scope = readonly Source[];
type Named = { readonly text: string; readonly column: Column };

const NUMBER: Column = { name: 'x', type: 'int', values: ['1'], searched: true, family: 'number', bare: true };

export const columnsOf = (table: string): readonly Column[] => TABLES[table] ?? [];
export const scopeOf = (table: string, alias = table): Scope => [{ alias, columns: columnsOf(table) }];

export function constant(tape: Tape, { values, bare }: Column): Hole {
  return { value: tape.chance(0.05) ? null : tape.of(values), bare };
}

export function named(tape: Tape, scope: Scope, fits: (column: Column) => boolean = () => true): Named | undefined {
  const all = scope.flatMap(({ alias, columns }) =>
    columns.filter(fits).map((column) => ({ text: `${alias}.${column.name}`, column })),
  );
  return all.length === 0 ? undefined : tape.of(all);
}

export function predicate(tape: Tape, scope: Scope, depth = 1): Piece {
  if (depth > 0 && tape.chance(0.3)) {
    const parts = [predicate(tape, scope, depth - 1), predicate(tape, scope, depth - 1)];
    return tape.way(
      () => sql`(${joined(parts, tape.pick(' AND ', ' OR '))})`,
      () => sql`NOT ${joined([sql`(${parts[0] ?? []})`], '')}`,
    );
  }
  if (depth > 0 && tape.chance(0.2)) return subquery(tape, scope);
  const searched = !tape.chance(0.1);
  const picked = named(tape, scope, (column) => column.searched || !searched);
  if (picked === undefined) return sql`true`;
  const { text, column } = picked;
  const value = (): Hole => constant(tape, column);
  const other = (): string => named(tape, scope, ({ family }) => family === column.family)?.text ?? text;
  return tape.way(
    () => sql`${text} = ${value()}`,
    () => sql`${text} IS ${tape.pick('', 'NOT ')}NULL`,
    () => sql`${text} <> ${value()}`,
    () => sql`${text} ${tape.pick('', 'NOT ')}IN (${value()}, ${value()})`,
    () => sql`${text} = ANY (${list(tape, column)})`,
    () => sql`${text} <> ALL (${list(tape, column)})`,
    () => sql`${text} IS ${tape.pick('', 'NOT ')}DISTINCT FROM ${value()}`,
    () => sql`${text} = ${other()}`,
    () => sql`${text} = ${value()}::${column.type}`,
    () => sql`coalesce(${text}, ${value()}) = ${value()}`,
  );
}

function list(tape: Tape, { values }: Column): Hole {
  return { value: tape.several(0, 3, () => (tape.chance(0.1) ? null : tape.of(values))), bare: false };
}

function subquery(tape: Tape, scope: Scope): Piece {
  const outer = named(tape, scope, ({ searched }) => searched) ?? { text: '1', column: NUMBER };
  const table = tape.of(STORED);
  const inner = named(tape, scopeOf(table, 's'), ({ family }) => family === outer.column.family)?.text;
  if (inner === undefined) return sql`${outer.text} IS NOT NULL`;
  return tape.way(
    () =>
      sql`${outer.text} ${tape.pick('IN', 'NOT IN')} (SELECT ${inner} FROM ${table} s WHERE s.id < ${tape.pick('2', '4')})`,
    () => sql`${tape.pick('', 'NOT ')}EXISTS (SELECT 1 FROM ${table} s WHERE ${inner} = ${outer.text})`,
    () => sql`${outer.text} = (SELECT ${inner} FROM ${table} s WHERE s.id = ${tape.pick('1', '2')} LIMIT 1)`,
    () => sql`${outer.text} = ANY (SELECT ${inner} FROM ${table} s)`,
  );
}

function item(tape: Tape, scope: Scope): Piece {
  const { text, column } = named(tape, scope) ?? { text: '1', column: NUMBER };
  return tape.way(
    () => sql`${text}`,
    () => sql`${text} AS ${tape.pick('renamed', 'id', '"Odd Name"')}`,
    () =>
      sql`coalesce(${text}, ${tape.way(
        (): Hole | string => text,
        // With NULL the planner leaves the column, and its modifier comes back.
        (): Hole | string => ({ value: tape.of(column.values), bare: column.bare }),
      )})`,
    () => sql`CASE WHEN ${predicate(tape, scope, 0)} THEN ${text} END`,
    () => sql`nullif(${text}, ${constant(tape, column)})`,
    () => sql`${text}::${column.type}`,
    () => sql`${tape.pick('*', `${tape.of(scope).alias}.*`)}`,
    () =>
      sql`(SELECT s.${tape.pick('name', 'email', 'score', 'note')} FROM people s WHERE s.id = ${tape.pick('1', '2')})`,
  );
}

/** Rows that come with the statement. */
export function rowsOfValues(tape: Tape, column: Column): Piece {
  const value = (): Piece =>
    tape.way(
      () => sql`${constant(tape, column)}::${column.type}`,
      () => sql`${constant(tape, column)}`,
    );
  return tape.way(
    () => sql`(VALUES (1, ${value()}), (2, ${value()})) v (id, x)`,
    () => sql`(SELECT 1 AS id, ${value()} AS x UNION ALL SELECT 2, ${value()}) v`,
    () => sql`unnest(ARRAY[1, 2, 3], ${list(tape, column)}::${column.type.replace(/\(.*\)/u, '')}[]) AS v (id, x)`,
  );
}

function source(tape: Tape, alias: string, depth: number): { piece: Piece; scope: Scope } {
  const table = tape.of(Object.keys(TABLES));
  const columns = columnsOf(table);
  if (depth === 0 || !tape.chance(0.25)) return { piece: sql`${table} ${alias}`, scope: [{ alias, columns }] };
  const kept = columns.filter(({ name }) => name === 'id' || tape.chance(0.5));
  const names = kept.map(({ name }) => `i.${name}`).join(', ');
  const piece = sql`(SELECT ${names} FROM ${table} i WHERE ${predicate(tape, scopeOf(table, 'i'), 0)}) ${alias}`;
  return { piece, scope: [{ alias, columns: kept }] };
}

function from(tape: Tape, depth: number): { piece: Piece; scope: Scope } {
  const first = source(tape, 'a', depth);
  if (!tape.chance(0.4)) return first;
  const second = source(tape, 'b', depth);
  const scope = [...first.scope, ...second.scope];
  const kind = tape.pick('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'CROSS JOIN');
  if (kind === 'CROSS JOIN') return { piece: sql`${first.piece} CROSS JOIN ${second.piece}`, scope };
  const left = named(tape, first.scope, ({ searched }) => searched);
  const right = named(tape, second.scope, ({ family }) => family === left?.column.family);
  const on = left === undefined || right === undefined ? 'a.id = b.id' : `${left.text} = ${right.text}`;
  return { piece: sql`${first.piece} ${kind} ${second.piece} ON ${on}`, scope };
}

function plainSelect(tape: Tape, depth: number): Piece {
  const { piece, scope } = from(tape, depth);
  const items = joined(
    tape.several(1, 3, () => item(tape, scope)),
    ', ',
  );
  const where = tape.chance(0.7) ? sql` WHERE ${predicate(tape, scope, depth)}` : [];
  return sql`SELECT ${tape.chance(0.15) ? 'DISTINCT ' : ''}${items} FROM ${piece}${where}`;
}

function grouped(tape: Tape): Piece {
  const { piece, scope } = from(tape, 0);
  const by = named(tape, scope, ({ searched }) => searched)?.text ?? 'a.id';
  const counted = named(tape, scope)?.text ?? 'a.id';
  const tallies = ['count(*)', `count(${counted})`, `count(DISTINCT ${counted})`];
  // In the order of an id that a join may give several times, lists have no one order.
  if (scope.length === 1) tallies.push(`array_agg(${counted} ORDER BY a.id)`, `json_agg(${counted} ORDER BY a.id)`);
  const tally = tape.of(tallies);
  return sql`SELECT ${by}, ${tally} FROM ${piece} WHERE ${predicate(tape, scope)} GROUP BY ${by}${tape.chance(0.3) ? ' HAVING count(*) > 1' : ''}`;
}

function setOperation(tape: Tape): Piece {
  const column = tape.pick('id', 'name', 'email', 'score', 'note');
  const part = (table: string): Piece =>
    sql`SELECT c.${column} FROM ${table} c WHERE ${predicate(tape, scopeOf(table, 'c'), 0)}`;
  const how = tape.pick('UNION ALL', 'UNION', 'INTERSECT', 'EXCEPT');
  return sql`${part('customers')} ${how} ${part(tape.pick('people', 'v'))}`;
}

function withRows(tape: Tape): Piece {
  const table = tape.pick('customers', 'people', 't');
  const column = tape.of(columnsOf(table));
  const { name } = column;
  const join = tape.pick('JOIN', 'LEFT JOIN', 'RIGHT JOIN');
  return sql`SELECT c.id, c.${name}${tape.pick('', ', v.id', ', v.x')} FROM ${table} c ${join} ${rowsOfValues(tape, column)} ON v.x = c.${name}`;
}

const RECURSIVE =
  'WITH RECURSIVE r AS (SELECT id, email FROM people WHERE id = 1 UNION SELECT c.id, c.email FROM customers c JOIN r ON r.email = c.email) SELECT * FROM r';

export function query(tape: Tape): Piece {
  return tape.way(
    () => plainSelect(tape, 1),
    () => plainSelect(tape, 2),
    () => plainSelect(tape, 1),
    () => grouped(tape),
    () => setOperation(tape),
    () => sql`WITH w AS (${plainSelect(tape, 0)}) SELECT * FROM w`,
    () => withRows(tape),
    () => sql`${RECURSIVE}`,
  );
}

/** Whose rows come in one order. */
export function orderedQuery(tape: Tape): Piece {
  const table = tape.of(['customers', 'people', 'v', 't']);
  const columns = tape.some(columnsOf(table), 0.3).map(({ name }) => `a.${name}`);
  const limit = tape.chance(0.2) ? ' LIMIT 2' : '';
  return sql`SELECT ${columns.join(', ')} FROM ${table} a WHERE ${predicate(tape, scopeOf(table, 'a'))} ORDER BY a.id${limit}`;
}

/** The same, printed. */
export function orderedRows(tape: Tape): Piece {
  const table = tape.of(['customers', 'people', 'v', 't', 'members']);
  const x = `a.${tape.of(columnsOf(table)).name}`;
  const item = tape.pick(
    `${x}::text AS x`,
    'a',
    `to_json(${x})`,
    'row_to_json(a)',
    'a::text',
    `ARRAY[${x}]`,
    `ROW(a.id, ${x})`,
  );
  return sql`SELECT a.id, ${item} FROM ${table} a WHERE ${predicate(tape, scopeOf(table, 'a'))} ORDER BY a.id`;
}
