/** What a client does: one choice of statement and way after the other. */
import type { Parameter, Way } from '../support/postgres/wire-asker.ts';
import { change } from './changes.ts';
import { constantsOf, sql, withConstants, withParameters, type Piece } from './pieces.ts';
import { columnsOf, constant, orderedQuery, orderedRows, query } from './queries.ts';
import { rareChange } from './more-changes.ts';
import { printedShape } from './printed-shapes.ts';
import { rowShape } from './row-shapes.ts';
import { setting } from './settings.ts';
import { shape } from './shapes.ts';
import { typedShape } from './typed-shapes.ts';
import type { Tape } from './tape.ts';

export type Act =
  | {
      readonly type: 'ask';
      readonly sql: string;
      readonly values: readonly Parameter[];
      readonly way: Way;
      readonly ordered: boolean;
    }
  /** One portal that gives its rows a few at a time. */
  | {
      readonly type: 'portal';
      readonly sql: string;
      readonly values: readonly Parameter[];
      readonly rows: readonly number[];
      /** What is run before each Execute. */
      readonly before: readonly (string | undefined)[];
    }
  /** One named statement bound several times, in text and in binary by turns, in one go. */
  | {
      readonly type: 'named';
      readonly sql: string;
      readonly bound: readonly (readonly Parameter[])[];
      readonly ordered: boolean;
    }
  /** Several statements before the one Sync. */
  | {
      readonly type: 'pipeline';
      readonly parts: readonly { readonly sql: string; readonly values: readonly Parameter[] }[];
    }
  | { readonly type: 'copy out'; readonly sql: string; readonly extended: boolean; readonly ordered: boolean }
  | { readonly type: 'copy in'; readonly sql: string; readonly extended: boolean; readonly data: string };

/** Behind what changes settings, in one message. */
const behind = (tape: Tape, act: Act): Act =>
  act.type === 'ask' && act.way === 'simple' && tape.chance(0.2)
    ? { ...act, sql: `${setting(tape)}; ${act.sql}` }
    : act;

const say = (text: string): Act => ({ type: 'ask', sql: text, values: [], way: 'simple', ordered: true });

/** The acts of one step; `step` is where it stands among the others. */
export function actsOf(tape: Tape, step: number): readonly Act[] {
  const ids = { first: 100 + step * 20 };
  const changed = (): readonly Act[] => [asked(tape, change(tape, ids))];
  const queried = (): readonly Act[] => [asked(tape, query(tape))];
  const shaped = (): readonly Act[] => [asked(tape, shape(tape))];
  const rarelyChanged = (): readonly Act[] => [asked(tape, rareChange(tape, ids))];
  const printed = (): readonly Act[] => [asked(tape, printedAs(tape))];
  return tape.way(
    queried,
    changed,
    shaped,
    changed,
    rarelyChanged,
    shaped,
    rarelyChanged,
    queried,
    () => [asked(tape, orderedQuery(tape), true)],
    () => [say(tape.pick('BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT s', 'ROLLBACK TO s', 'RELEASE s'))],
    () => [say('BEGIN')],
    () => portal(tape),
    () => cursor(tape),
    () => prepared(tape, ids.first),
    () => [copyOut(tape)],
    () => [copyIn(tape, ids.first)],
    () => several(tape, ids.first),
    () => named(tape),
    () => pipeline(tape, ids.first),
    () => [say(setting(tape))],
    () => [say(setting(tape))],
    printed,
    printed,
    printed,
    () => underSettings(tape, ids.first),
    () => positioned(tape),
  );
}

const printedAs = (tape: Tape): Piece =>
  tape.way(
    () => printedShape(tape),
    () => rowShape(tape),
    () => typedShape(tape),
  );

/** Before the one Sync, settings change between what is printed. */
function underSettings(tape: Tape, first: number): readonly Act[] {
  const parts = tape.several(2, 5, (index) => {
    if (index % 2 === 0) return { sql: setting(tape), values: [] };
    const { text, values } = withParameters(
      tape.way(
        () => printedAs(tape),
        () => orderedQuery(tape),
        () => change(tape, { first: first + index * 4 }),
        () => query(tape),
      ),
    );
    return { sql: text, values };
  });
  return [{ type: 'pipeline', parts }];
}

