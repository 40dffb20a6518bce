/** `ARRAY['a', 'b']` of constants alone, which is one constant of an array type: psycopg2 and others write their lists so. */
import type { A_ArrayExpr, TypeCast } from 'libpg-query';
import type { LogicalType, SealedColumn } from '../../plan.ts';
import { castType, locationOf, type Node } from '../text/syntax.ts';
import type { SourceText } from '../text/source-text.ts';

export type ArrayConstant = {
  /** As array_in reads it. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
};

/**
 * With the cast around it, where it has one. Undefined: it is something else, or the server would not store in the column just what its
 * elements say.
 */
export function arrayConstant(
  source: SourceText,
  node: A_ArrayExpr,
  cast: TypeCast | undefined,
  { type }: SealedColumn,
): ArrayConstant | undefined {
  const texts = (node.elements ?? []).map(elementText);
  const end = closingBracket(source, locationOf(node));
  if (type.element === undefined || end === undefined || !texts.every((text) => text !== undefined)) return undefined;
  const named = cast === undefined ? undefined : castType(cast.typeName);
  // Read as elements of that type by the server as well.
  const isOwn = named?.isArray === true && named.arrayOid === type.oid;
  if (cast === undefined ? !isAssigned(texts, type.element) : !isOwn) return undefined;
  return { value: `{${texts.map(({ text }) => text).join(',')}}`, start: locationOf(node), end };
}

type ElementText = { readonly kind: 'string' | 'int4' | 'null'; readonly text: string };

function elementText(node: Node): ElementText | undefined {
  if (!('A_Const' in node)) return undefined;
  const { isnull, sval, ival } = node.A_Const;
  if (isnull === true) return { kind: 'null', text: 'NULL' };
  if (ival !== undefined) return { kind: 'int4', text: String(ival.ival ?? 0) };
  if (sval === undefined) return undefined;
  return { kind: 'string', text: `"${(sval.sval ?? '').replaceAll(/["\\]/g, String.raw`\$&`)}"` };
}

const TEXTS: ReadonlySet<string> = new Set(['text', 'varchar']);
const INTEGERS: ReadonlySet<string> = new Set(['int4', 'int8']);

/** Without a cast it is text[] or int4[], which is assigned to the column. */
function isAssigned(texts: readonly ElementText[], element: LogicalType): boolean {
  const strings = texts.filter(({ kind }) => kind === 'string').length;
  const numbers = texts.filter(({ kind }) => kind === 'int4').length;
  if (element.user !== undefined || element.domain !== undefined) return false;
  if (numbers > 0) return strings === 0 && INTEGERS.has(element.name);
  return texts.length > 0 && TEXTS.has(element.name);
}

/** The byte after the bracket that ends what begins with ARRAY. */
function closingBracket(source: SourceText, start: number): number | undefined {
  const first = source.tokenAt(start);
  if (first === undefined || source.tokenText(first).toLowerCase() !== 'array') return undefined;
  let depth = 0;
  for (let index = first + 1; index < source.tokens.length; index++) {
    const text = source.tokenText(index);
    if (text === '[') depth += 1;
    if (text === ']') depth -= 1;
    if (depth === 0) return source.tokens[index]?.end;
  }
  return undefined;
}
