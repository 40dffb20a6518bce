/**
 * Operands of comparisons. Where a view compares sealed columns the server prints its definition with what it does to them: it compares the base type
 * of the guard's domain, `((a.ssn)::bytea = (b.ssn)::bytea)`. That cast is none of the view's, and of logical types it must not be made.
 */
import type { TypeCast } from 'libpg-query';
import { storedType } from '../../columns/stored-type.ts';
import type { Analysis } from '../query/analysis.ts';
import type { Scope } from '../query/scope.ts';
import { castType, locationOf, type Node } from '../text/syntax.ts';
import { typeNameSpan } from './constants.ts';
import type { Value } from './values.ts';

const BYTEA_OID = 17;

/** What an operand of an equality is. */
export function inferOperand(analysis: Analysis, node: Node, scope: Scope): Value {
  const cast = analysis.input.within === 'view' && 'TypeCast' in node ? node.TypeCast : undefined;
  const value = cast && storedValue(analysis, cast, scope);
  return value ?? analysis.infer(node, scope);
}

/** Of a sealed column's value that is cast to what the server stores. */
function storedValue(analysis: Analysis, cast: TypeCast, scope: Scope): Value | undefined {
  const target = castType(cast.typeName);
  const start = locationOf(cast);
  if (cast.arg === undefined || start < 0 || target?.elementOid !== BYTEA_OID || target.isArray) return undefined;
  const value = analysis.infer(cast.arg, scope);
  if (value.type !== 'sealed' || value.column.carries !== undefined) return undefined;
  if (storedType(value.column).oid !== BYTEA_OID) return undefined;
  analysis.shadowEdits.push({ start, end: typeNameSpan(analysis.source, cast).end, replacement: '' });
  return value;
}
