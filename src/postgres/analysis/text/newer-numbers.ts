/**
 * Numbers that PostgreSQL 16 began to read, `0x1F` and `1_000`, in statements to an older server: the grammar here is the newest, so one of them would be read and
 * sealed where that server says that the statement is malformed, or takes what follows the first digits for a name (`SELECT 0x1F` before 15).
 */
import { refuseStatement } from '../errors.ts';
import type { SourceText } from './source-text.ts';

/** server_version_num. */
const READ_SINCE = 160_000;
const MAY_BE_NEWER = /\b0[xob]|\d_/i;
const NUMBERS: ReadonlySet<string> = new Set(['ICONST', 'FCONST']);

/** Throws where there is one from byte `start` to `end`. */
export function refuseNewerNumbers(source: SourceText, start: number, end: number, serverVersion: number): void {
  if (serverVersion >= READ_SINCE || !MAY_BE_NEWER.test(source.slice(start, end))) return;
  for (const token of source.tokens) {
    if (token.start < start || token.start >= end || !NUMBERS.has(token.tokenName)) continue;
    if (!MAY_BE_NEWER.test(source.slice(token.start, token.end))) continue;
    throw refuseStatement(
      `numbers are not written so before PostgreSQL 16`,
      token.start,
      'Write it in decimal digits alone.',
    );
  }
}
