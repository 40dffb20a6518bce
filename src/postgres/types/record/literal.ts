/** Rows as text: record_in and record_out in src/backend/utils/adt/rowtypes.c. Fields are the bytes of their text; undefined is NULL. */
import { SQLSTATE, ValueError } from '../errors.ts';

export type RecordFields = readonly (Uint8Array | undefined)[];

function malformed(): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.syntax, 'malformed record literal');
}

/** `(a,"b ""c""",)`, as the server prints it. `isEmpty`: of no fields; one that is NULL looks the same. */
export function parseRecordLiteral(bytes: Uint8Array, isEmpty = false): RecordFields {
  // Each byte is a character here: what has a meaning is ASCII.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  if (!text.startsWith('(') || !text.endsWith(')')) throw malformed();
  const end = text.length - 1;
  const fields: (Uint8Array | undefined)[] = [];
  if (end === 1 && isEmpty) return fields;
  for (let at = 1; ; at++) {
    const { field, next } = text[at] === '"' ? quotedField(text, at + 1) : bareField(text, at);
    fields.push(field);
    at = next;
    if (at === end) return fields;
    if (text[at] !== ',') throw malformed();
  }
}

type Field = { readonly field: Uint8Array | undefined; readonly next: number };

/** Nothing at all is NULL. */
function bareField(text: string, start: number): Field {
  let next = start;
  while (next < text.length - 1 && text[next] !== ',') next++;
  const field = text.slice(start, next);
  if (/["\\()]/.test(field)) throw malformed();
  return { field: field === '' ? undefined : Buffer.from(field, 'latin1'), next };
}

/** Quotes and backslashes within stand twice. */
function quotedField(text: string, start: number): Field {
  let next = start;
  while (text[next] !== undefined && (text[next] !== '"' || text[next + 1] === '"'))
    next += text[next] === '"' || text[next] === '\\' ? 2 : 1;
  if (text[next] === undefined) throw malformed();
  return { field: Buffer.from(text.slice(start, next).replace(/(["\\])\1/g, '$1'), 'latin1'), next: next + 1 };
}

export function printRecordLiteral(fields: RecordFields): Uint8Array {
  const texts = fields.map((field) => (field === undefined ? '' : quoted(Buffer.from(field).toString('latin1'))));
  return Buffer.from(`(${texts.join(',')})`, 'latin1');
}

/** White space as C has it. */
function quoted(text: string): string {
  if (text !== '' && !/["\\(), \t-\r]/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '$&$&')}"`;
}
