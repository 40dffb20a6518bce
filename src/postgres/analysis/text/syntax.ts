/** PostgreSQL's own grammar (libpg-query, version 18), and small readers of its syntax tree. */
import { hasSqlDetails, loadModule, parseSync, scanSync, type Node, type ScanToken, type TypeName } from 'libpg-query';
import { logicalTypeByOid, logicalTypeOfArray } from '../../types/registry.ts';
import { isBuiltinTypeName, TYPES } from '../../types/type-facts.ts';
import { refuseSyntax } from '../errors.ts';

export type { Node, ScanToken } from 'libpg-query';

export type RawStatement = {
  readonly node: Node;
  /** UTF-8 byte offsets in the message's text; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
};

/** Loads the WASM module; awaited once before anything is parsed. */
export async function loadGrammar(): Promise<void> {
  await loadModule();
}

/** Errors: ERR_POSTGRES_UNPARSABLE. The parser's own message quotes the text at fault, so it is not passed on. */
export function parseStatements(sql: string, byteLength: number): readonly RawStatement[] {
  try {
    return parsed(sql, byteLength);
  } catch (error) {
    const blank = withoutComments(sql);
    if (blank === undefined) throw error;
    return parsed(blank, byteLength);
  }
}

function parsed(sql: string, byteLength: number): readonly RawStatement[] {
  try {
    return (parseSync(sql).stmts ?? []).flatMap(({ stmt, stmt_location: start = 0, stmt_len: length = 0 }) =>
      stmt === undefined ? [] : [{ node: stmt, start, end: length === 0 ? byteLength : start + length }],
    );
  } catch (error) {
    const at = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? -1) : -1;
    throw refuseSyntax('syntax error', at);
  }
}

const TOKEN_COMMENTS: ReadonlySet<string> = new Set(['SQL_COMMENT', 'C_COMMENT']);

export function isComment({ tokenName }: ScanToken): boolean {
  return TOKEN_COMMENTS.has(tokenName);
}

/**
 * Blanks for comments, and every byte in its place: words that the grammar reads together (NOT IN, NULLS FIRST, WITH ORDINALITY) the parser
 * does not with a comment between them, and the server does. Undefined: there is none, or its other tokens are other ones then. Strings on
 * two lines are one where nothing is between them, and what is sealed by its token would be half of it.
 */
function withoutComments(sql: string): string | undefined {
  try {
    const tokens = scanTokens(sql);
    const rest = tokens.filter((token) => !isComment(token));
    if (rest.length === tokens.length) return undefined;
    const bytes = Buffer.from(sql);
    for (const { start, end } of tokens.filter(isComment)) bytes.fill(' ', start, end);
    const blank = bytes.toString();
    const places = (all: readonly ScanToken[]): string => all.map(({ start, end }) => `${start}-${end}`).join();
    return places(scanTokens(blank)) === places(rest) ? blank : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The scanner's answer is JSON in which control characters stand bare, so it is asked about others of one byte in their place: within quotes
 * they end no token, and outside of them the parser refuses the statement. Only places are taken from it.
 */
export function scanTokens(sql: string): readonly ScanToken[] {
  return scanSync(sql.replace(WHITE_CONTROLS, ' ').replace(CONTROLS, 'x')).tokens;
}

const WHITE_CONTROLS = /[\u000b\u000c]/g;
const CONTROLS = /[\u0001-\u0008\u000e-\u001f]/g;

/** The names of a `{ String }` list: qualified names, operator names. */
export function namesOf(list: readonly Node[] | undefined): readonly string[] {
  return (list ?? []).map((node) => ('String' in node ? (node.String.sval ?? '') : ''));
}

/** The parser leaves zero fields out, so an absent location is offset 0; -1 is "none". */
export function locationOf(part: { readonly location?: number } | undefined): number {
  return part === undefined ? -1 : (part.location ?? 0);
}

/** The kind of a node, as PostgreSQL names it: `SelectStmt`. */
export function kindOf(node: Node): string {
  return Object.keys(node)[0] ?? '';
}

/** Whether an operator is one of PostgreSQL's own by that name: unqualified, or as pg_catalog.= */
export function isOperator(name: readonly Node[] | undefined, ...symbols: readonly string[]): boolean {
  return symbols.includes(builtinName(namesOf(name)) ?? '');
}

/** The name without pg_catalog; undefined where another schema qualifies it. */
export function builtinName(names: readonly string[]): string | undefined {
  const [first, second] = names;
  if (names.length === 1) return first;
  return names.length === 2 && first === 'pg_catalog' ? second : undefined;
}

/** The OIDs of a cast's type where it is one we know, without modifier; undefined: any other type. */
export function castType(
  type: TypeName | undefined,
): { readonly elementOid: number; readonly arrayOid: number; readonly isArray: boolean } | undefined {
  if (type === undefined || (type.typmods ?? []).length > 0 || type.setof === true || type.pct_type === true)
    return undefined;
  const name = builtinName(namesOf(type.names));
  if (name === undefined || !isBuiltinTypeName(name)) return undefined;
  const { oid, arrayOid } = TYPES[name];
  return { elementOid: oid, arrayOid, isArray: (type.arrayBounds ?? []).length > 0 };
}

/** A type of the server that we know, found by its own OID or its array type's. */
export function elementType(
  oid: number,
  by: 'element' | 'array' = 'element',
): { readonly oid: number; readonly arrayOid: number } | undefined {
  return by === 'array' ? logicalTypeOfArray(oid) : logicalTypeByOid(oid);
}
