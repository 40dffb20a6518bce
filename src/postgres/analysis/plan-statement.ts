/** One statement of a message: what kind it is, whether it names anything hot, and the plan. */
import { originKey, type ResultOrigin, type SealedColumn, type SealedPlan, type StatementPlan } from '../plan.ts';
import type { SessionSettings } from '../session/settings.ts';
import { Analysis } from './analysis.ts';
import type { Catalog } from './catalog.ts';
import { splice, type Edit } from './edits.ts';
import { AnalysisError, refuseStatement } from './errors.ts';
import { analyzeExpression } from './expressions.ts';
import { namesPattern } from './hot-set.ts';
import { analyzeQuery } from './queries.ts';
import type { SecondOpinion } from './second-analysis.ts';
import { settingsKey } from './settings-key.ts';
import type { SourceText } from './source-text.ts';
import { statementKind } from './statement-kinds.ts';
import { hotTable, refuseByName, survey, type Survey } from './survey.ts';
import { kindOf, locationOf, type Node, type RawStatement } from './syntax.ts';
import { quoteQualified } from '../service/names.ts';
import type { OutputColumn } from './values.ts';

export type PlanningContext = {
  readonly catalog: Catalog;
  readonly source: SourceText;
  readonly declaredOids: readonly number[];
  readonly settings: SessionSettings;
};

/** A sealed plan before the server has agreed to it. */
export type DraftPlan = {
  readonly type: 'draft';
  readonly plan: SealedPlan;
  readonly opinion: SecondOpinion;
  /** In order, without doubles: what the plan's pieces were made with. */
  readonly edits: readonly Edit[];
  readonly start: number;
  readonly end: number;
};

const QUERIES: ReadonlySet<string> = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt']);

/** Throws AnalysisError where the statement is refused. */
export function draftStatement(statement: RawStatement, context: PlanningContext): DraftPlan | StatementPlan {
  const { catalog, source } = context;
  const { node } = statement;
  const text = source.slice(statement.start, statement.end);
  const found = survey(node);
  refuseByName(found, catalog);
  const kind = kindOf(node);
  const query = queryOf(node);
  if (query === undefined) return otherStatement(kind, text, found, context, node);
  if (hotTable(found, catalog) === undefined) {
    return found.callsSetConfig || found.hasInto
      ? { type: 'track', text, effect: found.hasInto ? 'catalog' : 'settings' }
      : { type: 'pass', text };
  }
  requireSettings(context.settings);
  const { plan, ...rest } = draftQuery(statement, query, kind === 'ExplainStmt', context);
  return { ...rest, plan: found.callsSetConfig ? { ...plan, effect: 'settings' } : plan };
}

/** The query of a statement that is one, or explains one. */
function queryOf(node: Node): Node | undefined {
  if (QUERIES.has(kindOf(node))) return node;
  const inner = 'ExplainStmt' in node ? node.ExplainStmt.query : undefined;
  return inner !== undefined && QUERIES.has(kindOf(inner)) ? inner : undefined;
}

function otherStatement(
  kind: string,
  text: string,
  found: Survey,
  { catalog }: PlanningContext,
  node: Node,
): StatementPlan {
  const { effect, hot } = statementKind(kind);
  const table = hotTable(found, catalog);
  const named = table !== undefined || renamesToHot(node, catalog) || bodyConcerns(kind, text, catalog);
  if (named && hot.type === 'refuse') {
    const message = `${commandName(kind)} is not supported on tables with sealed columns`;
    throw refuseStatement(message, locationOf(table ?? { location: -1 }), hot.hint);
  }
  const does = found.callsSetConfig && effect === 'none' ? 'settings' : effect;
  return does === 'none' ? { type: 'pass', text } : { type: 'track', text, effect: does };
}

