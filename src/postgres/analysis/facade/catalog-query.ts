/**
 * Queries of the catalog, as psql, ORMs and drivers ask them: sealed columns are shown with their logical types. The server still computes
 * the whole answer, over a pg_attribute in which types of sealed columns, and of nothing else, are other ones.
 */
import type { InsertStmt, RangeVar } from 'libpg-query';
import type { SealedPlan, TrackPlan } from '../../plan.ts';
import { Analysis } from '../query/analysis.ts';
import { findRelation, type Catalog } from '../catalog/catalog.ts';
import { piecesOf, requireLexing, rewrittenPlan, searchPathOf, type PlanningContext } from '../draft-query.ts';
import type { Edit } from '../text/edits.ts';
import { AnalysisError, refuseStatement, uncommitted } from '../errors.ts';
import { analyzeExpression } from '../expressions/expressions.ts';
import { namedUse } from '../named.ts';
import { queryAfter, trimmed } from '../text/inner-query.ts';
import { analyzeQuery } from '../query/queries.ts';
import { relationColumns } from '../query/relations.ts';
import { survey } from '../survey.ts';
import { SourceText } from '../text/source-text.ts';
import { locationOf, parseStatements, type Node, type RawStatement } from '../text/syntax.ts';
import { declaredDefaults, logicalAttributes, type ViewColumn } from './logical-attributes.ts';
import { declaredChecks } from './declared-checks.ts';
import { MARK } from './declared-defaults.ts';
import { referencesOf, type References } from './references.ts';
import { CONSTRAINT_TEXT, shownCalls } from './shown-calls.ts';

const ATTRIBUTES = 'pg_attribute';
const DEFAULTS = 'pg_attrdef';
const CONSTRAINTS = 'pg_constraint';
const INFORMATION = 'information_schema';
/** They are of a table's row, and not of a subquery's. */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

/** Words that texts of such queries hold. */
export const CATALOG_WORDS: readonly string[] = [ATTRIBUTES, DEFAULTS, CONSTRAINTS, CONSTRAINT_TEXT, INFORMATION];

/** The rewritten statement; undefined: it asks for no types, or is left to see the server's own. `effect`: of what it prepares, if it does. */
export function draftCatalogQuery(
  statement: RawStatement,
  effect: TrackPlan['effect'] | undefined,
  context: PlanningContext,
): SealedPlan | undefined {
  const { catalog, source } = context;
  const { node } = statement;
  const edits = catalogEdits(node, context);
  if (edits.length === 0) return undefined;
  const showsMarks = edits.some(({ replacement }) => typeof replacement === 'string' && replacement.includes(MARK));
  if (showsMarks && keepsRows(node)) throw refuseStatement(KEPT, trimmed(source, statement).start, KEPT_HINT);
  const shown = showsMarks ? { shown: shownTexts(catalog) } : {};
  const plan = { ...rewrittenPlan(context, trimmed(source, statement), edits), asksCatalog: true, ...shown } as const;
  const named = namedUse(node, statement, effect, context);
  if (named?.type !== 'prepare') return { ...plan, ...(named && { named }) };
  const prepared = { ...named.statement, ...piecesOf(source, queryAfter(source, statement, 'as'), edits) };
  return { ...plan, named: { ...named, statement: prepared } };
}

function catalogEdits(node: Node, context: PlanningContext): readonly Edit[] {
  const { catalog, source } = context;
  const query = askedIn(node);
  if (query === undefined || context.seesPhysicalTypes === true || !hasPlainSettings(context)) return [];
  const found = referencesOf(query);
  const targets = found.tables.filter((table) => isTarget(table, found, context));
  const edits = [
    ...targets.flatMap((table) => replaced(table, found, context)),
    ...shortened(found, targets, source),
    ...shownCalls(found, targets, source, catalog),
  ];
  // Whether they are to be shown so, and what their names mean, is not known before what is ahead of it has run.
  if (edits.length > 0 && context.afterSettingsChange === true) throw uncommitted();
  return edits;
}

/** What of a statement may show rows of the catalog: now, later by a name, in a file or in a table. Definitions of views are not answers. */
function askedIn(node: Node): Node | undefined {
  if ('SelectStmt' in node) return node;
  if ('InsertStmt' in node) return insertedBy(node.InsertStmt);
  const inner =
    'DeclareCursorStmt' in node
      ? node.DeclareCursorStmt.query
      : 'PrepareStmt' in node
        ? node.PrepareStmt.query
        : 'ExplainStmt' in node
          ? node.ExplainStmt.query
          : 'CopyStmt' in node
            ? node.CopyStmt.query
            : 'CreateTableAsStmt' in node && node.CreateTableAsStmt.objtype === 'OBJECT_TABLE'
              ? node.CreateTableAsStmt.query
              : undefined;
  return inner && askedIn(inner);
}

