/** string_agg of sealed texts: the server joins the ciphertext, with the delimiter of each value between that and the one before. */
import type { FuncCall } from 'libpg-query';
import { DELIMITER_ENDS, DELIMITER_STARTS } from '../../carried/joined.ts';
import type { SealedColumn } from '../../plan.ts';
import type { Analysis } from '../query/analysis.ts';
import { refuseUse } from '../errors.ts';
import { locationOf } from '../text/syntax.ts';
import { carriedJoined } from './carried.ts';
import type { SettledValue } from './values.ts';

/**
 * string_agg(bytea, bytea) upstream. What the client wrote as its delimiter is evaluated there as well, and comes back between the values, in hex
 * so that it cannot be taken for what marks its ends: no NULL among them, for then nothing would stand between two values.
 * Undefined: it takes no such values, or not in this place.
 */
export function joiningCall(
  analysis: Analysis,
  call: FuncCall,
  column: SealedColumn,
  first: number,
): SettledValue | undefined {
  if (first !== 0 || call.args?.length !== 2 || analysis.input.within === 'view') return undefined;
  const made = carriedJoined(column);
  if (made === undefined) return undefined;
  const { comma, end } = delimiterSpan(analysis, call);
  const before = `, ${byteaConstant(DELIMITER_STARTS)} ${JOINED} coalesce(${FROM_TEXT}(pg_catalog.encode(${FROM_TEXT}(`;
  const after = `, 'UTF8'), 'hex'), 'UTF8'), '') ${JOINED} ${byteaConstant(DELIMITER_ENDS)}`;
  const { source } = analysis;
  analysis.edit({ ...spanOf(analysis, comma), replacement: before });
  analysis.edit({ ...spanOf(analysis, end), replacement: `${after} ${source.tokenText(end)}` });
  return made;
}

const JOINED = 'OPERATOR(pg_catalog.||)';
const FROM_TEXT = 'pg_catalog.convert_to';

function byteaConstant(bytes: Uint8Array): string {
  return String.raw`'\x${Buffer.from(bytes).toString('hex')}'::pg_catalog.bytea`;
}

/** The tokens ahead of the second argument and behind it: the comma, and the closing parenthesis or ORDER. */
function delimiterSpan({ source }: Analysis, call: FuncCall): { readonly comma: number; readonly end: number } {
  const start = source.tokenAt(locationOf(call)) ?? source.tokens.length;
  let depth = 0;
  let comma: number | undefined;
  for (let at = start; at < source.tokens.length; at++) {
    const text = source.tokenText(at);
    if (text === '(' || text === '[') depth += 1;
    if (text === ')' || text === ']') depth -= 1;
    const isOrder = depth === 1 && text.toLowerCase() === 'order' && source.tokenText(at - 1) !== '.';
    if (comma !== undefined && (depth === 0 || isOrder)) return { comma, end: at };
    if (depth === 1 && text === ',') comma = at;
  }
  throw refuseUse('the delimiter of string_agg() was not found in the text', locationOf(call));
}

function spanOf({ source }: Analysis, index: number): { readonly start: number; readonly end: number } {
  const { start = 0, end = 0 } = source.tokens[index] ?? {};
  return { start, end };
}
