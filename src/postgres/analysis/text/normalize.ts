/**
 * Texts that differ only in their literals share one plan. This lexer knows the plain forms alone (quoted strings, integers); a text with
 * anything else (comments, E'', U&'', dollar quotes, junk) is not shared. A property test holds it against the server's own scanner.
 */

/** UTF-16 offsets; `end` exclusive; quotes included. */
export type LiteralSpan = { readonly kind: 'string' | 'integer'; readonly start: number; readonly end: number };
export type NormalizedText = { readonly key: string; readonly literals: readonly LiteralSpan[] };

/** Longer integers may be int8 or numeric, which a plan can depend on: those stay in the key. */
const INT4_DIGITS = 9;
/** Comments, U&'' and U&"", and our own placeholder: not read here. */
const UNREAD = /\u0001|--|\/\*|u&/i;
const PLACEHOLDER = { string: '\u0001s', integer: '\u0001i' } as const;

/** What a character can begin: bits, so that several are asked for at once. */
const enumerate = (characters: string, kind: number): readonly (readonly [number, number])[] =>
  Array.from(characters, (character) => [character.charCodeAt(0), kind] as const);
const OTHER = 0;
const SPACE = 1;
const WORD = 2;
const DIGIT = 4;
const QUOTE = 8;
const IDENTIFIER_QUOTE = 16;
const DOLLAR = 32;
const SYMBOL = 64;
const DOT = 128;
/** By character code below 128; everything above is part of words (as the server's scanner has it). */
const KINDS = new Uint8Array(128);
for (const [code, kind] of [
  ...enumerate(' \t\r\n\f', SPACE),
  ...enumerate('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_', WORD),
  ...enumerate('0123456789', DIGIT),
  ...enumerate("'", QUOTE),
  ...enumerate('"', IDENTIFIER_QUOTE),
  ...enumerate('$', DOLLAR),
  ...enumerate(',()[];:=<>*+~|!@#%^?&/-', SYMBOL),
  ...enumerate('.', DOT),
])
  KINDS[code] = kind;

function kindAt(sql: string, at: number): number {
  const code = sql.charCodeAt(at);
  return code < 128 ? (KINDS[code] ?? OTHER) : code >= 128 ? WORD : OTHER;
}

/** Undefined: not shared. */
export function normalizeText(sql: string): NormalizedText | undefined {
  if (UNREAD.test(sql)) return undefined;
  const literals: LiteralSpan[] = [];
  let key = '';
  let copied = 0;
  /** The kind of the token just before, white space counted only as an end of words. */
  let before = SYMBOL;
  for (let at = 0; at < sql.length;) {
    const kind = kindAt(sql, at);
    const end = tokenEnd(sql, at, kind);
    if (end === undefined || !mayFollow(before, kind)) return undefined;
    const literal = kind === QUOTE ? 'string' : kind === DIGIT && end - at <= INT4_DIGITS ? 'integer' : undefined;
    if (literal !== undefined) {
      key += sql.slice(copied, at) + PLACEHOLDER[literal];
      copied = end;
      literals.push({ kind: literal, start: at, end });
    }
    // 'a' <white space> 'b' may be one string.
    if (kind !== SPACE || before !== QUOTE) before = kind;
    at = end;
  }
  return { key: key + sql.slice(copied), literals };
}

/** `1abc`, `E'x'`, `'a' 'b'`, `$1x`, `a.1`, `.5`: forms this lexer does not read. */
function mayFollow(before: number, kind: number): boolean {
  const isLiteral = kind === QUOTE || kind === DIGIT;
  const afterWord = before === WORD || before === DIGIT || before === DOLLAR;
  if (afterWord && (isLiteral || kind === WORD || kind === DOLLAR || kind === IDENTIFIER_QUOTE)) return false;
  if (before === DIGIT && kind === DOT) return false;
  return !(before === DOT && isLiteral) && !(before === QUOTE && kind === QUOTE);
}

/** Where the token that begins here ends; undefined: it is none we read. */
function tokenEnd(sql: string, at: number, kind: number): number | undefined {
  switch (kind) {
    case SPACE:
    case DIGIT:
      return run(sql, at + 1, kind);
    case WORD:
      return run(sql, at + 1, WORD | DIGIT | DOLLAR);
    case QUOTE:
      return closing(sql, at, "'");
    case IDENTIFIER_QUOTE:
      return closing(sql, at, '"');
    case DOLLAR:
      return kindAt(sql, at + 1) === DIGIT ? run(sql, at + 2, DIGIT) : undefined;
    case SYMBOL:
    case DOT:
      return at + 1;
    default:
      return undefined;
  }
}

/** Past the characters of these kinds. */
function run(sql: string, from: number, kinds: number): number {
  let at = from;
  while (at < sql.length && (kindAt(sql, at) & kinds) !== 0) at += 1;
  return at;
}

/** Past the closing quote; doubled quotes are inside. */
function closing(sql: string, at: number, quote: string): number | undefined {
  for (let from = at + 1; ;) {
    const found = sql.indexOf(quote, from);
    if (found === -1) return undefined;
    if (sql[found + 1] !== quote) return found + 1;
    from = found + 2;
  }
}

/** What a quoted string says. */
export function stringValue(sql: string, { start, end }: LiteralSpan): string {
  return sql.slice(start + 1, end - 1).replaceAll("''", "'");
}
