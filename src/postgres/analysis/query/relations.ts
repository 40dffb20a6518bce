/** Tables and views as range table entries. */
import type { Alias, RangeVar } from 'libpg-query';
import { Analysis } from './analysis.ts';
import { findRelation, type CatalogColumn, type Relation } from '../catalog/catalog.ts';
import { AnalysisError, refuseName, refuseRoutine, refuseStatement, refuseUse, WRITTEN_ELSEWHERE } from '../errors.ts';
import type { RangeEntry, Scope } from './scope.ts';
import { placedColumns, requireNoSealed } from '../expressions/counts.ts';
import { locationOf, namesOf, parseStatements } from '../text/syntax.ts';
import { SourceText } from '../text/source-text.ts';
import { refuseByName, survey } from '../survey.ts';

import { PLAIN, WIDE, type OutputColumn } from '../expressions/values.ts';

/** Schemas whose relations hold no user data and are not in the snapshot. */
const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

/** The relation a name means. Undefined: one of the server's own catalogs. */
export function resolveRelation(analysis: Analysis, name: RangeVar): Relation | undefined {
  const { schemaname: schema, relname = '', catalogname } = name;
  const location = locationOf(name);
  if (catalogname !== undefined)
    throw refuseName('0A000', 'a database name in front of a table is not supported', location);
  if (schema !== undefined && SYSTEM_SCHEMAS.has(schema)) return undefined;
  const relation = findRelation(analysis.catalog, analysis.input.searchPath, schema, relname);
  if (relation === undefined && schema === undefined && relname.startsWith('pg_')) return undefined;
  if (relation === undefined) {
    throw refuseName(
      '42P01',
      `relation "${relname}" does not exist`,
      location,
      'A table made in a transaction is known once it has been committed.',
    );
  }
  if (relation.refusal !== undefined) {
    throw new AnalysisError(
      'ERR_POSTGRES_RULE_UNRESOLVED',
      '0A000',
      relation.refusal,
      location,
      'Run `sealgate check`.',
    );
  }
  if (relation.readRefusal !== undefined) throw refuseRoutine(relation.readRefusal, location);
  analysis.relations.set(relation.oid, relation);
  return relation;
}

/** `FROM t [AS] a (x, y)`: a CTE of that name first, as the server does. */
export function tableEntry(analysis: Analysis, table: RangeVar, scope: Scope): RangeEntry {
  analysis.tablesRead.add(table);
  const { relname = '', schemaname, alias } = table;
  const name = alias?.aliasname ?? relname;
  const cte = schemaname === undefined ? scope.findCte(relname) : undefined;
  if (cte !== undefined) return entry(name, undefined, renamed(cte.columns, alias), {});
  const relation = resolveRelation(analysis, table);
  if (relation === undefined) return entry(name, undefined, [], { opaque: true });
  nameInFull(analysis, table, relation);
  const columns = renamed(relationColumns(analysis, relation), alias);
  return entry(name, alias === undefined ? relation.schema : undefined, columns, {
    isRelation: relation.kind !== 'v',
    key: columns.filter((_column, index) => relation.primaryKey.includes(relation.columns[index]?.name ?? '')),
    renamesRow: namesOf(alias?.colnames).length > 0,
  });
}

export function entry(
  alias: string,
  schema: string | undefined,
  columns: readonly OutputColumn[],
  flags: Partial<Pick<RangeEntry, 'opaque' | 'qualifiedOnly' | 'isRelation' | 'key' | 'renamesRow'>>,
): RangeEntry {
  const wide = columns.some((column) => column.wide === true);
  return { alias, schema, columns, wide, opaque: false, qualifiedOnly: false, isRelation: false, ...flags };
}

/** Column aliases: the first so many columns get other names. */
export function renamed(columns: readonly OutputColumn[], alias: Alias | undefined): readonly OutputColumn[] {
  return withNames(columns, namesOf(alias?.colnames));
}

/** Past a star whose width is not known a name may be that of any column, so all of them are plain. */
export function withNames(columns: readonly OutputColumn[], names: readonly string[]): readonly OutputColumn[] {
  const placed = placedColumns(columns);
  if (names.length === 0) return columns;
  if (placed === columns.length || names.length <= placed)
    return columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
  requireNoSealed(columns, placed, -1);
  const known = columns.slice(0, placed).map((column, index) => ({ ...column, name: names[index] ?? column.name }));
  return [...known, ...names.slice(placed).map((name) => ({ name, value: PLAIN })), WIDE];
}

/** Upstream the name is written with its schema, so that it means there what it means here. */
export function nameInFull(analysis: Analysis, table: RangeVar, relation: Relation): void {
  const start = locationOf(table);
  const { source } = analysis;
  const first = source.tokenAt(start);
  if (first === undefined || start < 0) throw refuseStatement('the name of a table was not found in the text', start);
  // ONLY and parentheses come before the location's token; TABLE's `only (t)` too.
  const last = source.tokenText(first + 1) === '.' ? first + 2 : first;
  analysis.relationNames.push({ relation, start, end: source.tokens[last]?.end ?? start });
}

