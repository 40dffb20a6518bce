/** string_agg of sealed texts: the server joins the ciphertext, with the delimiter of each value between that and the one before. */
import type { FuncCall } from 'libpg-query';
import { DELIMITER_ENDS, DELIMITER_STARTS } from '../../carried/joined.ts';
import type { SealedColumn } from '../../plan.ts';
import type { Analysis } from '../query/analysis.ts';
import { callPlaces, tokenSpan } from '../text/call-places.ts';
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
  const { source } = analysis;
  const { commas, end } = callPlaces(source, call);
  const before = `, ${byteaConstant(DELIMITER_STARTS)} ${JOINED} coalesce(${FROM_TEXT}(pg_catalog.encode(${FROM_TEXT}(`;
  const after = `, 'UTF8'), 'hex'), 'UTF8'), '') ${JOINED} ${byteaConstant(DELIMITER_ENDS)}`;
  analysis.edit({ ...tokenSpan(source, commas[0] ?? end), replacement: before });
  analysis.edit({ ...tokenSpan(source, end), replacement: `${after} ${source.tokenText(end)}` });
  return made;
}

const JOINED = 'OPERATOR(pg_catalog.||)';
const FROM_TEXT = 'pg_catalog.convert_to';

function byteaConstant(bytes: Uint8Array): string {
  return String.raw`'\x${Buffer.from(bytes).toString('hex')}'::pg_catalog.bytea`;
}
