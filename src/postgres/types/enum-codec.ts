/**
 * Enums of the database: canonical bytes are the label. Not its OID or its place in the order, which a restored dump has other ones of. A
 * label that was renamed since is damage, not a value.
 */
import { decodeText } from './bytes.ts';
import type { TypeCodec, ValueContext } from './codec.ts';
import { damaged, SQLSTATE, ValueError } from './errors.ts';

export const enumCodec: TypeCodec = {
  fromText: read,
  fromBinary: read,
  toText: checked,
  toBinary: checked,
};

function read(bytes: Uint8Array, { type }: ValueContext): Uint8Array {
  const label = decodeText(bytes);
  if (type.user?.labels?.includes(label)) return bytes;
  const message = `invalid input value for enum ${type.user?.name ?? ''}`;
  throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.syntax, message);
}

function checked(canonical: Uint8Array, { type }: ValueContext): Uint8Array {
  if (!type.user?.labels?.includes(Buffer.from(canonical).toString('utf8'))) throw damaged(type.user?.name ?? 'enum');
  return canonical;
}
