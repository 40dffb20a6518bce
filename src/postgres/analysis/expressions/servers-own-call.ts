/** Calls that take sealed values, which the server must not find others for than where the values are plain. */
import type { FuncCall } from 'libpg-query';
import type { Analysis } from '../query/analysis.ts';
import { locationOf } from '../text/syntax.ts';

/** Upstream the name is written with pg_catalog: a function over bytea that somebody has added would fit ciphertext better than the server's own. */
export function callServersOwn(analysis: Analysis, call: FuncCall): void {
  if (analysis.input.within === 'view' || (call.funcname ?? []).length !== 1) return;
  const start = locationOf(call);
  analysis.edit({ start, end: start, replacement: 'pg_catalog.' });
}
