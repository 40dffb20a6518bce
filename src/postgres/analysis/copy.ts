/**
 * COPY on tables with sealed columns, analysed as the statement it amounts to: COPY FROM as an INSERT of parameters, COPY TO of a table as
 * a SELECT of its columns, COPY of a query as that query. The server is asked about the same, so its opinion is had of COPY too.
 */
import type { CopyStmt, DefElem, RangeVar } from 'libpg-query';
import type { CopyPlan, SealedLiteral, SealedPlan } from '../plan.ts';
import { quoteIdentifier, quoteQualified } from '../service/names.ts';
import { findRelation, type CatalogColumn, type Relation } from './catalog/catalog.ts';
import { copyFormat } from './copy-options.ts';
import {
  draftQuery,
  requireSettings,
  searchPathOf,
  withEdits,
  type DraftPlan,
  type PlanningContext,
} from './draft-query.ts';
import { refuseName, refuseStatement, refuseUse, requireNoParameters } from './errors.ts';
import { parenthesizedQuery } from './text/inner-query.ts';
import { SourceText } from './text/source-text.ts';
import { locationOf, namesOf, parseStatements, type Node, type RawStatement } from './text/syntax.ts';
import { placedColumns, unknownColumns } from './expressions/counts.ts';
import { refuseSealed } from './expressions/refuse-sealed.ts';
import { columnName } from './expressions/values.ts';

/** The statement names something hot. */
export function draftCopy(statement: RawStatement, copy: CopyStmt, context: PlanningContext): DraftPlan {
  requireSettings(context.settings);
  if (copy.filename !== undefined || copy.is_program === true) {
    throw refuseStatement(
      'COPY of tables with sealed columns goes to and from the client only',
      statement.start,
      'Use STDIN and STDOUT: the server would read or write sealed values.',
    );
  }
  if (copy.query !== undefined) return copyQuery(statement, copy, copy.query, context);
  if (copy.relation === undefined) throw refuseStatement('COPY of nothing', statement.start);
  return copyTable(statement, copy, copy.relation, context);
}

/** COPY (query) TO STDOUT: the query as it would be sent by itself, in the same place. */
function copyQuery(statement: RawStatement, copy: CopyStmt, query: Node, context: PlanningContext): DraftPlan {
  const { source } = context;
  const drafted = draftQuery(statement, query, parenthesizedQuery(source, statement), context);
  requireNoParameters(drafted.plan.parameters);
  drafted.opinion.analysis.literalsMatter = true;
  for (const { value } of drafted.opinion.outputs)
    if (value.type === 'sealed' && value.column.carries !== undefined)
      throw refuseSealed(value.column, 'as a column of COPY', -1);
  const { outputs } = drafted.opinion;
  // Columns that the options name are told by their places.
  const isNaming = (copy.options ?? []).some((option) => 'DefElem' in option && listed(option.DefElem));
  if (isNaming && placedColumns(outputs) < outputs.length) throw unknownColumns(-1);
  const names = outputs.map(({ name }) => name);
  const format = copyFormat(copy.options ?? [], names);
  return withCopy(drafted, { direction: 'out', format, table: '', names, fields: [] });
}

const listed = ({ arg }: DefElem): boolean => arg !== undefined && 'List' in arg;

function copyTable(statement: RawStatement, copy: CopyStmt, table: RangeVar, context: PlanningContext): DraftPlan {
  const relation = relationOf(table, context);
  const columns = columnsOf(relation, namesOf(copy.attlist), locationOf(table));
  const names = columns.map(({ name }) => name);
  const format = copyFormat(copy.options ?? [], names);
  const name = quoteQualified(relation.schema, relation.name);
  const from = copy.is_from === true;
  const added = from
    ? relation.columns.filter((column) => column.sealed?.default !== undefined && !columns.includes(column))
    : [];
  const list = [...names, ...added.map((column) => column.name)].map(quoteIdentifier).join(', ');
  const drafted = draftText(
    from
      ? `INSERT INTO ${name} (${list}) VALUES (${[...columns, ...added].map((_name, index) => `$${index + 1}`).join(', ')})`
      : `SELECT ${list} FROM ONLY ${name}`,
    context,
  );
  drafted.opinion.analysis.literalsMatter = true;
  if (copy.whereClause !== undefined) requirePlainWhere(statement, name, context);
  const fields = from ? names.map((_name, index) => drafted.plan.parameters.get(index + 1)) : [];
  if (from) requireNoMarker(format, columns, locationOf(table));
  const defaults = added.flatMap(({ sealed }): SealedLiteral[] =>
    sealed?.default === undefined ? [] : [{ column: sealed, value: sealed.default, purpose: 'store', isDefault: true }],
  );
  const sealed = withCopy(drafted, {
    direction: from ? 'in' : 'out',
    format,
    table: relation.name,
    names,
    fields,
    ...(defaults.length > 0 && { defaults }),
  });
  return withText(sealed, statement, table, `${name} (${list})`, context);
}