function asked(tape: Tape, piece: Piece, ordered = false): Act {
  const way = tape.pick<Way>('simple', 'text', 'binary');
  if (way === 'simple') return { type: 'ask', sql: withConstants(piece), values: [], way, ordered };
  const { text, values } = withParameters(piece, tape.chance(0.2));
  return { type: 'ask', sql: text, values, way, ordered };
}

function named(tape: Tape): readonly Act[] {
  const { text, values } = withParameters(tape.chance(0.7) ? orderedQuery(tape) : shape(tape));
  // Each place gets what another has, where that is of its kind, and null.
  const bound = tape.several(1, 4, (index) =>
    values.map((value) =>
      index > 0 && tape.chance(0.2)
        ? null
        : index > 1
          ? tape.of(values.filter((one) => typeof one === typeof value))
          : value,
    ),
  );
  return [{ type: 'named', sql: text, bound, ordered: false }];
}

function pipeline(tape: Tape, first: number): readonly Act[] {
  const parts = tape.several(2, 4, (index) => {
    const { text, values } = withParameters(
      tape.way(
        () => query(tape),
        () => change(tape, { first: first + index * 4 }),
        () => shape(tape),
      ),
    );
    return { sql: text, values };
  });
  return [{ type: 'pipeline', parts }];
}

/** What a cursor stands on is changed. */
function positioned(tape: Tape): readonly Act[] {
  const table = tape.pick('people', 'customers');
  const column = tape.of(columnsOf(table).filter(({ name }) => name !== 'id'));
  const { name } = column;
  const changed = tape.way(
    () => sql`UPDATE ${table} SET ${name} = ${constant(tape, column)} WHERE CURRENT OF c RETURNING id, ${name}`,
    () => sql`DELETE FROM ${table} WHERE CURRENT OF c`,
  );
  const select = `SELECT id, ${name} FROM ${table} WHERE id < 3 ORDER BY id FOR UPDATE`;
  return [
    say('BEGIN'),
    say(`DECLARE c ${tape.pick('', 'BINARY ')}CURSOR FOR ${select}`),
    say('FETCH c'),
    asked(tape, changed, true),
    say(tape.pick('COMMIT', 'ROLLBACK')),
  ];
}

function portal(tape: Tape): readonly Act[] {
  const isPrinted = tape.chance(0.3);
  const { text, values } = withParameters(isPrinted ? orderedRows(tape) : orderedQuery(tape));
  const rows = tape.several(1, 3, () => tape.pick(1, 2, 0));
  // Text is not read on under other settings than those of the first row.
  const before = rows.map((_, index) => ((index > 0 && isPrinted) || !tape.chance(0.5) ? undefined : setting(tape)));
  return [{ type: 'portal', sql: text, values, rows, before }];
}

function cursor(tape: Tape): readonly Act[] {
  const hold = tape.pick('', ' WITH HOLD');
  const fetch = (): Act =>
    say(
      tape.pick(
        'FETCH c',
        'FETCH 2 FROM c',
        'MOVE c',
        'FETCH ALL FROM c',
        'FETCH FIRST FROM c',
        'FETCH PRIOR FROM c',
        'FETCH LAST FROM c',
        'FETCH ABSOLUTE 2 FROM c',
        'FETCH RELATIVE -1 FROM c',
        'FETCH BACKWARD ALL FROM c',
        'MOVE FORWARD ALL IN c',
      ),
    );
  return [
    say(
      `DECLARE c ${tape.pick('', 'SCROLL ', 'BINARY ', 'BINARY SCROLL ', 'NO SCROLL ')}CURSOR${hold} FOR ${withConstants(tape.chance(0.3) ? orderedRows(tape) : orderedQuery(tape))}`,
    ),
    ...tape.several(1, 3, () => behind(tape, fetch())),
    say('CLOSE c'),
  ];
}

