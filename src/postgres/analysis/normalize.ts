/**
 * Texts that differ only in their literals share one plan. This lexer knows the plain forms alone (quoted strings, integers); a text with
 * anything else (comments, E'', U&'', dollar quotes, junk) is not shared. A property test holds it against the server's own scanner.
 */

/** UTF-16 offsets; `end` exclusive; quotes included. */
export type LiteralSpan = { readonly kind: 'string' | 'integer'; readonly start: number; readonly end: number };
export type NormalizedText = { readonly key: string; readonly literals: readonly LiteralSpan[] };

/** One token, or a run of white space, at a time; whatever it does not match makes the text unshared. */
const TOKEN =
  /([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|'((?:[^']|'')*)'|(\d+)|("(?:[^"]|"")+")|(\$\d+)|([ \t\r\n\f]+)|([,()[\].;:=<>*+~|!@#%^?&/-])/gy;
/** Longer integers may be int8 or numeric, which a plan can depend on: those stay in the key. */
const INT4_DIGITS = 9;
const PLACEHOLDER = { string: '\u0001s', integer: '\u0001i' } as const;

export function normalizeText(sql: string): NormalizedText | undefined {
  if (sql.includes('\u0001') || sql.includes('--') || sql.includes('/*')) return undefined;
  const literals: LiteralSpan[] = [];
  let key = '';
  let copied = 0;
  let before = '';
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < sql.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(sql);
    if (match === null) return undefined;
    const kind = literalKind(match);
    const glued = kind !== undefined || match[1] !== undefined || match[5] !== undefined || match[4] !== undefined;
    // `1abc`, `E'x'`, `'a''b'` split by white space with a newline: forms this lexer does not read.
    if (glued && (before === 'word' || (before === 'string' && kind === 'string'))) return undefined;
    if (kind !== undefined && before === 'dot') return undefined;
    before = stateAfter(match, kind, before);
    if (
      kind === undefined ||
      (kind === 'integer' && (isFraction(sql, TOKEN.lastIndex) || match[0].length > INT4_DIGITS))
    ) {
      if (kind === 'integer' && isFraction(sql, TOKEN.lastIndex)) return undefined;
      continue;
    }
    key += sql.slice(copied, start) + PLACEHOLDER[kind];
    copied = TOKEN.lastIndex;
    literals.push({ kind, start, end: copied });
  }
  return { key: key + sql.slice(copied), literals };
}

function literalKind(match: RegExpExecArray): LiteralSpan['kind'] | undefined {
  if (match[2] !== undefined) return 'string';
  return match[3] === undefined ? undefined : 'integer';
}

function stateAfter(match: RegExpExecArray, kind: LiteralSpan['kind'] | undefined, before: string): string {
  if (match[6] !== undefined) return before === 'string' ? 'string' : '';
  if (kind === 'string') return 'string';
  if (kind === 'integer' || match[1] !== undefined || match[5] !== undefined) return 'word';
  return match[0] === '.' ? 'dot' : '';
}

function isFraction(sql: string, at: number): boolean {
  return sql[at] === '.';
}

/** What a quoted string says. */
export function stringValue(sql: string, { start, end }: LiteralSpan): string {
  return sql.slice(start + 1, end - 1).replaceAll("''", "'");
}
