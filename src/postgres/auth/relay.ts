/**
 * Authentication between client and server, relayed: the proxy learns nothing it could use.
 *
 * SCRAM with channel binding cannot be relayed where both legs have TLS: the client binds to our certificate, the server to its own.
 */
import { PostgresError } from '../errors.ts';
import {
  AUTHENTICATION,
  decodeAuthentication,
  decodeMechanisms,
  decodeSaslInitialResponse,
  encodeMechanisms,
} from './authentication-message.ts';
import { authenticationFrame, clientResponse, type Conversation } from './conversation.ts';
import { protocolError } from '../wire/protocol-error.ts';
import { SCRAM_PLUS } from './scram-names.ts';

/** Resolves after AuthenticationOk has been relayed. */
export async function relayAuthentication(conversation: Conversation): Promise<void> {
  const { client, upstream } = conversation;
  for (;;) {
    const frame = await authenticationFrame(conversation);
    const { kind, data } = decodeAuthentication(frame.body);
    switch (kind) {
      case AUTHENTICATION.ok:
      case AUTHENTICATION.saslFinal:
        client.socket.write(frame.bytes);
        if (kind === AUTHENTICATION.ok) return;
        break;
      case AUTHENTICATION.sasl:
        client.socket.write(offer(conversation, data));
        upstream.socket.write(await initialResponse(conversation));
        break;
      case AUTHENTICATION.cleartext:
      case AUTHENTICATION.md5:
      case AUTHENTICATION.saslContinue:
      case AUTHENTICATION.gss:
      case AUTHENTICATION.gssContinue:
      case AUTHENTICATION.sspi:
        client.socket.write(frame.bytes);
        upstream.socket.write((await clientResponse(conversation)).bytes);
        break;
      default:
        throw protocolError(`the server asks for an authentication method the proxy cannot relay (${kind})`);
    }
  }
}

/** A client without TLS is not offered channel binding: libpq takes such an offer for an attack. */
function offer({ client, upstream }: Conversation, data: Uint8Array): Uint8Array {
  const mechanisms = decodeMechanisms(data);
  const strip = upstream.encrypted && !client.encrypted;
  return encodeMechanisms(strip ? mechanisms.filter((name) => name !== SCRAM_PLUS) : mechanisms);
}

async function initialResponse(conversation: Conversation): Promise<Uint8Array> {
  const frame = await clientResponse(conversation);
  const { mechanism } = decodeSaslInitialResponse(frame.body);
  if (mechanism !== SCRAM_PLUS) return frame.bytes;
  throw new PostgresError('ERR_POSTGRES_CHANNEL_BINDING', 'channel binding cannot be relayed through this proxy', {
    sqlstate: '28000',
    hint: 'Connect with channel_binding=disable, or have the proxy terminate SCRAM.',
  });
}
