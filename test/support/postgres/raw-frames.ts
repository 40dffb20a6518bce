/** Frontend messages that no driver makes. */

/** A message of any type, with any body. */
export function frame(type: string, ...body: readonly (string | readonly number[])[]): Uint8Array {
  const bytes = Buffer.concat(body.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
  const head = Buffer.from([type.charCodeAt(0), 0, 0, 0, 0]);
  head.writeUInt32BE(4 + bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Two 16-bit numbers: zero, and `value`. */
export const word = (value: number): readonly number[] => [0, 0, value >> 8, value & 0xff];
