/**
 * SCRAM-SHA-256 ended on both legs: the client proves itself to the proxy, and the proxy logs in upstream as the same user with the
 * ClientKey that proof reveals. The verifier is the server's own, so salt and iterations agree.
 */
import { PostgresError } from '../errors.ts';
import { protocolError } from '../wire/protocol-error.ts';
import {
  AUTHENTICATION,
  decodeSaslInitialResponse,
  encodeAuthentication,
  encodeMechanisms,
} from './authentication-message.ts';
import { clientResponse, type Conversation } from './conversation.ts';
import { keysOfVerifier } from './scram-keys.ts';
import { SCRAM, SCRAM_PLUS } from './scram-names.ts';
import { beginScram } from './scram-server.ts';
import { freshNonce, offeredBy, scramUpstream } from './upstream-login.ts';
import type { Verifier } from './verifier.ts';

export type TerminateOptions = {
  readonly user: string;
  /** The user's verifier, or a mock one that no proof fits. */
  readonly verifier: Verifier;
  /** tls-server-end-point data of the proxy's own certificate, where the client has TLS. */
  readonly clientBinding: Uint8Array | undefined;
};

/** Resolves after AuthenticationOk has been sent to the client. */
export async function terminateAuthentication(conversation: Conversation, options: TerminateOptions): Promise<void> {
  const { kind, mechanisms } = await offeredBy(conversation);
  if (kind !== AUTHENTICATION.sasl) {
    throw new PostgresError(
      'ERR_POSTGRES_AUTHENTICATION',
      'the server does not ask for SCRAM-SHA-256, which terminated authentication needs',
      {
        sqlstate: '28000',
        hint: 'Use scram-sha-256 in pg_hba.conf for connections from the proxy, or relay authentication.',
      },
    );
  }
  const { user, verifier } = options;
  const proven = await authenticateClient(conversation, options);
  try {
    const keysFor = keysOfVerifier(verifier, proven.clientKey);
    await scramUpstream(conversation, mechanisms, keysFor, () => upstreamRefused(user));
  } finally {
    proven.clientKey.fill(0);
  }
  const { socket } = conversation.client;
  socket.write(encodeAuthentication(AUTHENTICATION.saslFinal, Buffer.from(proven.serverFinal)));
  socket.write(encodeAuthentication(AUTHENTICATION.ok));
}

async function authenticateClient(
  conversation: Conversation,
  { user, verifier, clientBinding }: TerminateOptions,
): Promise<{ readonly clientKey: Uint8Array; readonly serverFinal: string }> {
  const { socket } = conversation.client;
  socket.write(encodeMechanisms(clientBinding === undefined ? [SCRAM] : [SCRAM_PLUS, SCRAM]));
  const { mechanism, data } = decodeSaslInitialResponse((await clientResponse(conversation)).body);
  if (mechanism !== SCRAM && mechanism !== SCRAM_PLUS)
    throw protocolError('client chose a SASL mechanism that was not offered');
  const step = beginScram(data, mechanism === SCRAM_PLUS, {
    verifier,
    nonce: freshNonce(),
    channelBinding: clientBinding,
  });
  if (step === undefined) throw protocolError('malformed SCRAM message');
  socket.write(encodeAuthentication(AUTHENTICATION.saslContinue, Buffer.from(step.serverFirst)));
  const final = await clientResponse(conversation);
  const proven = step.finish(Buffer.from(final.body).toString('latin1'));
  if (proven === undefined) throw wrongPassword(user);
  return proven;
}

/** The server's own words, so that nothing tells a missing user from a wrong password. */
export function wrongPassword(user: string): PostgresError {
  return new PostgresError('ERR_POSTGRES_AUTHENTICATION', `password authentication failed for user "${user}"`, {
    sqlstate: '28P01',
  });
}

function upstreamRefused(user: string): PostgresError {
  const message = `the server does not take the SCRAM key of user "${user}"`;
  return new PostgresError('ERR_POSTGRES_AUTHENTICATION', message, {
    sqlstate: '28000',
    hint: 'The verifier the proxy read differs from the server’s own; it may have just been changed. Connect again.',
  });
}
