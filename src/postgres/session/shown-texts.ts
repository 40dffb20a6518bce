/** Answers about the catalog on their way to the client: in the place of a mark stands what the server is not told. */
import { MARK, MARKS } from '../analysis/facade/declared-defaults.ts';
import { formatAt } from '../messages/bind.ts';
import { decodeDataRow, encodeDataRow } from '../messages/data-row.ts';
import { TYPES } from '../types/type-facts.ts';

/** Types whose text is the value itself: text, varchar, bpchar, name, unknown. */
const TEXTS: ReadonlySet<number> = new Set([TYPES.text.oid, TYPES.varchar.oid, TYPES.bpchar.oid, 19, 705]);
const JSONS: ReadonlySet<number> = new Set([TYPES.json.oid, TYPES.jsonb.oid]);

/** The DataRow frame; undefined: there is no mark in it. `types`: of the columns, where the server has described them. */
export function withShownTexts(
  body: Uint8Array,
  texts: ReadonlyMap<string, string>,
  types: readonly number[] = [],
  formats: readonly number[] = [],
): Uint8Array | undefined {
  if (!Buffer.from(body.buffer, body.byteOffset, body.length).includes(MARK)) return undefined;
  const values = decodeDataRow(body).map((value, index) => {
    const bytes = value && Buffer.from(value.buffer, value.byteOffset, value.length);
    const type = types[index];
    if (bytes?.includes(MARK) !== true || !isWithinReach(type, formatAt(formats, index))) return value;
    // Whatever stands beside a mark comes out as it was.
    const text = bytes.toString('latin1').replace(MARKS, (mark) => written(texts.get(mark) ?? mark, type));
    return Buffer.from(text, 'latin1');
  });
  return encodeDataRow(values);
}

/** Binary arrays and rows say the lengths of their parts. */
function isWithinReach(type: number | undefined, format: number): boolean {
  return format === 0 || type === undefined || TEXTS.has(type) || JSONS.has(type);
}

/** Each byte as one character. Within quotes, where it is not the value itself. */
function written(text: string, type: number | undefined): string {
  const bytes = Buffer.from(text).toString('latin1');
  if (type === undefined || TEXTS.has(type)) return bytes;
  const quoted = JSONS.has(type) ? JSON.stringify(text).slice(1, -1) : text.replaceAll(/["\\]/g, '\\$&');
  return Buffer.from(quoted).toString('latin1');
}
