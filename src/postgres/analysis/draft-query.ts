/** The plan of a query on sealed columns, before the server has agreed to it; also of one inside another statement. */
import { originKey, type ResultOrigin, type SealedColumn, type SealedPlan } from '../plan.ts';
import type { SessionSettings } from '../session/settings.ts';
import { quoteQualified } from '../service/names.ts';
import { Analysis } from './query/analysis.ts';
import type { Catalog } from './catalog/catalog.ts';
import { splice, type Edit } from './text/edits.ts';
import { AnalysisError, refuseStatement, refuseUse, uncommitted } from './errors.ts';
import { followsSettings } from '../carried/cast-text.ts';
import { analyzeExpression } from './expressions/expressions.ts';
import { refuseSealed } from './expressions/refuse-sealed.ts';
import { trimmed } from './text/inner-query.ts';
import { analyzeQuery } from './query/queries.ts';
import type { SecondOpinion } from './shadow-statement.ts';
import { settingsKey } from './settings-key.ts';
import type { SourceText } from './text/source-text.ts';
import { survey } from './survey.ts';
import { locationOf, type Node, type RawStatement } from './text/syntax.ts';
import { columnName, passedThrough, type OutputColumn } from './expressions/values.ts';

export type PlanningContext = {
  readonly catalog: Catalog;
  readonly source: SourceText;
  readonly declaredOids: readonly number[];
  readonly settings: SessionSettings;
  /** A statement ahead in the same message changes the catalog. */
  readonly afterCatalogChange?: boolean;
  /** One changes settings. */
  readonly afterSettingsChange?: boolean;
  /** Queries of the catalog are to show types as the server has them. */
  readonly seesPhysicalTypes?: boolean;
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

/** Lexing, and what built-in operators mean, must be what was analysed; so must be the catalog. */
export function requireSettings(settings: SessionSettings): void {
  requireLexing(settings);
  if (!settings.uncommittedCatalog) return;
  throw uncommitted();
}

export function requireLexing(settings: SessionSettings): void {
  const path = settings.searchPath.filter((schema) => !schema.startsWith('pg_temp'));
  const at = path.indexOf('pg_catalog');
  const wrong =
    settings.clientEncoding !== 'UTF8'
      ? 'client_encoding is not UTF8'
      : !settings.standardConformingStrings
        ? 'standard_conforming_strings is off'
        : !settings.arrayNulls
          ? 'array_nulls is off'
          : at > 0
            ? 'pg_catalog is not searched first'
            : hidesType(settings)
              ? `type ${settings.shadowedType} of pg_temp hides the server’s own`
              : undefined;
  if (wrong !== undefined)
    throw new AnalysisError(
      'ERR_POSTGRES_SESSION_SETTINGS',
      '0A000',
      `${wrong}: statements on sealed columns are refused`,
    );
}

/** Unless pg_temp is placed behind the server's own schema. */
function hidesType({ shadowedType, searchPath }: SessionSettings): boolean {
  const temporary = searchPath.findIndex((schema) => schema.startsWith('pg_temp'));
  const own = searchPath.indexOf('pg_catalog');
  return shadowedType !== '' && (own === -1 || temporary < own);
}

/** As the server searches: its own names first, unless they are placed otherwise. */
export function searchPathOf({ searchPath }: SessionSettings): readonly string[] {
  return searchPath.includes('pg_catalog') ? searchPath : ['pg_catalog', ...searchPath];
}

/** @param inner where the query itself lies in the statement. */
export function draftQuery(
  statement: RawStatement,
  query: Node,
  inner: { readonly start: number; readonly end: number },
  context: PlanningContext,
): DraftPlan {
  const { catalog, source, declaredOids, settings } = context;
  const analysis = new Analysis({
    catalog,
    searchPath: searchPathOf(settings),
    source,
    declaredOids,
    analyzeQuery,
    analyzeExpression,
    within: 'statement',
  });
  const read = analysis.query(query, undefined);
  analysis.finish();
  requireAllRead(analysis, query);
  const outputs = read.map(closed);
  if (settings.uncommittedElsewhere) requireHotAlone(analysis);
  const { start, end } = trimmed(source, statement);
  const edits = inOrder(
    [
      ...analysis.edits,
      ...analysis.relationNames.map(({ relation, start: from, end: to }) => ({
        start: from,
        end: to,
        replacement: quoteQualified(relation.schema, relation.name),
      })),
      ...commentsOf(source),
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
    ...resultsOf(outputs),
    forbiddenOrigins: sealedPlaces(analysis),
    state: { catalogEpoch: catalog.epoch, settings: settingsKey(settings) },
  };
  const opinion = { analysis, start: Math.max(inner.start, start), end: Math.min(inner.end, end), outputs };
  return { type: 'draft', plan, opinion, edits, start, end };
}

/** Texts, and JSON unless `json` is false, that follow the session's settings, where these may change before all of them are made. */
export function refuseTexts({ opinion }: DraftPlan, usage: string, json = true): void {
  for (const { value } of opinion.outputs)
    if (value.type === 'sealed' && followsSettings(value.column, json)) throw refuseSealed(value.column, usage, -1);
}

/** What the analysis has not seen could carry anything: every table that the grammar finds must have been read. */
export function requireAllRead(analysis: Analysis, query: Node): void {
  for (const table of survey(query).tables) {
    if (analysis.tablesRead.has(table)) continue;
    throw refuseStatement(
      `table "${table.relname ?? ''}" stands in a place that is not supported together with sealed columns`,
      locationOf(table),
      'Write it as a subquery in FROM or in WITH.',
    );
  }
}

/** A result column of constants and parameters that were sealed, since the statement compares or stores them as well. */
function closed({ name, value, open, wide }: OutputColumn): OutputColumn {
  if (open?.sealed === undefined) return { name, value, ...(wide && { wide }) };
  open.keepUnchanged();
  if (open.printsExactly) return { name, value: passedThrough(open.sealed, 'any') };
  throw refuseUse(
    `a number that is compared with sealed column ${columnName(open.sealed)} would come out with other decimals`,
    open.location,
    'Give it twice, as two columns.',
  );
}

/** What other names mean, or what they are, the open transaction may have changed; names of hot tables it has not given away. */
function requireHotAlone({ relations }: Analysis): void {
  if ([...relations.values()].every(({ hot }) => hot)) return;
  throw uncommitted();
}

/** The same plan with a text that is made by other edits, of another text. */
export function withEdits(
  drafted: DraftPlan,
  source: SourceText,
  statement: RawStatement,
  edits: readonly Edit[],
): DraftPlan {
  const { start, end } = trimmed(source, statement);
  const plan = { ...drafted.plan, ...piecesOf(source, { start, end }, edits) };
  return { ...drafted, plan, edits: inOrder([...edits, ...commentsOf(source)], start, end), start, end };
}

/** The edited text of a part of a statement. */
/** A statement that goes up written otherwise, in which nothing is sealed or opened. */
export function rewrittenPlan(
  { catalog, settings, source }: PlanningContext,
  span: { readonly start: number; readonly end: number },
  edits: readonly Edit[],
): SealedPlan {
  return {
    type: 'sealed',
    ...piecesOf(source, span, edits),
    parameters: new Map(),
    parameterOids: new Map(),
    columns: [],
    results: undefined,
    origins: undefined,
    forbiddenOrigins: new Set(),
    state: { catalogEpoch: catalog.epoch, settings: settingsKey(settings) },
  };
}

export function piecesOf(
  source: SourceText,
  { start, end }: { readonly start: number; readonly end: number },
  edits: readonly Edit[],
): Pick<SealedPlan, 'pieces' | 'piecePlaces'> {
  const { pieces, places } = splice(source, start, end, inOrder([...edits, ...commentsOf(source)], start, end));
  return { pieces, piecePlaces: places };
}

function commentsOf(source: SourceText): readonly Edit[] {
  return source.comments.map((comment) => ({ start: comment.start, end: comment.end, replacement: ' ' }));
}

function inOrder(edits: readonly Edit[], start: number, end: number): readonly Edit[] {
  const seen = new Set<number>();
  return edits
    .filter((edit) => edit.start >= start && edit.end <= end && !seen.has(edit.start) && seen.add(edit.start))
    .sort((a, b) => a.start - b.start);
}

function parameterOids(analysis: Analysis): ReadonlyMap<number, number> {
  return new Map(
    [...analysis.parameters.sealed].map(([number, { column, shape, declaredOid }]) => [
      number,
      declaredOid ?? (shape === 'array' ? column.type.arrayOid : (column.type.domain?.oid ?? column.type.oid)),
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

export function resultsOf(outputs: readonly OutputColumn[]): Pick<SealedPlan, 'results' | 'origins'> {
  if (outputs.length === 0) return { results: undefined, origins: undefined };
  return {
    results: outputs.map(({ value }): SealedColumn | undefined => (value.type === 'sealed' ? value.column : undefined)),
    origins: outputs.map(({ value }) => (value.type === 'sealed' ? value.origin : UNCHECKED)),
  };
}
