/** uuid: 16 bytes. Input as string_to_uuid in src/backend/utils/adt/uuid.c: a hyphen may follow any four digits, braces around. */
import { decodeText, encodeText } from './bytes.ts';
import type { TypeCodec } from './codec.ts';
import { checkBinaryLength, damaged, invalidSyntax } from './errors.ts';

const UUID_BYTES = 16;
const DIGITS = '(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}';
const UUID = new RegExp(`^(?:${DIGITS}|\\{${DIGITS}\\})$`);

export const uuidCodec: TypeCodec = {
  fromText: (text) => {
    const digits = decodeText(text);
    if (!UUID.test(digits)) throw invalidSyntax('uuid');
    return Uint8Array.from(Buffer.from(digits.replace(/[{}-]/g, ''), 'hex'));
  },
  fromBinary: (bytes) => {
    checkBinaryLength(bytes, UUID_BYTES, 'uuid');
    return bytes;
  },
  toText: (canonical) => {
    const hex = Buffer.from(checked(canonical)).toString('hex');
    const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
    return encodeText(groups.join('-'));
  },
  toBinary: checked,
};

function checked(canonical: Uint8Array): Uint8Array {
  if (canonical.length !== UUID_BYTES) throw damaged('uuid');
  return canonical;
}
