/** Where a statement's query lies in its text. */
import type { SourceText } from './source-text.ts';
import type { RawStatement } from './syntax.ts';

export type Span = { readonly start: number; readonly end: number };

/** The query of EXPLAIN ANALYZE VERBOSE query, EXPLAIN (options) query. */
export function explainedQuery(source: SourceText, statement: RawStatement): Span {
  const { start, end } = trimmed(source, statement);
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
  return { start: source.tokens[index]?.start ?? start, end };
}

/** The query of COPY (query) TO: what its first parenthesis holds. */
export function parenthesizedQuery(source: SourceText, statement: RawStatement): Span {
  const { start, end } = trimmed(source, statement);
  const open = (source.tokenAt(start) ?? 0) + 1;
  let close = open;
  for (let depth = 0; source.tokens[close] !== undefined; close++) {
    if (source.tokenText(close) === '(') depth++;
    if (source.tokenText(close) === ')') depth--;
    if (depth === 0) break;
  }
  return { start: source.tokens[open + 1]?.start ?? start, end: source.tokens[close]?.start ?? end };
}

/** Without white space and comments around it. */
export function trimmed(source: SourceText, { start, end }: RawStatement): Span {
  const { tokens } = source;
  // By halves: a message has many statements, and all of its tokens looked at for each would take the square of them.
  const first = tokens[firstWhere(tokens, (token) => token.start >= start)];
  const last = tokens[firstWhere(tokens, (token) => token.end > end) - 1];
  if (first === undefined || last === undefined || first.end > end || last.start < start) return { start, end };
  return { start: first.start, end: last.end };
}

/** Of tokens that are not and then are so; their number where none is. */
function firstWhere(tokens: SourceText['tokens'], isSo: (token: SourceText['tokens'][number]) => boolean): number {
  let [from, to] = [0, tokens.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const token = tokens[middle];
    if (token === undefined || isSo(token)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** The query behind the first such word outside of parentheses: PREPARE name (types) AS query, DECLARE name CURSOR FOR query. */
export function queryAfter(source: SourceText, statement: RawStatement, word: 'as' | 'for'): Span {
  const { start, end } = trimmed(source, statement);
  // The name may be the word itself.
  let index = (source.tokenAt(start) ?? 0) + 2;
  for (let depth = 0; source.tokens[index] !== undefined; index++) {
    const text = source.tokenText(index);
    if (text === '(') depth++;
    if (text === ')') depth--;
    if (depth === 0 && text.toLowerCase() === word) break;
  }
  return { start: source.tokens[index + 1]?.start ?? start, end };
}
