/**
 * The proxy logs in at the server as a role: with the ClientKey that the role's own login revealed, or for a role that showed a certificate.
 *
 * Threat: a server, or whoever plays it, that asks for the password itself. Only SCRAM is answered, in which both sides prove themselves.
 */
import { randomBytes } from 'node:crypto';
import { serialize } from 'pg-protocol';
import { PostgresError } from '../errors.ts';
import { protocolError } from '../wire/protocol-error.ts';
import { AUTHENTICATION, decodeAuthentication, decodeMechanisms } from './authentication-message.ts';
import { peerBinding } from './channel-binding.ts';
import { authenticationFrame, type Conversation } from './conversation.ts';
import { scramClient, type ScramClientOptions } from './scram-client.ts';
import { SCRAM, SCRAM_PLUS } from './scram-names.ts';
import { base64 } from './scram-server.ts';

const NONCE_BYTES = 18;

export function freshNonce(): string {
  return base64(randomBytes(NONCE_BYTES));
}

/** After the server has offered `mechanisms`, up to its AuthenticationOk. `refused`: the error where it does not work out. */
export async function scramUpstream(
  conversation: Conversation,
  mechanisms: readonly string[],
  keysFor: ScramClientOptions['keysFor'],
  refused: () => PostgresError,
): Promise<void> {
  const { socket } = conversation.upstream;
  const binding = mechanisms.includes(SCRAM_PLUS) ? peerBinding(socket) : undefined;
  const mechanism = binding === undefined ? SCRAM : SCRAM_PLUS;
  if (!mechanisms.includes(mechanism)) throw refused();
  const scram = scramClient({ keysFor, nonce: freshNonce(), channelBinding: binding });
  socket.write(serialize.sendSASLInitialResponseMessage(mechanism, scram.clientFirst));
  const proof = await scram.answer(await saslText(conversation, AUTHENTICATION.saslContinue));
  if (proof === undefined) throw refused();
  socket.write(serialize.sendSCRAMClientFinalMessage(proof));
  if (!scram.verify(await saslText(conversation, AUTHENTICATION.saslFinal))) throw refused();
  const { kind } = decodeAuthentication((await authenticationFrame(conversation)).body);
  if (kind !== AUTHENTICATION.ok) throw refused();
}

async function saslText(conversation: Conversation, expected: number): Promise<string> {
  const { kind, data } = decodeAuthentication((await authenticationFrame(conversation)).body);
  if (kind !== expected) throw protocolError('the server sent an unexpected authentication message');
  return Buffer.from(data).toString('latin1');
}

export type Offered = { readonly kind: number; readonly mechanisms: readonly string[] };

/** What the server begins with. */
export async function offeredBy(conversation: Conversation): Promise<Offered> {
  const { kind, data } = decodeAuthentication((await authenticationFrame(conversation)).body);
  return { kind, mechanisms: kind === AUTHENTICATION.sasl ? decodeMechanisms(data) : [] };
}