/** `schema.table` in front of a column or star: where the statement is shown to the server over the shadow, that is another schema. */
export function noteSchema(analysis: Analysis, schema: string, table: string, location: number): void {
  const relation = analysis.relations.values().find((named) => named.schema === schema && named.name === table);
  if (relation === undefined) return;
  const { source } = analysis;
  const token = source.tokenAt(location);
  if (token === undefined || source.tokenText(token + 1) !== '.')
    throw refuseUse(
      'a schema in front of a column was not found in the text',
      location,
      'Leave the schema out, or use an alias.',
    );
  analysis.schemaNames.push({ relation, start: location, end: source.tokens[token]?.end ?? location });
}

export function relationColumns(analysis: Analysis, relation: Relation): readonly OutputColumn[] {
  if (relation.kind === 'v' && relation.hot) return viewColumns(analysis, relation);
  return relation.columns.map(({ name, attnum, sealed }) => ({
    name,
    value:
      sealed === undefined
        ? PLAIN
        : { type: 'sealed', column: sealed, origin: { type: 'column', relationOid: relation.oid, attnum } },
  }));
}

/**
 * A relation as the target of a write: a view with the sealed columns of the table under it, where the server would write through it.
 * The server itself refuses views it cannot write through.
 */
export function writtenRelation(analysis: Analysis, relation: Relation, location: number): Relation {
  if (relation.kind !== 'v' || !relation.hot) return relation;
  const { within, columns } = readView(analysis, relation);
  for (const under of within.relations.values()) {
    const reason =
      under.writeRefusal ?? (under.kind === 'v' ? writtenRelation(analysis, under, location).writeRefusal : undefined);
    if (reason !== undefined) throw refuseStatement(`view ${relation.name}: ${reason}`, location, WRITTEN_ELSEWHERE);
  }
  const sealed = columns.map(({ value }) => value);
  return {
    ...relation,
    columns: relation.columns.map((column, index) => {
      const value = sealed[index];
      if (value?.type !== 'sealed') return column;
      if (value.origin.type === 'column') return { ...column, sealed: value.column };
      throw refuseStatement(
        `view ${relation.name} computes column ${column.name} from a sealed one and cannot be written`,
        location,
        'Write to the table under it.',
      );
    }),
  };
}

/** The columns of the tables under a view that it does not show. */
export function hiddenColumns(analysis: Analysis, view: Relation): readonly CatalogColumn[] {
  if (view.kind !== 'v' || !view.hot) return [];
  const { within, columns } = readView(analysis, view);
  const shown = new Set(columns.flatMap(({ value }) => (value.type === 'sealed' ? [value.column.id] : [])));
  return [...within.relations.values()]
    .flatMap((under) => [...(under.kind === 'v' ? hiddenColumns(analysis, under) : under.columns)])
    .filter(({ sealed }) => sealed !== undefined && !shown.has(sealed.id));
}

/** What a view over sealed columns gives: its definition is analysed as a subquery of its own. */
function viewColumns(analysis: Analysis, view: Relation): readonly OutputColumn[] {
  const { columns: outputs } = readView(analysis, view);
  return view.columns.map(({ name, attnum }, index) => {
    const value = outputs[index]?.value ?? PLAIN;
    return {
      name,
      value: value.type === 'sealed' ? { ...value, origin: { type: 'column', relationOid: view.oid, attnum } } : value,
    };
  });
}

/** Its definition, analysed as a statement of its own. */
function readView(
  analysis: Analysis,
  view: Relation,
): { readonly within: Analysis; readonly columns: readonly OutputColumn[] } {
  if (view.definition === undefined) throw unreadView(view.name);
  const source = new SourceText(view.definition);
  const [statement] = parseStatements(view.definition, source.byteLength);
  if (statement === undefined) throw refuseStatement(`the definition of view ${view.name} is not known`, -1);
  const { catalog } = analysis;
  refuseByName(survey(statement.node), catalog);
  const within = new Analysis({
    ...analysis.input,
    source,
    searchPath: catalog.viewSearchPath,
    declaredOids: [],
    within: 'view',
  });
  const outputs = pointAtView(view, () => {
    const columns = within.query(statement.node, undefined);
    within.finish();
    return columns;
  });
  if (outputs.length !== view.columns.length)
    throw refuseStatement(`view ${view.name} does not have the columns its definition gives`, -1);
  return { within, columns: outputs };
}

/** lock_not_available: the server would have waited, here nobody can tell for whom. */
function unreadView(name: string): AnalysisError {
  const message = `the definition of view ${name} cannot be read while a client has locked what it names`;
  return new AnalysisError('ERR_POSTGRES_CATALOG', '55P03', message, -1, 'Send it again.');
}

/** A refusal inside a view points at the view, whose text the client did not send. */
function pointAtView<Result>(view: Relation, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof AnalysisError)) throw error;
    throw new AnalysisError(
      error.code,
      error.refusal.sqlstate,
      `in view ${view.schema}.${view.name}: ${error.message}`,
      -1,
      error.refusal.hint,
    );
  }
}
