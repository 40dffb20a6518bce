/**
 * Sealed values that string_agg has joined, with the delimiter of each between it and the one before, in hex. Ciphertext is random to everybody without the
 * key, so what marks a delimiter is found in none by chance; were it found in one, the two halves would not open, and nothing would be released.
 */
import { openFailed } from './errors.ts';

export const DELIMITER_STARTS: Uint8Array = Buffer.from('sealgate: between joined values.');
/** No digit of hex. */
export const DELIMITER_ENDS: Uint8Array = Buffer.from('.');

/** `delimiter`: what stands ahead of the value; nothing, of the first. */
export type JoinedPart = { readonly delimiter: Uint8Array; readonly sealed: Uint8Array };

/** None: a text of no values, which COALESCE may give in the place of a joined one. Throws ERR_POSTGRES_OPEN_FAILED. */
export function splitJoined(value: Uint8Array): readonly JoinedPart[] {
  if (value.length === 0) return [];
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const parts: JoinedPart[] = [];
  let delimiter: Uint8Array = new Uint8Array();
  let start = 0;
  for (let at = bytes.indexOf(DELIMITER_STARTS); at !== -1; at = bytes.indexOf(DELIMITER_STARTS, start)) {
    parts.push({ delimiter, sealed: bytes.subarray(start, at) });
    const from = at + DELIMITER_STARTS.length;
    const end = bytes.indexOf(DELIMITER_ENDS, from);
    delimiter = fromHex(bytes.subarray(from, Math.max(end, from)));
    if (end === -1) throw openFailed('joined values of another form');
    start = end + DELIMITER_ENDS.length;
  }
  return [...parts, { delimiter, sealed: bytes.subarray(start) }];
}

function fromHex(text: Buffer): Uint8Array {
  const bytes = Buffer.from(text.toString('latin1'), 'hex');
  if (bytes.length * 2 !== text.length) throw openFailed('joined values of another form');
  return bytes;
}
