/** What a server says between AuthenticationOk and ReadyForQuery, as far as the key for cancelling. */
import { MAX_AUTH_MESSAGE_BYTES } from '../limits.ts';
import { BACKEND } from '../wire/message-types.ts';
import type { SocketReader } from '../wire/socket-reader.ts';

export type Welcome = {
  /** The messages as they came. */
  readonly bytes: Uint8Array;
  /** The body of BackendKeyData; undefined where the server has none, as poolers may, or ends the session. */
  readonly keyData: Uint8Array | undefined;
};

/** Takes messages up to and with BackendKeyData, and none beyond what can only follow it. */
export async function untilKeyData(reader: SocketReader): Promise<Welcome> {
  const frames: Uint8Array[] = [];
  for (;;) {
    const frame = await reader.frame(MAX_AUTH_MESSAGE_BYTES);
    frames.push(frame.bytes);
    switch (frame.type) {
      case BACKEND.backendKeyData:
        return { bytes: Buffer.concat(frames), keyData: frame.body };
      case BACKEND.readyForQuery:
      case BACKEND.errorResponse:
        return { bytes: Buffer.concat(frames), keyData: undefined };
    }
  }
}
