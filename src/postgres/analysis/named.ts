/**
 * Statements about the session's names: DECLARE and FETCH of cursors, PREPARE and EXECUTE of statements. What a name stands for is the
 * session's to know; here is said what is done with it.
 */
import type { DeclareCursorStmt, PrepareStmt, TypeName } from 'libpg-query';
import type { NamedUse, PreparedText, SealedPlan, TrackPlan } from '../plan.ts';
import { storedType } from '../columns/stored-type.ts';
import {
  draftQuery,
  piecesOf,
  requireSettings,
  refuseTexts,
  withEdits,
  type DraftPlan,
  type PlanningContext,
} from './draft-query.ts';
import { refuseSealed } from './expressions/refuse-sealed.ts';
import { queryAfter, trimmed, type Span } from './text/inner-query.ts';
import type { SourceText } from './text/source-text.ts';
import { castType, type Node, type RawStatement } from './text/syntax.ts';

/** Bits of DeclareCursorStmt.options: CURSOR_OPT_BINARY and CURSOR_OPT_HOLD (nodes/parsenodes.h). */
const BINARY = 0x0001;
const HOLD = 0x0020;

/** What a statement says of a name; PREPARE of a statement that touches nothing sealed included. Undefined: it is about none. */
export function namedUse(
  node: Node,
  statement: RawStatement,
  effect: TrackPlan['effect'] | undefined,
  context: PlanningContext,
): NamedUse | undefined {
  if ('DeclareCursorStmt' in node) return declared(node.DeclareCursorStmt);
  if ('FetchStmt' in node)
    return { type: node.FetchStmt.ismove === true ? 'move' : 'fetch', name: node.FetchStmt.portalname ?? '' };
  if ('ClosePortalStmt' in node) return { type: 'close', name: node.ClosePortalStmt.portalname };
  if ('DeallocateStmt' in node) return { type: 'deallocate', name: node.DeallocateStmt.name };
  if ('DiscardStmt' in node) return node.DiscardStmt.target === 'DISCARD_ALL' ? { type: 'discard' } : undefined;
  if ('PrepareStmt' in node) return plainPrepare(node.PrepareStmt, statement, effect, context);
  return executed(node);
}

function declared({ portalname = '', options = 0 }: DeclareCursorStmt): NamedUse & { type: 'declare' } {
  return { type: 'declare', name: portalname, holds: (options & HOLD) !== 0, binary: (options & BINARY) !== 0 };
}

function executed(node: Node): (NamedUse & { type: 'execute' }) | undefined {
  if ('ExecuteStmt' in node) {
    const { name = '', params = [] } = node.ExecuteStmt;
    return { type: 'execute', name, within: 'itself', hasArguments: params.length > 0 };
  }
  const made = 'CreateTableAsStmt' in node;
  const inner = made ? node.CreateTableAsStmt.query : 'ExplainStmt' in node ? node.ExplainStmt.query : undefined;
  const use = inner && executed(inner);
  if (use === undefined || use.within === 'create') return use;
  return { ...use, within: made ? 'create' : 'explain' };
}

/** DECLARE name CURSOR FOR query, which names something hot. */
export function draftDeclare(
  statement: RawStatement,
  declare: DeclareCursorStmt,
  query: Node,
  context: PlanningContext,
): DraftPlan {
  requireSettings(context.settings);
  const drafted = draftQuery(statement, query, queryAfter(context.source, statement, 'for'), context);
  const named = declared(declare);
  // Its texts would be made as its rows are fetched, or all at once before; those of one that outlives its transaction in any case at its end.
  refuseTexts(drafted, 'in a cursor', named.holds);
  for (const { value } of drafted.opinion.outputs) {
    if (named.binary && value.type === 'sealed' && value.column.carries !== undefined)
      throw refuseSealed(value.column, 'in a BINARY cursor', -1);
  }
  return { ...drafted, plan: { ...drafted.plan, named } };
}

