/** A declared default as pg_get_expr prints the constant of a plain column: `'open'::text`, `1.5`, `true`. */
import { ValueError } from '../../types/errors.ts';
import { STANDARD_SETTINGS, type ValueContext } from '../../types/codec.ts';
import { printValue, readValue } from '../../types/values.ts';
import type { LogicalType, LogicalTypeName } from '../../plan.ts';
import { logicalType } from '../../types/registry.ts';
import type { BuiltinTypeName } from '../../types/type-facts.ts';

/** `labelOid`: of the type that the server prints behind the value, by names that its session can see. Undefined: none. */
export type DefaultText = { readonly text: string; readonly labelOid: number | undefined };

const NUMBERS: ReadonlySet<LogicalTypeName> = new Set(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8']);
const INT4 = { oid: 23, most: 2n ** 31n };
const INT8 = { oid: 20, most: 2n ** 63n };
const NUMERIC_OID = 1700;

/** Numbers as DDL writes them, without quotes; all else as a quoted string, in ISO style and UTC. */
export function defaultText(value: string, type: LogicalType): DefaultText {
  if (type.name === 'bool') return { text: printed(value, type) === 't' ? 'true' : 'false', labelOid: undefined };
  if (NUMBERS.has(type.name) && /^\s*[-+]?\d+(?:\.\d*)?\s*$/.test(value))
    return number(value.trim().replace(/^\+/, ''));
  return { text: quoted(printed(value, type)), labelOid: type.oid };
}

/** get_const_expr (ruleutils.c): bare where it would be read as the same constant. */
function number(text: string): DefaultText {
  const isNegative = text.startsWith('-');
  if (text.includes('.'))
    return isNegative ? { text: quoted(text), labelOid: NUMERIC_OID } : { text, labelOid: undefined };
  const whole = BigInt(text);
  const fits = ({ most }: typeof INT4): boolean => whole >= -most && whole < most;
  if (fits(INT4))
    return isNegative ? { text: quoted(`${whole}`), labelOid: INT4.oid } : { text: `${whole}`, labelOid: undefined };
  return { text: quoted(`${whole}`), labelOid: fits(INT8) ? INT8.oid : NUMERIC_OID };
}

/** As the type's output function does; what it cannot be asked for stays as the rule writes it. */
function printed(value: string, type: LogicalType): string {
  // The constant itself is of the bare type: its length is applied to it.
  if (type.name === 'bpchar' || type.name === 'bit') return value;
  const context: ValueContext = {
    type: { ...type, typmod: -1 },
    purpose: 'store',
    settings: { ...STANDARD_SETTINGS, timeZone: 'UTC' },
    zones: { zone: () => ({ offsetAt: () => 0, offsetForLocal: () => 0 }) },
  };
  try {
    return Buffer.from(printValue(readValue(Buffer.from(value), 'text', context), 'text', context)).toString();
  } catch (error) {
    if (error instanceof ValueError) return value;
    throw error;
  }
}

/** A constant of a CHECK. `bare`: it is read as that type without the type behind it. */
export function constantParts(value: string, name: BuiltinTypeName): { readonly text: string; readonly bare: boolean } {
  const text = printed(value, logicalType(name));
  if (name === 'bool') return { text: text === 't' ? 'true' : 'false', bare: true };
  const bare = (name === 'int4' && !text.startsWith('-')) || (name === 'numeric' && /^\d+\.\d*$/.test(text));
  return { text: bare ? text : quoted(text), bare };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
