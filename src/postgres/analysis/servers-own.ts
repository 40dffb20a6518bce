/**
 * What our analysis takes for the server's own has to be that: an operator or function that somebody has added may fit the types of columns
 * better than the server's own, wherever it stands in the path, and the server takes what fits best. On ciphertext it would take another one.
 */
import type { LogicalType } from '../plan.ts';
import { AnalysisError } from './errors.ts';
import { takesSealed } from './expressions/expressions.ts';
import type { Analysis } from './query/analysis.ts';
import type { Added } from './server-references.ts';

/** Types of which one becomes another by itself (pg_cast.castcontext i), so that an operator of one takes the others. */
const FAMILIES: readonly (readonly number[])[] = [
  [25, 1043, 1042, 19], // text, varchar, bpchar, name
  [21, 23, 20, 1700, 700, 701, 26], // int2, int4, int8, numeric, float4, float8, oid
  [1082, 1114, 1184], // date, timestamp, timestamptz
  [1083, 1266, 1186], // time, timetz, interval
  [869, 650], // inet, cidr
  [829, 774], // macaddr, macaddr8
  [1560, 1562], // bit, varbit
];
/** any, anyelement, anynonarray, anyarray, anyenum, anycompatible, anycompatiblenonarray, anycompatiblearray: operators of these take all. */
const ANY: readonly number[] = [2276, 2283, 2776, 2277, 3500, 5077, 5079, 5078];

/** `added`: what the statement calls, on columns of their logical types, that is not the server's own. Errors: ERR_POSTGRES_DISAGREEMENT. */
export function requireServersOwn({ columns, castsToText }: Analysis, added: readonly Added[]): void {
  if (added.length === 0) return;
  const types = new Set([...ANY, ...[...columns.values()].flatMap(({ type }) => typesLike(type))]);
  for (const { kind, name, operands } of added) {
    const isEquality = kind === 'operator' && (name === '=' || name === '<>') && operands.some((oid) => types.has(oid));
    if (isEquality)
      throw notTheServers(`an operator ${name} that was added to it`, `Write OPERATOR(pg_catalog.${name}).`);
    if (castsToText && (kind === 'cast' || (kind === 'own-cast' && operands.some((oid) => types.has(oid)))))
      throw notTheServers('a cast that was added to it', 'Read the column itself, without the cast.');
    if ((kind === 'function' || kind === 'cast') && takesSealed(name))
      throw notTheServers(`a function ${name} that was added to it`, `Write pg_catalog.${name}.`);
  }
}

function typesLike(type: LogicalType): readonly number[] {
  const own = [type.oid, type.arrayOid, ...(type.domain === undefined ? [] : [type.domain.oid])];
  return [...own, ...FAMILIES.filter((family) => family.includes(type.oid)).flat()];
}

function notTheServers(what: string, hint: string): AnalysisError {
  return new AnalysisError('ERR_POSTGRES_DISAGREEMENT', '0A000', `the server would call ${what}`, -1, hint);
}
