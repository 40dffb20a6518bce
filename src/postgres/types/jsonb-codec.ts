/** jsonb: canonical bytes are the text the server would print. Not deterministic: 1.0 and 1.00 are equal and print apart. */
import { decodeText, encodeText } from './bytes.ts';
import type { TypeCodec } from './codec.ts';
import { damaged, SQLSTATE, ValueError } from './errors.ts';
import { type JsonValue, parseJson } from './jsonb-parse.ts';

/** jsonb_recv knows one version. */
const VERSION = 1;

export const jsonbCodec: TypeCodec = {
  fromText: (text) => encodeText(formatJsonb(parseJson(decodeText(text)))),
  fromBinary: (bytes) => {
    if (bytes[0] !== VERSION) {
      throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.binaryFormat, 'unsupported jsonb version number');
    }
    return encodeText(formatJsonb(parseJson(decodeText(bytes.subarray(1)))));
  },
  toText: checked,
  toBinary: (canonical) => {
    const bytes = new Uint8Array(1 + canonical.length);
    bytes[0] = VERSION;
    bytes.set(checked(canonical), 1);
    return bytes;
  },
};

function checked(canonical: Uint8Array): Uint8Array {
  if (canonical.length === 0) throw damaged('jsonb');
  return canonical;
}

/** As JsonbToCString prints. */
export function formatJsonb(value: JsonValue): string {
  const pieces: string[] = [];
  write(value, pieces);
  return pieces.join('');
}

function write(value: JsonValue, pieces: string[]): void {
  switch (value.type) {
    case 'plain':
      pieces.push(value.text);
      return;
    case 'string':
      pieces.push(quote(value.value));
      return;
    case 'array':
      pieces.push('[');
      value.items.forEach((item, index) => {
        if (index > 0) pieces.push(', ');
        write(item, pieces);
      });
      pieces.push(']');
      return;
    case 'object':
      writeObject(value.entries, pieces);
  }
}

function writeObject(entries: ReadonlyMap<string, JsonValue>, pieces: string[]): void {
  const keyed = [...entries].map(([key, value]) => ({ key, value, bytes: Buffer.from(key) }));
  keyed.sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes));
  pieces.push('{');
  keyed.forEach(({ key, value }, index) => {
    pieces.push(index > 0 ? ', ' : '', quote(key), ': ');
    write(value, pieces);
  });
  pieces.push('}');
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** escape_json in src/backend/utils/adt/json.c. */
function quote(text: string): string {
  const escaped = text.replace(
    /["\\\u0000-\u001f]/g,
    (character) => SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
