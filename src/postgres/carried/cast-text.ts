/** A sealed value cast to text: what the server's casts make of it, which is how it prints but for a few types that have a cast of their own (pg_cast). */
import type { Carried, LogicalType, SealedColumn } from '../plan.ts';
import { leavesOf } from './json-leaves.ts';
import { withoutBlanks } from '../types/bpchar-codec.ts';

/** @param printed the value as it prints. */
export function castText(type: LogicalType, printed: Uint8Array): Uint8Array {
  switch (type.name) {
    // booltext
    case 'bool':
      return Buffer.from(Buffer.from(printed).toString('latin1') === 't' ? 'true' : 'false');
    // rtrim1
    case 'bpchar':
      return withoutBlanks(printed);
    // network_show: with the length of its prefix, also where that is the whole.
    case 'inet':
    case 'cidr': {
      const text = Buffer.from(printed).toString('latin1');
      return text.includes('/') ? printed : Buffer.from(`${text}/${text.includes(':') ? 128 : 32}`);
    }
    default:
      return printed;
  }
}

/** In JSON dates and timestamps are ISO 8601, whatever the settings. */
const JSON_SETTING_TYPES: ReadonlySet<string> = new Set(['timestamptz', 'interval', 'float4', 'float8', 'bytea']);
const SETTING_TYPES: ReadonlySet<string> = new Set([...JSON_SETTING_TYPES, 'date', 'timestamp']);

/**
 * Whether there is text or JSON in it that the server would have made under the settings of that moment: it must not be made under others, later.
 * A value that is sealed itself is printed when it is sent, there as here, alone and in an array or a row. `json` false: only text is asked for.
 */
export function followsSettings({ carries }: SealedColumn, json = true): boolean {
  switch (carries?.as) {
    case undefined:
      return false;
    case 'array':
      return followsSettings(carries.of, json);
    case 'row':
      return carries.isText === true
        ? holds(carries, SETTING_TYPES)
        : carries.fields.some(({ column }) => column !== undefined && followsSettings(column, json));
    case 'json':
      return (
        (json && holds(carries, JSON_SETTING_TYPES)) ||
        leavesOf(carries.shape).some((column) => column !== undefined && followsSettings(column, json))
      );
    case 'text':
    case 'joined':
      return holds(carries, SETTING_TYPES);
  }
}

/** Whether it is printed as the session is set when it is sent, or has such text in it. */
export function printsBySettings(column: SealedColumn): boolean {
  const { carries, type, storedType = type } = column;
  switch (carries?.as) {
    case undefined:
      return SETTING_TYPES.has((storedType.element ?? storedType).name);
    case 'array':
      return printsBySettings(carries.of);
    case 'row':
      return carries.fields.some((field) => field.column !== undefined && printsBySettings(field.column));
    default:
      return followsSettings(column);
  }
}

/** What was made text or JSON before is in it as well: that is of these types too. */
function holds({ columns }: Carried, types: ReadonlySet<string>): boolean {
  return columns.some(({ type, storedType = type }) => types.has((storedType.element ?? storedType).name));
}
