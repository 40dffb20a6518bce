/** Constants in sealed positions: where they lie in the text, what value they are, and whether the column's type takes them. */
import type { A_Const, TypeCast, TypeName } from 'libpg-query';
import type { LogicalType, SealedColumn, ValuePurpose } from '../../plan.ts';
import { conversion } from '../../types/conversions.ts';
import { followsCast } from '../../types/explicit-cast.ts';
import { numericModifier, typmodOf } from '../../types/modifiers.ts';
import { isFloat, isNumber, isText, logicalType, logicalTypeByOid, withTypmod } from '../../types/registry.ts';
import { isBuiltinTypeName } from '../../types/type-facts.ts';
import { formatLogicalType } from '../../types/type-text.ts';
import { refuseUse } from '../errors.ts';
import type { SourceText } from '../text/source-text.ts';
import { builtinName, castType, locationOf, namesOf, type Node } from '../text/syntax.ts';
import { columnName } from './values.ts';

export type ConstantValue = {
  readonly value: string;
  readonly declaredOid: number | undefined;
  /** The constant's own type, without a cast around it; undefined for strings. */
  readonly ownOid?: number;
};

const INT4 = 23;
const INT8 = 20;
const BOOL = 16;
const NUMERIC = 1700;
const MAX_INT8 = 9_223_372_036_854_775_807n;
const BIT = 1560;

export function isNull(constant: A_Const): boolean {
  return constant.isnull === true;
}

/** `castOid`: the type of a cast around it. Undefined: NULL. Refuses what the column's type would not take. */
export function constantValue(
  constant: A_Const,
  column: SealedColumn,
  castOid: number | undefined,
): ConstantValue | undefined {
  if (isNull(constant)) return undefined;
  if (constant.sval !== undefined) return { value: constant.sval.sval ?? '', declaredOid: castOid };
  const isBits = column.type.name === 'bit' || column.type.name === 'varbit';
  if (constant.bsval !== undefined && isBits)
    return { value: constant.bsval.bsval ?? '', declaredOid: castOid, ownOid: BIT };
  const own = unquoted(constant);
  if (own === undefined) throw wrongKind(column, locationOf(constant));
  const asNumber = own.oid !== undefined && (isNumber(column.type) || isFloat(column.type));
  // int4 to text is the one assignment whose text is plainly the constant's own.
  const asText = own.oid === INT4 && isText(column.type) && castOid !== undefined;
  if (asNumber) return { value: own.value, declaredOid: castOid ?? own.oid, ownOid: own.oid };
  if (asText) return { value: own.value, declaredOid: castOid };
  if (own.oid === undefined && column.type.name === 'bool')
    return { value: own.value, declaredOid: castOid, ownOid: BOOL };
  throw wrongKind(column, locationOf(constant));
}

/** Numbers and booleans; `oid` only for numbers. */
function unquoted(constant: A_Const): { readonly value: string; readonly oid: number | undefined } | undefined {
  if (constant.boolval !== undefined)
    return { value: constant.boolval.boolval === true ? 'true' : 'false', oid: undefined };
  if (constant.ival !== undefined) return { value: String(constant.ival.ival ?? 0), oid: INT4 };
  const text = constant.fval?.fval;
  if (text === undefined) return undefined;
  return { value: text, oid: numberOid(text) };
}

/** As make_const in parse_node.c: integers beyond int4 are int8 where they fit. */
export function numberOid(text: string): number {
  if (!/^-?\d+$/.test(text)) return NUMERIC;
  const number = BigInt(text);
  return number <= MAX_INT8 && number >= -MAX_INT8 - 1n ? INT8 : NUMERIC;
}

function wrongKind(column: SealedColumn, location: number): Error {
  return refuseUse(
    `this kind of constant is not supported for sealed column ${columnName(column)} of type ${formatLogicalType(column.type)}`,
    location,
    'Write the value as a quoted string or pass it as a parameter.',
  );
}

/**
 * The type a cast gives a value for a column. Undefined: exactly the column's own. Refuses types that the column's does not take, and
 * type modifiers, which would change the value.
 */
