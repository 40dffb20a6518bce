/**
 * Sealed values that string_agg has joined. Ciphertext is random to everybody without the key, so a delimiter of 32 bytes is found in none by chance; were it
 * found in one, the two halves would not open, and nothing would be released.
 */
export const SEALED_DELIMITER: Uint8Array = Buffer.from('sealgate: between joined values.');

/** None: a text of no values, which COALESCE may give in the place of a joined one. */
export function splitJoined(value: Uint8Array): readonly Uint8Array[] {
  if (value.length === 0) return [];
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let at = bytes.indexOf(SEALED_DELIMITER); at !== -1; at = bytes.indexOf(SEALED_DELIMITER, start)) {
    parts.push(bytes.subarray(start, at));
    start = at + SEALED_DELIMITER.length;
  }
  return [...parts, bytes.subarray(start)];
}