/** PREPARE name (types) AS query, which names something hot: upstream with the types its sealed parameters have there. */
export function draftPrepare(
  statement: RawStatement,
  prepare: PrepareStmt,
  query: Node,
  effect: TrackPlan['effect'] | undefined,
  context: PlanningContext,
): DraftPlan {
  requireSettings(context.settings);
  const { source } = context;
  const inner = queryAfter(source, statement, 'as');
  const declaredOids = (prepare.argtypes ?? []).map(oidOf);
  const drafted = draftQuery(statement, query, inner, { ...context, declaredOids });
  const { parameters, parameterOids } = drafted.plan;
  const { start } = trimmed(source, statement);
  const name = (source.tokenAt(start) ?? 0) + 1;
  const types = typeSpans(statement, prepare, context, inner.start);
  const edit = {
    start: source.tokens[name]?.end ?? start,
    end: types.end,
    replacement: typeList(parameters, drafted.opinion.analysis.parameters.plain, types.names),
  };
  const prepared: PreparedText = {
    sql: source.slice(inner.start, inner.end),
    declaredOids,
    parameterCount: Math.max(declaredOids.length, lastParameter(source, inner)),
    ...piecesOf(source, inner, drafted.edits),
    parameters,
    parameterOids,
    effect,
  };
  const named: NamedUse = { type: 'prepare', name: prepare.name ?? '', statement: prepared };
  drafted.opinion.analysis.literalsMatter = true;
  const whole = withEdits(drafted, source, statement, [...drafted.edits, edit]);
  const plan: SealedPlan = { ...whole.plan, parameters: new Map(), parameterOids: new Map(), named };
  return { ...whole, plan };
}

/** The highest number of those that its text names. */
function lastParameter(source: SourceText, { start, end }: Span): number {
  let last = 0;
  // From its own tokens on: a message has many statements, and all of its tokens looked at for each would take the square of them.
  for (let index = source.tokenAt(start) ?? source.tokens.length; ; index++) {
    const token = source.tokens[index];
    if (token === undefined || token.end > end) return last;
    if (token.tokenName === 'PARAM') last = Math.max(last, Number(source.slice(token.start + 1, token.end)));
  }
}

function plainPrepare(
  prepare: PrepareStmt,
  statement: RawStatement,
  effect: TrackPlan['effect'] | undefined,
  { source }: PlanningContext,
): NamedUse {
  const { start, end } = queryAfter(source, statement, 'as');
  const nothing = { pieces: [], piecePlaces: [], parameters: new Map(), parameterOids: new Map(), effect };
  const declaredOids = (prepare.argtypes ?? []).map(oidOf);
  const prepared = { sql: source.slice(start, end), declaredOids, ...nothing };
  return { type: 'prepare', name: prepare.name ?? '', statement: prepared };
}

/** 0 for what is left to the server. */
function oidOf(node: Node): number {
  const type: TypeName | undefined = 'TypeName' in node ? node.TypeName : undefined;
  const known = castType(type);
  if (known === undefined) return 0;
  return known.isArray ? known.arrayOid : known.elementOid;
}

/** The types as the client wrote them, and where they end: behind the name, where there are none. */
function typeSpans(
  statement: RawStatement,
  prepare: PrepareStmt,
  { source }: PlanningContext,
  queryStart: number,
): { readonly names: readonly string[]; readonly end: number } {
  const { start } = trimmed(source, statement);
  const first = (source.tokenAt(start) ?? 0) + 2;
  if ((prepare.argtypes ?? []).length === 0) return { names: [], end: source.tokens[first - 1]?.end ?? queryStart };
  const names: string[] = [];
  let depth = 0;
  let from = first + 1;
  for (let index = first; source.tokens[index] !== undefined; index++) {
    const text = source.tokenText(index);
    if (text === '(' || text === '[') depth++;
    if (text === ')' || text === ']') depth--;
    const ends = depth === 0 || (depth === 1 && text === ',');
    if (!ends) continue;
    names.push(source.slice(source.tokens[from]?.start ?? 0, source.tokens[index - 1]?.end ?? 0));
    from = index + 1;
    if (depth === 0) return { names, end: source.tokens[index]?.end ?? queryStart };
  }
  return { names, end: queryStart };
}

function typeList(sealed: SealedPlan['parameters'], plain: ReadonlySet<number>, names: readonly string[]): string {
  const count = Math.max(names.length, 0, ...sealed.keys(), ...plain);
  if (count === 0) return '';
  const types = Array.from({ length: count }, (_, index) => {
    const parameter = sealed.get(index + 1);
    if (parameter === undefined) return names[index] ?? 'unknown';
    const { name } = storedType(parameter.column);
    return parameter.shape === 'array' ? `pg_catalog.${name}[]` : `pg_catalog.${name}`;
  });
  return ` (${types.join(', ')})`;
}