export function castFor(
  cast: TypeCast,
  column: SealedColumn,
  use: { readonly shape: 'scalar' | 'array'; readonly purpose: ValuePurpose; readonly searchPath: readonly string[] },
): number | undefined {
  const isArray = use.shape === 'array';
  if (namesOwnType(cast.typeName, column.type, use.searchPath) && !isArray) return undefined;
  const type = castType(cast.typeName);
  const oid = type === undefined ? undefined : isArray || !type.isArray ? type.elementOid : type.arrayOid;
  if (
    type === undefined ||
    oid === undefined ||
    (isArray && !type.isArray) ||
    !acceptsType(column.type, oid, use.purpose)
  ) {
    throw refuseUse(
      `this cast does not give a value of sealed column ${columnName(column)}, which is of type ${formatLogicalType(column.type)}`,
      locationOf(cast.typeName),
      `Cast to ${formatLogicalType(withTypmod(column.type, -1))}${isArray ? '[]' : ''}, or leave the cast out.`,
    );
  }
  return oid === column.type.oid ? undefined : oid;
}

/** The type with a modifier that a cast names, where it is known what that makes of a value for a column of the type. */
export function castWithModifier({ typeName }: TypeCast, type: LogicalType): LogicalType | undefined {
  const named = typeWithModifier(typeName);
  return named !== undefined && followsCast(named, type) ? named : undefined;
}

/** `varchar(40)`; undefined: another kind of type, or one without modifier. */
export function typeWithModifier(typeName: TypeName | undefined): LogicalType | undefined {
  const name = builtinName(namesOf(typeName?.names));
  if (typeName === undefined || name === undefined || !isBuiltinTypeName(name) || name === 'interval') return undefined;
  if ((typeName.arrayBounds ?? []).length > 0 || typeName.setof === true || typeName.pct_type === true)
    return undefined;
  const numbers = (typeName.typmods ?? []).map((node) => ('A_Const' in node ? node.A_Const.ival : undefined));
  const [first, second, ...more] = numbers.map((number) => number && (number.ival ?? 0));
  if (first === undefined || more.length > 0 || (numbers.length === 2 && second === undefined)) return undefined;
  const typmod = typmodOf(name, first, second);
  return typmod === undefined ? undefined : logicalType(name, typmod);
}

/** `c::varchar(40)` of a varchar(40) changes nothing. */
export function namesOwnModifier(typeName: TypeName | undefined, type: LogicalType): boolean {
  const named = typeWithModifier(typeName);
  return named !== undefined && named.oid === type.oid && named.typmod === type.typmod;
}

/** Whether the cast names the modifier that the column itself has, and rounds as storing in it does: numeric(p,s). */
export function roundsAsColumn(cast: TypeCast, { type, storedType = type }: SealedColumn): boolean {
  const { typeName } = cast;
  const modifiers = (typeName?.typmods ?? []).map((node) => ('A_Const' in node ? node.A_Const.ival : undefined));
  const [precision, scale, ...more] = modifiers.map((number) => number && (number.ival ?? 0));
  const column = numericModifier(storedType);
  if (precision === undefined || column === undefined || more.length > 0) return false;
  if (builtinName(namesOf(typeName?.names)) !== 'numeric' || (typeName?.arrayBounds ?? []).length > 0) return false;
  return precision === column.precision && (modifiers.length === 1 ? 0 : scale) === column.scale;
}

/** Whether a cast names the enum (or array of it) or domain that is a column's type: in full, or by the schema that is searched first. */
export function namesOwnType(
  typeName: TypeName | undefined,
  { user, domain, element }: LogicalType,
  searchPath: readonly string[],
): boolean {
  const own = domain ?? user ?? element?.user;
  const names = namesOf(typeName?.names);
  if (own === undefined || typeName === undefined) return false;
  if ((typeName.arrayBounds ?? []).length > 0 !== (element !== undefined)) return false;
  if (names.at(-1) !== own.name || names.length > 2) return false;
  if (names.length === 2) return names[0] === own.schema;
  return searchPath.find((schema) => !schema.startsWith('pg_')) === own.schema;
}

/** Whether a value of that type can be taken for the column's: the same type, or one that becomes it as the server would have it. */
export function acceptsType(type: LogicalType, oid: number, purpose: ValuePurpose): boolean {
  if (type.oid === oid || type.domain?.oid === oid) return true;
  const other = logicalTypeByOid(oid);
  const purposes: readonly ValuePurpose[] = purpose === 'both' ? ['store', 'compare'] : [purpose];
  return other !== undefined && purposes.every((one) => conversion(other, type, one) !== undefined);
}

