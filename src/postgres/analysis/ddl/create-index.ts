/** CREATE INDEX on a table with sealed columns: over deterministic ones, for equality. */
import type { IndexElem, IndexStmt } from 'libpg-query';
import { locationOf, namesOf } from '../text/syntax.ts';
import { refuseDdl } from './errors.ts';
import { refuseSealedIn } from './expressions.ts';
import type { DdlStatement } from './statement.ts';
import { columnOf, existingTable, isSealedColumn, type DdlTable } from './tables.ts';
import { listItems } from './text.ts';

/** Operator classes of text that ORMs name for the sake of LIKE, which sealed columns do not have: without them the index serves equality. */
const PATTERN_CLASSES: ReadonlySet<string> = new Set([
  'text_ops',
  'varchar_ops',
  'text_pattern_ops',
  'varchar_pattern_ops',
  'bpchar_pattern_ops',
]);
const EQUALITY_METHODS: ReadonlySet<string> = new Set(['btree', 'hash']);

export function createIndex(ddl: DdlStatement, statement: IndexStmt): void {
  const { relation, indexParams = [], whereClause } = statement;
  if (relation === undefined) return;
  const table = existingTable(relation, ddl.context);
  ddl.qualify(relation, table);
  if (table === undefined) return;
  refuseSealedIn(whereClause, table, 'the predicate of an index', { nullTests: true });
  indexParams.forEach((node, index) => {
    if ('IndexElem' in node) checkElement(ddl, statement, node.IndexElem, { index, table });
  });
}

type Place = { readonly index: number; readonly table: DdlTable };

function checkElement(ddl: DdlStatement, statement: IndexStmt, element: IndexElem, { index, table }: Place): void {
  const { name, expr, collation, opclass } = element;
  refuseSealedIn(expr, table, 'an index');
  if (name === undefined || !isSealedColumn(table, name)) return;
  const items = listItems(ddl.source, locationOf(statement.relation));
  const location = ddl.source.tokens[items[index]?.first ?? -1]?.start ?? locationOf(statement.relation);
  const column = columnOf(table, name);
  if (table.rules.get(name)?.mode !== 'deterministic')
    throw refuseDdl(
      `an index on ${column}: equal values of a randomized column never look equal, so nothing can be found by it`,
      location,
      'Write "mode: deterministic" in its rule, or leave the index out.',
    );
  if (!EQUALITY_METHODS.has(statement.accessMethod ?? 'btree'))
    throw refuseDdl(
      `an index of kind ${statement.accessMethod ?? ''} on sealed column ${column}`,
      location,
      EQUALITY_HINT,
    );
  if (collation !== undefined)
    throw refuseDdl(`an index on ${column} cannot have a collation`, location, EQUALITY_HINT);
  if (opclass !== undefined) dropClass(ddl, namesOf(opclass), items[index], { column, location });
}

const EQUALITY_HINT = 'A sealed column is only compared for equality: write a plain btree or hash index.';

function dropClass(
  ddl: DdlStatement,
  names: readonly string[],
  item: { readonly first: number; readonly last: number } | undefined,
  { column, location }: { readonly column: string; readonly location: number },
): void {
  const written = names.at(-1) ?? '';
  if (item === undefined || !PATTERN_CLASSES.has(written))
    throw refuseDdl(`an index on ${column} cannot have operator class ${written}`, location, EQUALITY_HINT);
  const { source } = ddl;
  const first = item.first + 1;
  const last = first + (names.length - 1) * 2;
  if (last > item.last || !source.tokenText(last).toLowerCase().includes(written))
    throw refuseDdl(`the operator class of an index on ${column} was not found in the text`, location, EQUALITY_HINT);
  ddl.replace({ start: source.tokens[first]?.start ?? location, end: source.tokens[last]?.end ?? location }, ' ');
}
