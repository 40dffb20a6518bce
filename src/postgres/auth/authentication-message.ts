/** Authentication ('R'), backend (manual, "Message Formats"), as far as SASL and relaying need it. */
import { protocolError } from '../wire/protocol-error.ts';
import { BACKEND } from '../wire/message-types.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

/** The first four bytes of the body. */
export const AUTHENTICATION = {
  ok: 0,
  cleartext: 3,
  md5: 5,
  gss: 7,
  gssContinue: 8,
  sspi: 9,
  sasl: 10,
  saslContinue: 11,
  saslFinal: 12,
} as const;

export type AuthenticationMessage = { readonly kind: number; readonly data: Uint8Array };

export function decodeAuthentication(body: Uint8Array): AuthenticationMessage {
  const reader = new Reader(body);
  return { kind: reader.uint32(), data: reader.bytes(reader.remaining) };
}

export function encodeAuthentication(kind: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new Writer(BACKEND.authentication, 4 + data.length).int32(kind).bytes(data).frame();
}

export function decodeMechanisms(data: Uint8Array): readonly string[] {
  const reader = new Reader(data);
  const mechanisms: string[] = [];
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) mechanisms.push(name);
  return mechanisms;
}

export function encodeMechanisms(mechanisms: readonly string[]): Uint8Array {
  return encodeAuthentication(AUTHENTICATION.sasl, Buffer.from(`${mechanisms.join('\0')}\0\0`));
}

export type SaslInitialResponse = { readonly mechanism: string; readonly data: string };

export function decodeSaslInitialResponse(body: Uint8Array): SaslInitialResponse {
  const reader = new Reader(body);
  const mechanism = reader.cstring();
  const length = reader.int32();
  if (length < 0) throw protocolError('SASL initial response without data');
  const data = Buffer.from(reader.bytes(length)).toString('utf8');
  reader.end();
  return { mechanism, data };
}
