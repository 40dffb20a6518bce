/** json: canonical bytes are the text as it was written, white space and repeated keys kept. The type has no `=`. */
import { decodeText } from './bytes.ts';
import type { TypeCodec } from './codec.ts';
import { damaged } from './errors.ts';
import { checkJson } from './jsonb-parse.ts';

export const jsonCodec: TypeCodec = {
  fromText: read,
  fromBinary: read,
  toText: checked,
  toBinary: checked,
};

function read(bytes: Uint8Array): Uint8Array {
  checkJson(decodeText(bytes));
  return bytes;
}

function checked(canonical: Uint8Array): Uint8Array {
  if (canonical.length === 0) throw damaged('json');
  return canonical;
}
