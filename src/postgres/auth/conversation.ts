/** The two sockets during authentication: frames read and written one by one. */
import type { Socket } from 'node:net';
import { MAX_AUTH_MESSAGE_BYTES } from '../limits.ts';
import { decodeErrorFields, encodeErrorFields } from '../messages/error-response.ts';
import { BACKEND, FRONTEND } from '../wire/message-types.ts';
import { protocolError } from '../wire/protocol-error.ts';
import type { Frame, SocketReader } from '../wire/socket-reader.ts';

export type Leg = { readonly socket: Socket; readonly reader: SocketReader; readonly encrypted: boolean };

export type Conversation = { readonly client: Leg; readonly upstream: Leg };

/** The server ended the login with an ErrorResponse, which the client has been given: both sides are closed. */
export class LoginEnded extends Error {
  override readonly name = 'LoginEnded';
}

/** The client's next message, which before the end of authentication can only be a password or SASL response. */
export async function clientResponse({ client }: Conversation): Promise<Frame> {
  // The type first: a second StartupMessage has none, and its length would be waited for in vain.
  const [type] = await client.reader.peek(1);
  if (type !== FRONTEND.password) throw protocolError('expected a password or SASL response');
  return client.reader.frame(MAX_AUTH_MESSAGE_BYTES);
}

/** The server's next Authentication message; notices and NegotiateProtocolVersion are relayed, an error ends the login. */
export async function authenticationFrame({ client, upstream }: Conversation): Promise<Frame> {
  for (;;) {
    const frame = await upstream.reader.frame(MAX_AUTH_MESSAGE_BYTES);
    switch (frame.type) {
      case BACKEND.authentication:
        return frame;
      case BACKEND.errorResponse:
        client.socket.end(withSqlstate(frame));
        throw new LoginEnded();
      case BACKEND.noticeResponse:
      case BACKEND.negotiateProtocolVersion:
        client.socket.write(frame.bytes);
        break;
      default:
        throw protocolError('the server sent an unexpected message during authentication');
    }
  }
}

/** Clients fall over an ErrorResponse without SQLSTATE, so it gets one. */
function withSqlstate(frame: Frame): Uint8Array {
  const fields = decodeErrorFields(frame.body);
  if (fields.has('C')) return frame.bytes;
  return encodeErrorFields(new Map([...fields, ['C', '08006']]));
}
