/** The values of a column of constants and parameters, moulded as what reads it needs. */
import type { A_Const, TypeCast } from 'libpg-query';
import type { SealedColumn, ValuePurpose } from '../../plan.ts';
import { storedType } from '../../columns/stored-type.ts';
import type { Analysis } from '../query/analysis.ts';
import { widens } from './casts.ts';
import { numberOid, roundsAsColumn } from './constants.ts';
import { mould, nodeLocation } from './mould.ts';
import { mouldConstant, mouldParameter } from './mould-leaves.ts';
import { changing } from './open-reads.ts';
import type { Scope } from '../query/scope.ts';
import { castType, locationOf, type Node } from '../text/syntax.ts';

/** A value below a cast that reads it must be of a type whose values that cast does not change. */
export function mouldBelow(
  analysis: Analysis,
  node: Node,
  scope: Scope,
  column: SealedColumn,
  purpose: ValuePurpose,
  castOid: number | undefined,
): void {
  if (castOid === undefined) return mould(analysis, node, scope, column, purpose);
  if ('ParamRef' in node) {
    // Without a type of its own it is text to the server, which the cast reads.
    analysis.texts.add(`$${node.ParamRef.number ?? 0}`);
    return mouldParameter(analysis, node.ParamRef, column, purpose, 'scalar', castOid);
  }
  if ('A_Const' in node && node.A_Const.sval !== undefined) {
    analysis.texts.add(locationOf(node.A_Const));
    return mouldConstant(analysis, node.A_Const, column, purpose, castOid);
  }
  const own = 'TypeCast' in node ? castTypeFor(node.TypeCast, column) : ownType(node);
  if (own === undefined || !widens(own, castOid)) throw changing(column, nodeLocation(node));
  mould(analysis, node, scope, column, purpose);
}

const INT4 = 23;
const BOOL = 16;

/** The type that a cast gives. One that rounds as the column does gives the column's. */
function castTypeFor(cast: TypeCast, column: SealedColumn): number | undefined {
  if (roundsAsColumn(cast, column)) return column.type.oid;
  const type = castType(cast.typeName);
  return type?.isArray === true ? type.arrayOid : type?.elementOid;
}

/** The type of a constant by itself, where a cast could not change it. */
function ownType(node: Node): number | undefined {
  if (!('A_Const' in node)) return undefined;
  if (node.A_Const.boolval !== undefined) return BOOL;
  const digits = node.A_Const.fval?.fval;
  if (digits !== undefined) return numberOid(digits);
  return node.A_Const.ival === undefined ? undefined : INT4;
}

/** A column in which there is nothing but NULL would be text, which is no ciphertext. */
export function castNull(analysis: Analysis, constant: A_Const, column: SealedColumn): void {
  if (column.carries !== undefined) return;
  const start = locationOf(constant);
  analysis.edit({ start, end: start + 'NULL'.length, replacement: `NULL::pg_catalog.${storedType(column).name}` });
}
