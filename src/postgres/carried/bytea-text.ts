/** bytea as the server prints it, in hex or escape form (bytea_output). */
import { openFailed } from './errors.ts';

const BACKSLASH = 0x5c;
const LOWER_X = 0x78;

/** bytea's text output, either form (bytea_output hex or escape), to bytes. */
export function byteaFromText(text: Uint8Array): Uint8Array {
  if (text[0] === BACKSLASH && text[1] === LOWER_X) return hexBytes(text);
  return escapedBytes(text);
}

function hexBytes(text: Uint8Array): Uint8Array {
  const bytes = Buffer.from(Buffer.from(text.buffer, text.byteOffset + 2, text.length - 2).toString('latin1'), 'hex');
  if (bytes.length * 2 !== text.length - 2) throw openFailed('malformed bytea text');
  return bytes;
}

/** Escape form: `\\` is a backslash, `\ooo` three octal digits, everything else itself. */
function escapedBytes(text: Uint8Array): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] ?? 0;
    if (byte !== BACKSLASH) bytes.push(byte);
    else if (text[at + 1] === BACKSLASH) bytes.push(text[++at] ?? 0);
    else {
      const octal = Number.parseInt(String.fromCharCode(...text.subarray(at + 1, at + 4)), 8);
      if (!(octal >= 0 && octal <= 255)) throw openFailed('malformed bytea text');
      bytes.push(octal);
      at += 3;
    }
  }
  return Uint8Array.from(bytes);
}
