/** ErrorResponse ('E') and NoticeResponse ('N'), backend (manual, "Error and Notice Message Fields"). */
import type { ViolatedConstraint } from '../types/errors.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { BACKEND } from '../wire/message-types.ts';

/** Fields by their one-letter code, in the order they came. */
export type ErrorFields = ReadonlyMap<string, string>;

/** Error fields of a message body. Tolerates what servers get wrong (no SQLSTATE); a missing terminator is a protocol error. */
export function decodeErrorFields(body: Uint8Array): ErrorFields {
  const reader = new Reader(body);
  const fields = new Map<string, string>();
  for (let code = reader.byte(); code !== 0; code = reader.byte())
    fields.set(String.fromCharCode(code), reader.cstring());
  return fields;
}

/** A whole frame. `type`: ErrorResponse unless told. */
export function encodeErrorFields(fields: ErrorFields, type: number = BACKEND.errorResponse): Uint8Array {
  const writer = new Writer(type);
  for (const [code, value] of fields) writer.byte(code.charCodeAt(0)).cstring(value.replaceAll('\0', ' '));
  return writer.byte(0).frame();
}

export type OwnError = {
  readonly severity: 'ERROR' | 'FATAL';
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly position?: number | undefined;
  readonly context?: string | undefined;
  readonly constraint?: ViolatedConstraint | undefined;
  /** Our catalogue code: sent as the routine (R), where clients show it and no one parses it. */
  readonly code: string;
};

const CONSTRAINT_FIELDS = { s: 'schema', t: 'table', d: 'dataType', n: 'name' } as const satisfies Record<
  string,
  keyof ViolatedConstraint
>;

/** An ErrorResponse of the proxy's own. */
export function encodeOwnError(error: OwnError): Uint8Array {
  const fields = new Map([
    ['S', error.severity],
    ['V', error.severity],
    ['C', error.sqlstate],
    ['M', error.message],
  ]);
  if (error.detail !== undefined) fields.set('D', error.detail);
  if (error.hint !== undefined) fields.set('H', error.hint);
  if (error.position !== undefined) fields.set('P', String(error.position));
  if (error.context !== undefined) fields.set('W', error.context);
  for (const [letter, name] of Object.entries(CONSTRAINT_FIELDS)) {
    const value = error.constraint?.[name];
    if (value !== undefined) fields.set(letter, value);
  }
  fields.set('R', error.code);
  return encodeErrorFields(fields);
}