function prepared(tape: Tape, first: number): readonly Act[] {
  const piece = tape.way(
    () => orderedQuery(tape),
    () => change(tape, { first }),
  );
  const list = constantsOf(piece).join(', ');
  const execute = say(`EXECUTE p${list === '' ? '' : ` (${list})`}`);
  const sorted = execute.type === 'ask' ? { ...execute, ordered: false } : execute;
  return [
    say(`PREPARE p AS ${withParameters(piece).text}`),
    ...tape.several(1, 2, () => behind(tape, sorted)),
    say('DEALLOCATE p'),
  ];
}

/** In one message. */
function several(tape: Tape, first: number): readonly Act[] {
  const parts = [
    ...(tape.chance(0.3) ? [sql`${setting(tape)}`] : []),
    change(tape, { first }),
    tape.way(
      () => query(tape),
      () => change(tape, { first: first + 10 }),
    ),
  ];
  return [{ type: 'ask', sql: parts.map(withConstants).join('; '), values: [], way: 'simple', ordered: false }];
}

const FORMATS = ['text', 'csv', 'binary'] as const;

function copyOut(tape: Tape): Act {
  const format = tape.of(FORMATS);
  const table = tape.pick('people', 'customers', 't');
  const columns = tape.some(columnsOf(table), 0.5).map(({ name }) => name);
  // The order of a table's rows is that of its pages.
  const isQuery = format === 'binary' || tape.chance(0.5);
  const what = isQuery
    ? `(${withConstants(tape.chance(0.3) ? orderedRows(tape) : orderedQuery(tape))})`
    : `${table} (${columns.join(', ')})`;
  return {
    type: 'copy out',
    sql: `COPY ${what} TO STDOUT (FORMAT ${format})`,
    extended: tape.chance(0.5),
    ordered: isQuery,
  };
}

function copyIn(tape: Tape, first: number): Act {
  const format = tape.pick('text', 'csv');
  const table = tape.pick('people', 'customers', 't');
  const columns = tape.some(
    columnsOf(table).filter(({ name }) => name !== 'id'),
    0.4,
  );
  const lines = tape.several(1, 3, (index) => {
    const values = columns.map((column) => constant(tape, column).value);
    const fields = [String(first + index), ...values.map((value) => fieldOf(value, format))];
    return `${fields.join(format === 'csv' ? ',' : '\t')}\n`;
  });
  const names = ['id', ...columns.map(({ name }) => name)].join(', ');
  return {
    type: 'copy in',
    sql: `COPY ${table} (${names}) FROM STDIN (FORMAT ${format})`,
    extended: tape.chance(0.5),
    data: lines.join(''),
  };
}

function fieldOf(value: Parameter, format: 'text' | 'csv'): string {
  if (typeof value !== 'string') return format === 'csv' ? '' : String.raw`\N`;
  if (format === 'csv') return `"${value.replaceAll('"', '""')}"`;
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', String.raw`\t`)
    .replaceAll('\n', String.raw`\n`);
}

/** As a person would type it. */
export function actText(act: Act): string {
  switch (act.type) {
    case 'ask':
      return `${act.way}: ${act.sql}${act.values.length === 0 ? '' : ` -- ${JSON.stringify(act.values)}`}`;
    case 'portal':
      return `portal, rows ${act.rows.join(', ')}${act.before.map((one) => ` / ${one ?? ''}`).join('')}: ${act.sql} -- ${JSON.stringify(act.values)}`;
    case 'named':
      return `named: ${act.sql} -- ${JSON.stringify(act.bound)}`;
    case 'pipeline':
      return `pipeline: ${act.parts.map(({ sql: text, values }) => `${text} -- ${JSON.stringify(values)}`).join('; ')}`;
    case 'copy out':
      return `${act.extended ? 'extended' : 'simple'}: ${act.sql}`;
    case 'copy in':
      return `${act.extended ? 'extended' : 'simple'}: ${act.sql} -- ${JSON.stringify(act.data)}`;
  }
}
