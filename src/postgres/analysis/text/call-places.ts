/** Where the arguments of a call end, in the tokens of its text: what stands there may be replaced without a conflict with what is replaced inside of them. */
import type { FuncCall } from 'libpg-query';
import { refuseUse } from '../errors.ts';
import type { SourceText } from './source-text.ts';
import { locationOf } from './syntax.ts';

/** Indexes of tokens. `end`: what is behind the last argument, ORDER or the closing parenthesis. */
export type CallPlaces = { readonly commas: readonly number[]; readonly end: number };

/** Errors: ERR_POSTGRES_SEALED_USE. */
export function callPlaces(source: SourceText, call: FuncCall): CallPlaces {
  const start = source.tokenAt(locationOf(call)) ?? source.tokens.length;
  const commas: number[] = [];
  let depth = 0;
  for (let at = start; at < source.tokens.length; at++) {
    const text = source.tokenText(at);
    if (text === '(' || text === '[') depth += 1;
    if (text === ')' || text === ']') depth -= 1;
    const isEnd = (text === ')' && depth === 0) || (depth === 1 && isOrder(source, at));
    if (isEnd) return { commas, end: at };
    if (depth === 1 && text === ',') commas.push(at);
  }
  throw refuseUse('the arguments of a call were not found in the text', locationOf(call));
}

/** Behind a dot it is the name of a column. */
function isOrder(source: SourceText, index: number): boolean {
  return source.tokenText(index).toLowerCase() === 'order' && source.tokenText(index - 1) !== '.';
}

/** The bytes of a token. */
export function tokenSpan(source: SourceText, index: number): { readonly start: number; readonly end: number } {
  const { start = 0, end = 0 } = source.tokens[index] ?? {};
  return { start, end };
}
