/** A sealed value cast to text: what the server's casts make of it, which is how it prints but for a few types that have a cast of their own (pg_cast). */
import type { LogicalType, SealedColumn } from '../plan.ts';
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

const SETTING_TYPES: ReadonlySet<string> = new Set([
  'date',
  'timestamp',
  'timestamptz',
  'interval',
  'float4',
  'float8',
  'bytea',
]);

/**
 * Whether there is text in it that the server would have made under the settings of that moment: it must not be made under others, later.
 * A value that is sealed itself is printed when it is sent, there as here.
 */
export function followsSettings({ carries }: SealedColumn): boolean {
  if (carries?.as === 'row')
    return carries.fields.some(({ column }) => column !== undefined && followsSettings(column));
  if (carries?.as === 'array') return followsSettings(carries.of);
  if (carries?.as !== 'text') return false;
  const { type, storedType = type } = carries.of;
  return SETTING_TYPES.has((storedType.element ?? storedType).name);
}
