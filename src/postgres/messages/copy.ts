/** CopyData ('d') and CopyFail ('f'), frontend, and CopyInResponse ('G') and CopyOutResponse ('H'), backend (manual, "Message Formats"). */
import { BACKEND, FRONTEND } from '../wire/message-types.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

export function encodeCopyData(data: Uint8Array): Uint8Array {
  return new Writer(FRONTEND.copyData).bytes(data).frame();
}

export function encodeCopyFail(reason: string | Uint8Array): Uint8Array {
  return new Writer(FRONTEND.copyFail).cstring(reason).frame();
}

/** The reason's raw bytes: in the client's encoding. Behind it the server looks at nothing. */
export function decodeCopyFail(body: Uint8Array): Uint8Array {
  return new Reader(body).cstringBytes();
}

/** All columns in one format. */
export function encodeCopyInResponse(format: 0 | 1, columns: number): Uint8Array {
  const writer = new Writer(BACKEND.copyInResponse).byte(format).int16(columns);
  for (let column = 0; column < columns; column++) writer.int16(format);
  return writer.frame();
}

export type CopyResponse = { readonly format: number; readonly columns: number };

export function decodeCopyResponse(body: Uint8Array): CopyResponse {
  const reader = new Reader(body);
  const format = reader.byte();
  const columns = reader.uint16();
  reader.bytes(2 * columns);
  reader.end();
  return { format, columns };
}
