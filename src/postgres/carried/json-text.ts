/** Values as to_json and to_jsonb print them, made of their text: datum_to_json_internal in src/backend/utils/adt/json.c, and jsonb.c. */
import type { JsonForm, LogicalType } from '../plan.ts';
import { parseArrayLiteral } from '../types/array/literal.ts';
import type { ArrayShape } from '../types/array/shape.ts';
import { formatDecimal } from '../types/decimal.ts';
import { parseDecimal } from '../types/decimal-text.ts';
import { isFloat, isNumber } from '../types/registry.ts';

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** @param text in the ISO DateStyle, everything else as the session prints it. */
export function jsonOfText(type: LogicalType, text: Uint8Array, form: JsonForm): string {
  if (type.element !== undefined) return arrayJson(type.element, text, form);
  const printed = Buffer.from(text.buffer, text.byteOffset, text.length).toString('utf8');
  if (isNumber(type) || isFloat(type)) return numberJson(type, printed, form);
  switch (type.name) {
    case 'bool':
      return printed === 't' ? 'true' : 'false';
    case 'json':
    case 'jsonb':
      return printed;
    case 'timestamp':
    case 'timestamptz':
      return JSON.stringify(xsdTimestamp(printed));
    default:
      return jsonString(text);
  }
}

/** As escape_json does: the same short escapes, \u00xx for other control characters, nothing else. */
export function jsonString(text: Uint8Array): string {
  return JSON.stringify(Buffer.from(text.buffer, text.byteOffset, text.length).toString('utf8'));
}

/** jsonb keeps numbers as numeric does: no exponents, and no zero with a sign. */
function numberJson(type: LogicalType, printed: string, form: JsonForm): string {
  if (!NUMBER.test(printed)) return JSON.stringify(printed);
  return form === 'jsonb' && isFloat(type) ? formatDecimal(parseDecimal(printed)) : printed;
}

/** EncodeDateTime with USE_XSD_DATES: a T between date and time, minutes in every offset. */
function xsdTimestamp(iso: string): string {
  return iso.replace(/^(\S+) (?=\d)/, '$1T').replace(/([+-]\d\d)(?= BC$|$)/, '$1:00');
}

function arrayJson(element: LogicalType, text: Uint8Array, form: JsonForm): string {
  const { shape, elements } = parseArrayLiteral(text);
  const items = elements.map((item) => (item === undefined ? 'null' : jsonOfText(element, item, form)));
  return items.length === 0 ? '[]' : nested(shape, items, form === 'jsonb' ? ', ' : ',');
}

function nested(shape: ArrayShape, items: readonly string[], separator: string): string {
  const [, ...inner] = shape;
  if (inner.length === 0) return `[${items.join(separator)}]`;
  const size = inner.reduce((product, { size: count }) => product * count, 1);
  const rows: string[] = [];
  for (let at = 0; at < items.length; at += size) rows.push(nested(inner, items.slice(at, at + size), separator));
  return `[${rows.join(separator)}]`;
}