/** `CopyStmt` as COPY: the words before Stmt, apart and in capitals. */
function commandName(kind: string): string {
  return kind
    .replace(/Stmt$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase();
}

/** ALTER ... RENAME TO a ruled name would put another table in its place. */
function renamesToHot(node: Node, catalog: Catalog): boolean {
  return 'RenameStmt' in node && catalog.hotRelationNames.has(node.RenameStmt.newname ?? '');
}

/** Bodies are strings to the grammar. What DO runs is run at once; a new routine could be called before its body has been read. */
function bodyConcerns(kind: string, text: string, catalog: Catalog): boolean {
  if (kind !== 'DoStmt' && kind !== 'CreateFunctionStmt') return false;
  const hot = namesPattern([...catalog.hotRelationNames, ...catalog.hotRoutines.keys()]);
  return (kind === 'DoStmt' && /\bexecute\b|set_config/i.test(text)) || hot?.test(text) === true;
}

/** Lexing, and what built-in operators mean, must be what was analysed. */
function requireSettings(settings: SessionSettings): void {
  const path = settings.searchPath.filter((schema) => !schema.startsWith('pg_temp'));
  const at = path.indexOf('pg_catalog');
  const wrong =
    settings.clientEncoding !== 'UTF8'
      ? 'client_encoding is not UTF8'
      : !settings.standardConformingStrings
        ? 'standard_conforming_strings is off'
        : at > 0
          ? 'pg_catalog is not searched first'
          : undefined;
  if (wrong !== undefined)
    throw new AnalysisError(
      'ERR_POSTGRES_SESSION_SETTINGS',
      '0A000',
      `${wrong}: statements on sealed columns are refused`,
    );
  if (!settings.uncommittedCatalog) return;
  throw new AnalysisError(
    'ERR_POSTGRES_CATALOG',
    '0A000',
    'the transaction has changed the catalog: statements on sealed columns wait for its end',
    -1,
    'Commit first.',
  );
}

function draftQuery(statement: RawStatement, query: Node, explained: boolean, context: PlanningContext): DraftPlan {
  const { catalog, source, declaredOids, settings } = context;
  const searchPath = settings.searchPath.includes('pg_catalog')
    ? settings.searchPath
    : ['pg_catalog', ...settings.searchPath];
  const analysis = new Analysis({
    catalog,
    searchPath,
    source,
    declaredOids,
    analyzeQuery,
    analyzeExpression,
    within: 'statement',
  });
  const outputs = analysis.query(query, undefined);
  const { start, end } = trimmed(source, statement);
  const edits = inOrder(
    [
      ...analysis.edits,
      ...analysis.relationNames.map(({ relation, start: from, end: to }) => ({
        start: from,
        end: to,
        replacement: quoteQualified(relation.schema, relation.name),
      })),
      ...source.comments.map((comment) => ({ start: comment.start, end: comment.end, replacement: ' ' })),
    ],
    start,
    end,
  );
  const { pieces, places } = splice(source, start, end, edits);
  const plan: SealedPlan = {
    type: 'sealed',
    pieces,
    piecePlaces: places,
    parameters: analysis.parameters.toPlan(),
    parameterOids: parameterOids(analysis),
    columns: [...analysis.columns.values()],
    ...results(explained ? [] : outputs),
    forbiddenOrigins: sealedPlaces(analysis),
    state: { catalogEpoch: catalog.epoch, settings: settingsKey(settings) },
  };
  const inner = explained ? explainedStart(source, start) : start;
  return { type: 'draft', plan, opinion: { analysis, start: inner, end, outputs }, edits, start, end };
}

function inOrder(edits: readonly Edit[], start: number, end: number): readonly Edit[] {
  const seen = new Set<number>();
  return edits
    .filter((edit) => edit.start >= start && edit.end <= end && !seen.has(edit.start) && seen.add(edit.start))
    .sort((a, b) => a.start - b.start);
}

/** Without white space and comments around it. */
function trimmed(source: SourceText, { start, end }: RawStatement): { readonly start: number; readonly end: number } {
  const inside = source.tokens.filter((token) => token.start >= start && token.end <= end);
  return { start: inside[0]?.start ?? start, end: inside.at(-1)?.end ?? end };
}

/** EXPLAIN ANALYZE VERBOSE query, EXPLAIN (options) query. */
function explainedStart(source: SourceText, start: number): number {
  let index = (source.tokenAt(start) ?? 0) + 1;
  if (
    source.tokenText(index) === '(' &&
    /^[a-z_]+$/i.test(source.tokenText(index + 1)) &&
    !/^(select|with|values|table)$/i.test(source.tokenText(index + 1))
  ) {
    while (source.tokenText(index) !== ')') index += 1;
    index += 1;
  }
  while (/^(analyze|analyse|verbose)$/i.test(source.tokenText(index))) index += 1;
  return source.tokens[index]?.start ?? start;
}

function parameterOids(analysis: Analysis): ReadonlyMap<number, number> {
  return new Map(
    [...analysis.parameters.sealed].map(([number, { column, shape, declaredOid }]) => [
      number,
      declaredOid ?? (shape === 'array' ? column.type.arrayOid : column.type.oid),
    ]),
  );
}

/** Every sealed column of the relations named, read or not. */
function sealedPlaces(analysis: Analysis): ReadonlySet<string> {
  const places = new Set(analysis.references);
  for (const relation of analysis.relations.values()) {
    for (const column of relation.columns)
      if (column.sealed !== undefined) places.add(originKey(relation.oid, column.attnum));
  }
  return places;
}

const UNCHECKED: ResultOrigin = { type: 'any' };

function results(outputs: readonly OutputColumn[]): Pick<SealedPlan, 'results' | 'origins'> {
  if (outputs.length === 0) return { results: undefined, origins: undefined };
  return {
    results: outputs.map(({ value }): SealedColumn | undefined => (value.type === 'sealed' ? value.column : undefined)),
    origins: outputs.map(({ value }) => (value.type === 'sealed' ? value.origin : UNCHECKED)),
  };
}
