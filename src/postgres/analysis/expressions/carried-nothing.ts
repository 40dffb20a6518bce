/** Constants that may stand beside a value that carries sealed ones: NULL, or an empty array or object. */
import type { SealedColumn } from '../../plan.ts';
import { storedType } from '../../columns/stored-type.ts';
import type { Analysis } from '../query/analysis.ts';
import { castType, type Node } from '../text/syntax.ts';
import { typeNameSpan } from './constants.ts';

const EMPTY_JSON = /^\s*(?:\[\s*\]|\{\s*\}|null)\s*$/;
const EMPTY_ARRAY = /^\s*\{\s*\}\s*$/;

export function standsForNothing(analysis: Analysis, node: Node, column: SealedColumn): boolean {
  if ('A_Const' in node) {
    if (node.A_Const.isnull === true) return true;
    const text = node.A_Const.sval?.sval;
    if (text === undefined) return false;
    if (column.carries?.as === 'row') return false;
    if (column.carries?.as === 'joined' || column.carries?.as === 'text') {
      analysis.literalsMatter = true;
      return text === '';
    }
    // Another constant in its place would be another plan.
    analysis.literalsMatter = true;
    return (column.carries?.as === 'array' ? EMPTY_ARRAY : EMPTY_JSON).test(text);
  }
  if ('A_ArrayExpr' in node) return column.carries?.as === 'array' && (node.A_ArrayExpr.elements ?? []).length === 0;
  if (
    !('TypeCast' in node) ||
    node.TypeCast.arg === undefined ||
    !standsForNothing(analysis, node.TypeCast.arg, column)
  )
    return false;
  const { carries } = column;
  const type = castType(node.TypeCast.typeName);
  if (carries?.as === 'joined' || carries?.as === 'text') {
    if (type?.isArray !== false || type.elementOid !== column.type.oid) return false;
    analysis.edit({
      ...typeNameSpan(analysis.source, node.TypeCast),
      replacement: `pg_catalog.${storedType(carries.of).name}`,
    });
    return true;
  }
  if (carries?.as !== 'array') return type?.isArray === false && type.elementOid === column.type.oid;
  if (type?.isArray !== true || type.arrayOid !== column.type.oid) return false;
  const replacement = `${storedType(carries.of).name}[]`;
  analysis.edit({ ...typeNameSpan(analysis.source, node.TypeCast), replacement });
  return true;
}