const KEPT = 'copies of the catalog are not supported where rules declare defaults or CHECKs';
const KEPT_HINT = "Select what is wanted, or SET sealgate.catalog TO 'physical' first.";

/** What rules declare is put into rows on their way to the client: not where the server keeps the rows, or sends them as COPY data. */
function keepsRows(node: Node): boolean {
  if ('PrepareStmt' in node && node.PrepareStmt.query !== undefined) return keepsRows(node.PrepareStmt.query);
  if ('ExplainStmt' in node || 'DeclareCursorStmt' in node) return false;
  return !('SelectStmt' in node) || survey(node).hasInto;
}

/** But for the table it is inserted into. */
function insertedBy({ relation: _relation, ...query }: InsertStmt): Node {
  return { InsertStmt: query };
}

/** Names and strings are what they look like; else the query is left as it is. */
function hasPlainSettings({ settings }: PlanningContext): boolean {
  try {
    requireLexing(settings);
    return true;
  } catch (error) {
    if (error instanceof AnalysisError) return false;
    throw error;
  }
}

function isTarget(table: RangeVar, found: References, { catalog, settings, source }: PlanningContext): boolean {
  const { schemaname, relname = '', catalogname, inh } = table;
  const before = source.tokenText((source.tokenAt(locationOf(table)) ?? 0) - 1).toLowerCase();
  if (catalogname !== undefined || inh !== true || before === 'table') return false;
  if (hidesSystemColumns(table, found)) return false;
  if (schemaname === INFORMATION) return catalog.facts.informationViews.some(([name]) => name === relname);
  if (!isShownOtherwise(relname, catalog)) return false;
  if (schemaname !== undefined) return schemaname === 'pg_catalog';
  return (
    !found.commonTables.has(relname) && findRelation(catalog, searchPathOf(settings), undefined, relname) === undefined
  );
}

function isShownOtherwise(relname: string, catalog: Catalog): boolean {
  if (relname === DEFAULTS) return !declaredDefaults(catalog).isEmpty;
  return relname === ATTRIBUTES || (relname === CONSTRAINTS && !declaredChecks(catalog).isEmpty);
}

function hidesSystemColumns({ alias, relname = '' }: RangeVar, { columns }: References): boolean {
  const name = alias?.aliasname ?? relname;
  return columns.some(({ names }) => {
    const qualifier = names.at(-2);
    return SYSTEM_COLUMNS.has(names.at(-1) ?? '') && (qualifier === undefined || qualifier === name);
  });
}

function replaced(table: RangeVar, found: References, { catalog, source }: PlanningContext): readonly Edit[] {
  const text = source.sql.toLowerCase();
  const needsAll = takesRows(table, found);
  const subquery =
    table.schemaname === INFORMATION
      ? informationView(catalog, table.relname ?? '')
      : table.relname === DEFAULTS
        ? declaredDefaults(catalog).relation
        : table.relname === CONSTRAINTS
          ? declaredChecks(catalog).relation(catalog.facts.constraintColumns)
          : logicalAttributes(catalog, viewColumns(catalog), (column) => needsAll || text.includes(column));
  const first = source.tokenAt(locationOf(table));
  if (subquery === undefined || first === undefined) return [];
  const last = table.schemaname === undefined ? first : first + 2;
  const start = source.tokens[first]?.start ?? 0;
  const name = table.alias === undefined ? ` AS ${table.relname ?? ''}` : '';
  return [{ start, end: source.tokens[last]?.end ?? start, replacement: `${subquery}${name}` }];
}

/** Whether its columns are used under other names than their own. */
function takesRows({ alias, relname = '' }: RangeVar, { columns }: References): boolean {
  const name = alias?.aliasname ?? relname;
  return alias?.colnames !== undefined || columns.some(({ star, names }) => star || names.at(-1) === name);
}

/** `pg_catalog.pg_attribute.attname`, as SQLAlchemy writes: a subquery has no schema. */
function shortened(found: References, targets: readonly RangeVar[], source: SourceText): readonly Edit[] {
  const bare = targets.filter(({ alias }) => alias === undefined);
  return found.columns.flatMap(({ names, star, ref }) => {
    const [schema, table] = names;
    if (names.length !== (star ? 2 : 3)) return [];
    if (!bare.some(({ schemaname = 'pg_catalog', relname }) => schemaname === schema && relname === table)) return [];
    const first = source.tokenAt(locationOf(ref));
    const next = first === undefined ? undefined : source.tokens[first + 2];
    return next === undefined ? [] : [{ start: locationOf(ref), end: next.start, replacement: '' }];
  });
}

