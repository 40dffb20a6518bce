/** The constants that CHECK expressions compare with, as canonical bytes, and how canonical bytes of a type are ordered. */
import type { A_Const, TypeName } from 'libpg-query';
import { castType, type Node } from '../analysis/text/syntax.ts';
import type { LogicalType } from '../plan.ts';
import type { ValueContext } from '../types/codec.ts';
import { encodeDecimal, reduce } from '../types/decimal.ts';
import { parseDecimal } from '../types/decimal-text.ts';
import { ValueError } from '../types/errors.ts';
import { orderOf, type CanonicalOrder } from '../types/order.ts';
import { isNumber, isText, logicalTypeByOid } from '../types/registry.ts';
import { readValue } from '../types/values.ts';
import type { Comparison } from './condition.ts';

/** Undefined: the type has no order, or one that the server's collation decides. */
export function orderFor(type: LogicalType, comparison: Comparison): CanonicalOrder | undefined {
  const order = orderOf(type);
  if (order === undefined) return undefined;
  return order.equalityOnly && comparison !== '=' && comparison !== '<>' ? undefined : order.compare;
}

/** Undefined: no constant of the type, or one whose meaning depends on a session. */
export function checkConstant(node: Node, type: LogicalType): Uint8Array | undefined {
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast;
    return arg !== undefined && isValueCast(typeName, type) ? checkConstant(arg, type) : undefined;
  }
  const text = 'A_Const' in node ? textOf(node.A_Const) : undefined;
  if (text === undefined) return undefined;
  try {
    if (isNumber(type)) return encodeDecimal(reduce(parseDecimal(text)));
    return readValue(Buffer.from(text), 'text', contextOf(type));
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}

function textOf(constant: A_Const): string | undefined {
  if (constant.sval !== undefined) return constant.sval.sval ?? '';
  if (constant.boolval !== undefined) return String(constant.boolval.boolval === true);
  if (constant.ival !== undefined) return String(constant.ival.ival ?? 0);
  return constant.fval?.fval;
}

/** A cast that leaves values of the type what they are: to itself without a modifier, among texts, from integers to numeric. */
export function isValueCast(typeName: TypeName | undefined, type: LogicalType): boolean {
  const target = castType(typeName);
  const named = target === undefined || target.isArray ? undefined : logicalTypeByOid(target.elementOid);
  if (named === undefined) return false;
  if (named.name === type.name) return true;
  return (isText(named) && isText(type)) || (named.name === 'numeric' && isNumber(type));
}

/** No session: what depends on one is no constant. */
function contextOf(type: LogicalType): ValueContext {
  return {
    type: { ...type, typmod: -1 },
    purpose: 'compare',
    settings: { timeZone: '', dateStyle: 'ISO, MDY', clientEncoding: 'UTF8' },
    zones: { zone: () => undefined },
  };
}
