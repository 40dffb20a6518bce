/** ParameterStatus ('S'), backend (manual, "Message Formats"). */
import { Reader } from '../wire/reader.ts';

export function decodeParameterStatus(body: Uint8Array): { readonly name: string; readonly value: string } {
  const reader = new Reader(body);
  return { name: reader.cstring(), value: reader.cstring() };
}