const TEXTS = new WeakMap<Catalog, ReadonlyMap<string, string>>();

function shownTexts(catalog: Catalog): ReadonlyMap<string, string> {
  const known = TEXTS.get(catalog);
  if (known !== undefined) return known;
  const made = new Map([...declaredDefaults(catalog).texts, ...declaredChecks(catalog).texts]);
  TEXTS.set(catalog, made);
  return made;
}

const INFORMATION_VIEWS = new WeakMap<Catalog, Map<string, string | undefined>>();

/** The view's own text over the other pg_attribute, in parentheses. */
function informationView(catalog: Catalog, name: string): string | undefined {
  const known = INFORMATION_VIEWS.get(catalog) ?? new Map<string, string | undefined>();
  INFORMATION_VIEWS.set(catalog, known);
  if (!known.has(name)) known.set(name, madeView(catalog, name));
  return known.get(name);
}

function madeView(catalog: Catalog, name: string): string | undefined {
  const definition = catalog.facts.informationViews.find(([view]) => view === name)?.[1];
  const attributes = logicalAttributes(catalog, viewColumns(catalog), () => true);
  if (definition === undefined || attributes === undefined) return undefined;
  const source = new SourceText(definition);
  const [statement] = parseStatements(definition, source.byteLength);
  if (statement === undefined) return undefined;
  const found = referencesOf(statement.node);
  const { tables, columns, commonTables } = found;
  const defaults = declaredDefaults(catalog);
  const aliases = new Set<string>();
  const edits: Edit[] = [];
  for (const table of tables) {
    const { schemaname, relname = '', alias } = table;
    if (schemaname !== undefined || commonTables.has(relname)) continue;
    const start = locationOf(table);
    const isAttributes = relname === ATTRIBUTES;
    if (isAttributes) aliases.add(alias?.aliasname ?? relname);
    const replacement = isAttributes
      ? attributes
      : relname === DEFAULTS && !defaults.isEmpty
        ? defaults.relation
        : undefined;
    const named =
      replacement === undefined
        ? `pg_catalog.${relname}`
        : `${replacement}${alias === undefined ? ` AS ${relname}` : ''}`;
    edits.push({ start, end: start + relname.length, replacement: named });
  }
  edits.push(...shownCalls(found, tables, source, catalog));
  // Whole rows are handed to functions that take a row of pg_attribute.
  for (const { names, star, ref } of columns) {
    if (!star || names.length !== 1 || !aliases.has(names[0] ?? '')) continue;
    const first = source.tokenAt(locationOf(ref)) ?? 0;
    const end = source.tokens[first + 2]?.end ?? 0;
    edits.push({ start: locationOf(ref), end, replacement: `ROW(${names[0] ?? ''}.*)::pg_catalog.${ATTRIBUTES}` });
  }
  const { pieces } = piecesOf(source, trimmed(source, statement), edits);
  return `(${pieces.filter((piece) => typeof piece === 'string').join('')})`;
}

const VIEW_COLUMNS = new WeakMap<Catalog, readonly ViewColumn[]>();

function viewColumns(catalog: Catalog): readonly ViewColumn[] {
  const known = VIEW_COLUMNS.get(catalog);
  if (known !== undefined) return known;
  const made = [...catalog.relations.values()].flatMap((relation) =>
    relation.kind === 'v' && relation.hot ? sealedOf(relation, catalog) : [],
  );
  VIEW_COLUMNS.set(catalog, made);
  return made;
}

function sealedOf(view: Parameters<typeof relationColumns>[1], catalog: Catalog): readonly ViewColumn[] {
  const analysis = new Analysis({
    catalog,
    searchPath: [],
    source: new SourceText(''),
    declaredOids: [],
    analyzeQuery,
    analyzeExpression,
    within: 'statement',
  });
  try {
    return relationColumns(analysis, view).flatMap(({ value }, index) => {
      const attnum = view.columns[index]?.attnum;
      if (value.type !== 'sealed' || attnum === undefined) return [];
      return [{ relation: view.oid, attnum, type: value.column.type }];
    });
  } catch (error) {
    // A view that cannot be analysed is refused to statements, and shown as it is.
    if (error instanceof AnalysisError) return [];
    throw error;
  }
}
