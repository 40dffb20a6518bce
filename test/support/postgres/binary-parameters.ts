/** Values of parameters in binary, of the types whose form is simple; written here anew, as an oracle for the proxy's own codecs. */

type Encoder = (text: string) => Uint8Array;

const integer =
  (bytes: number): Encoder =>
  (text) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64BE(BigInt(text));
    return buffer.subarray(8 - bytes);
  };
const utf8: Encoder = (text) => Buffer.from(text);
const MS_PER_DAY = 86_400_000;
const EPOCH_DAYS = Date.UTC(2000, 0, 1) / MS_PER_DAY;

/** By OID: bool, bytea, int8, int2, int4, text, varchar, date, uuid. */
const SCALARS: Readonly<Record<number, Encoder>> = {
  16: (text) => Uint8Array.of(text === 'true' ? 1 : 0),
  17: (text) => Buffer.from(text.slice(2), 'hex'),
  20: integer(8),
  21: integer(2),
  23: integer(4),
  25: utf8,
  1043: utf8,
  1082: (text) => integer(4)(String(Date.parse(`${text}T00:00:00Z`) / MS_PER_DAY - EPOCH_DAYS)),
  2950: (text) => Buffer.from(text.replaceAll('-', ''), 'hex'),
};
/** Array types and their elements. */
const ARRAYS: Readonly<Record<number, number>> = {
  1000: 16,
  1001: 17,
  1016: 20,
  1005: 21,
  1007: 23,
  1009: 25,
  1015: 1043,
  1182: 1082,
  2951: 2950,
};

/** Undefined: this type is sent as text. */
export function binaryParameter(
  oid: number,
  value: string | readonly (string | null)[] | null,
): Uint8Array | undefined {
  if (value === null) return undefined;
  if (typeof value === 'string') return attempt(SCALARS[oid], value);
  const element = ARRAYS[oid];
  const encode = element === undefined ? undefined : SCALARS[element];
  if (element === undefined || encode === undefined) return undefined;
  const head = Buffer.alloc(value.length === 0 ? 12 : 20);
  head.writeInt32BE(value.length === 0 ? 0 : 1, 0);
  head.writeInt32BE(value.includes(null) ? 1 : 0, 4);
  head.writeInt32BE(element, 8);
  if (value.length > 0) head.writeInt32BE(value.length, 12);
  if (value.length > 0) head.writeInt32BE(1, 16);
  const items: Uint8Array[] = [];
  for (const item of value) {
    const bytes = item === null ? undefined : attempt(encode, item);
    if (item !== null && bytes === undefined) return undefined;
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes?.length ?? -1);
    items.push(length, bytes ?? Buffer.alloc(0));
  }
  return Buffer.concat([head, ...items]);
}

/** Text that is none of the type goes as text, and fails where the server fails it. */
function attempt(encode: Encoder | undefined, text: string): Uint8Array | undefined {
  try {
    return encode?.(text);
  } catch {
    return undefined;
  }
}