/** How a constant of the kinds above begins. */
const CONSTANT_TOKEN = /^(?:'|e'|u&'|b'|x'|\$|\.?\d|true$|false$)/i;

/** The bytes of a constant in the text: a token, or signs and parentheses ahead of one, as in `-(5)` and `- -5`. */
export function constantSpan(source: SourceText, constant: A_Const): { readonly start: number; readonly end: number } {
  const start = locationOf(constant);
  const { index, open } = behindSigns(source, source.tokenAt(start));
  const token = index === undefined ? undefined : source.tokens[index];
  const closes = index !== undefined && [...Array(open).keys()].every((at) => source.tokenText(index + 1 + at) === ')');
  if (index === undefined || token === undefined || !closes || !CONSTANT_TOKEN.test(source.tokenText(index))) {
    throw refuseUse(
      'this way of writing a constant is not supported for a sealed column',
      start,
      'Write it as one number or quoted string.',
    );
  }
  if (open > 0) return { start, end: source.tokens[index + open]?.end ?? token.end };
  if (source.tokenText(index + 1).toLowerCase() !== 'uescape') return { start, end: token.end };
  const escape = source.tokens[index + 2];
  if (escape === undefined) throw refuseUse('a constant was not found in the text', start);
  return { start, end: escape.end };
}

function behindSigns(source: SourceText, start: number | undefined): { index: number | undefined; open: number } {
  let [index, open] = [start, 0];
  while (index !== undefined && ['-', '+', '('].includes(source.tokenText(index))) {
    if (source.tokenText(index) === '(') open += 1;
    index += 1;
  }
  return { index, open };
}

/** Nobody writes more, and every node above a sign looks below it. */
const MAX_SIGNS = 4;

/** `+5`, which the parser leaves as an operator in front of the constant, as one constant. */
export function signedConstant(node: Node, signs = MAX_SIGNS): A_Const | undefined {
  if ('A_Const' in node) return node.A_Const;
  if (signs === 0 || !('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return undefined;
  const { name, lexpr, rexpr, location } = node.A_Expr;
  if (lexpr !== undefined || rexpr === undefined || namesOf(name).join('.') !== '+') return undefined;
  const constant = signedConstant(rexpr, signs - 1);
  const isNumber = constant?.ival !== undefined || constant?.fval !== undefined;
  return isNumber ? { ...constant, location: location ?? 0 } : undefined;
}

/** The bytes of a cast's type name: `timestamp(3) with time zone`, `pg_catalog.text`, `"text"[]`. */
export function typeNameSpan(source: SourceText, cast: TypeCast): { readonly start: number; readonly end: number } {
  const start = locationOf(cast.typeName);
  const first = source.tokenAt(start);
  if (start < 0 || first === undefined) throw refuseUse('the type of a cast was not found in the text', start);
  let index = first;
  while (source.tokenText(index + 1) === '.') index += 2;
  index = skipWords(source, index);
  if ((cast.typeName?.typmods ?? []).length > 0 && source.tokenText(index + 1) === '(') {
    while (source.tokenText(index) !== ')' && index < source.tokens.length) index += 1;
    // timestamp(3) with time zone
    index = skipWords(source, index, first);
  }
  if (source.tokenText(index + 1).toLowerCase() === 'array') index += 1;
  while (source.tokenText(index + 1) === '[') {
    index += 1;
    while (source.tokenText(index) !== ']' && index < source.tokens.length) index += 1;
  }
  return { start, end: source.tokens[index]?.end ?? start };
}

/** Types of several words, by their first. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  character: ['varying'],
  char: ['varying'],
  timestamp: ['with', 'without', 'time', 'zone'],
  time: ['with', 'without', 'time', 'zone'],
  bit: ['varying'],
  double: ['precision'],
  national: ['character', 'varying'],
};

/** @param named where the type's first word stands. */
function skipWords(source: SourceText, index: number, named = index): number {
  let at = index;
  for (const word of WORDS[source.tokenText(named).toLowerCase()] ?? []) {
    if (source.tokenText(at + 1).toLowerCase() === word) at += 1;
  }
  return at;
}