/** What stands for a default in the data would be the server's, which has none. */
function requireNoMarker(format: CopyPlan['format'], columns: readonly CatalogColumn[], location: number): void {
  const marks = format.type !== 'binary' && format.defaultMarker !== undefined;
  if (!marks || columns.every(({ sealed }) => sealed?.default === undefined)) return;
  throw refuseUse(
    'COPY with the option DEFAULT is not supported for sealed columns that have defaults',
    location,
    'Leave the columns out of the COPY, or write their values.',
  );
}

function relationOf(table: RangeVar, { catalog, settings }: PlanningContext): Relation {
  const { schemaname, relname = '', catalogname } = table;
  const relation = findRelation(catalog, searchPathOf(settings), schemaname, relname);
  if (relation === undefined || catalogname !== undefined)
    throw refuseName('42P01', `relation "${relname}" does not exist`, locationOf(table));
  return relation;
}

/** Those named, or all but generated ones. */
function columnsOf(relation: Relation, named: readonly string[], location: number): readonly CatalogColumn[] {
  if (named.length === 0) return relation.columns.filter(({ generated }) => !generated);
  return named.map((name) => {
    const column = relation.columns.find((candidate) => candidate.name === name);
    if (column === undefined)
      throw refuseName('42703', `column "${name}" of relation "${relation.name}" does not exist`, location);
    return column;
  });
}

/** A statement of ours, in the client's place. */
function draftText(sql: string, context: PlanningContext): DraftPlan {
  const source = new SourceText(sql);
  const [statement] = parseStatements(sql, source.byteLength);
  if (statement === undefined) throw new TypeError('a statement without a statement');
  return draftQuery(statement, statement.node, statement, { ...context, source, declaredOids: [] });
}

/** What COPY FROM keeps of its rows is decided by the server, which sees no sealed value. */
function requirePlainWhere(statement: RawStatement, table: string, context: PlanningContext): void {
  const { source } = context;
  const where = whereStart(source, statement);
  const condition = source.slice(where, statement.end);
  const { analysis } = draftText(`SELECT FROM ONLY ${table} ${condition}`, context).opinion;
  if (analysis.columns.size === 0 && analysis.edits.length === 0) return;
  throw refuseUse('WHERE of COPY FROM cannot use sealed columns', where, 'Leave out such rows before they are sent.');
}

/** COPY has one WHERE outside of parentheses, its last clause. */
function whereStart(source: SourceText, { start, end }: RawStatement): number {
  let depth = 0;
  for (const [index, token] of source.tokens.entries()) {
    if (token.start < start || token.end > end) continue;
    const text = source.tokenText(index);
    if (text === '(') depth++;
    if (text === ')') depth--;
    if (depth === 0 && /^where$/i.test(text)) return token.start;
  }
  return end;
}

function withCopy(drafted: DraftPlan, copy: CopyPlan): DraftPlan {
  refuseMarkers(drafted.plan, copy);
  const plan: SealedPlan = { ...drafted.plan, parameters: new Map(), parameterOids: new Map(), copy };
  return { ...drafted, plan };
}

/** A stored text that is the marker of NULL or DEFAULT would be taken for it. */
function refuseMarkers({ columns }: SealedPlan, { format }: CopyPlan): void {
  const preserving = columns.find((column) => column.format !== undefined);
  if (preserving === undefined || format.type === 'binary') return;
  const markers = [format.nullMarker, format.defaultMarker].map((marker) =>
    Buffer.from(marker ?? []).toString('latin1'),
  );
  if (!markers.some((marker) => /^[0-9A-Za-z]{4,}$/.test(marker))) return;
  throw refuseUse(
    `a value of format-preserving column ${columnName(preserving)} could be the text that this COPY takes for NULL or DEFAULT`,
    -1,
    'Choose a marker with another character than letters and digits.',
  );
}

/** The client's own text, with the table written in full and its columns named. */
function withText(
  drafted: DraftPlan,
  statement: RawStatement,
  table: RangeVar,
  replacement: string,
  { source }: PlanningContext,
): DraftPlan {
  const start = locationOf(table);
  let last = source.tokenAt(start) ?? 0;
  while (source.tokenText(last + 1) === '.') last += 2;
  if (source.tokenText(last + 1) === '*') last += 1;
  if (source.tokenText(last + 1) === '(') while (source.tokenText(last) !== ')') last += 1;
  const edit = { start, end: source.tokens[last]?.end ?? start, replacement };
  return withEdits(drafted, source, statement, [edit]);
}
