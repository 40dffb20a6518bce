/** In FROM there are functions, and no other expressions: how one stands there in the place of a function, and its columns keep their names. */
import type { RangeFunction } from 'libpg-query';
import type { SourceText } from '../text/source-text.ts';
import type { FromItem } from './references.ts';

/** What stands before and behind a call that is part of a text's expression, as a function. `name`: the call's, plain. */
export function asFunction(
  [before, after]: readonly [string, string],
  name: string,
  { range, hasColumns }: FromItem,
): readonly [string, string] {
  // The one function's column is called as the alias, each of several as its function: coalesce, unless a record names it.
  if ((range.functions ?? []).length === 1 || hasColumns) return [`coalesce(${before}`, `${after})`];
  return [
    `pg_catalog.json_to_record(pg_catalog.json_build_object('${name}', ${before}`,
    `${after})) AS (${name} pg_catalog.text)`,
  ];
}

/** Whether what the query calls it is the name of this function. */
export function lacksName({ range, at }: FromItem): boolean {
  return range.alias === undefined && range.coldeflist === undefined && at === 0;
}

/** Where its alias would stand. `callEnd`: behind the first call's arguments. */
export function endOf(range: RangeFunction, callEnd: number, source: SourceText): number | undefined {
  let last = source.tokenAt(callEnd - 1);
  if (last === undefined) return undefined;
  for (let depth = range.is_rowsfrom === true ? 1 : 0; depth > 0 && source.tokens[last + 1] !== undefined;) {
    last += 1;
    const text = source.tokenText(last);
    if (text === '(') depth++;
    if (text === ')') depth--;
  }
  // WITH ORDINALITY
  return source.tokens[range.ordinality === true ? last + 2 : last]?.end;
}
