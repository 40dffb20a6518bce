/**
 * One client connection: startup, authentication, then a session or a splice. Whatever fails is answered in the client's protocol.
 */
import type { Socket } from 'node:net';
import { loginForCertificate, requireCertificate } from './auth/certificate.ts';
import { LoginEnded, type Conversation } from './auth/conversation.ts';
import { relayAuthentication } from './auth/relay.ts';
import { terminateAuthentication, type TerminateOptions } from './auth/terminate.ts';
import { mockVerifier, parseVerifier } from './auth/verifier.ts';
import type { Draining } from './draining.ts';
import { PostgresError } from './errors.ts';
import { STARTUP_TIMEOUT_MS } from './limits.ts';
import { encodeOwnError } from './messages/error-response.ts';
import type { PostgresProxyOptions } from './options.ts';
import { internal, runSession, type ConnectionEnds } from './session/connection.ts';
import { runReplication } from './session/replication.ts';
import { spliceSession } from './session/splice.ts';
import { nameOfStartup } from './messages/startup.ts';
import { relayCancel, type CancelKeys } from './startup/cancel.ts';
import { ClientLeft } from './startup/closed.ts';
import { readStartup, type ClientStartup, type Negotiation, type ServedTls } from './startup/client-startup.ts';
import type { BegunUpstream, UpstreamServers } from './startup/upstream-servers.ts';
import { untilKeyData } from './startup/welcome.ts';

export type ProxyContext = {
  readonly options: PostgresProxyOptions;
  readonly clientTls: ServedTls;
  readonly mockSecret: Uint8Array;
  readonly draining: Draining;
  readonly upstream: UpstreamServers;
  readonly routes: ReadonlyMap<string, UpstreamServers>;
  readonly cancelKeys: CancelKeys;
};

/** Never rejects. */
export async function serveConnection(socket: Socket, context: ProxyContext, full: boolean): Promise<void> {
  const negotiation: Negotiation = {
    ...{ socket, encrypted: false, endPointBinding: undefined, certificate: undefined },
    asked: new Set(),
  };
  const open: Socket[] = [];
  const timer = setTimeout(() => expire(negotiation, open), context.options.startupTimeoutMs ?? STARTUP_TIMEOUT_MS);
  // Until the session's own listeners take over; a reset here is no event.
  socket.on('error', () => undefined);
  try {
    const startup = await readStartup(negotiation, context.clientTls);
    if (startup.request.type === 'cancel') await cancel(startup, context);
    else if (full)
      throw new PostgresError('ERR_POSTGRES_TOO_MANY_CONNECTIONS', 'sorry, too many clients already', {
        sqlstate: '53300',
      });
    else await login(startup, startup.request.parameters, context, open);
  } catch (error) {
    refuse(negotiation.socket, error, context.options);
    for (const upstream of open) upstream.destroy();
  } finally {
    clearTimeout(timer);
  }
}

async function cancel(startup: ClientStartup, context: ProxyContext): Promise<void> {
  startup.socket.on('error', () => undefined);
  await relayCancel(startup.packet, serversOf(context), context.cancelKeys);
  startup.socket.end();
}

function serversOf({ upstream, routes }: ProxyContext): UpstreamServers['servers'] {
  return [upstream, ...routes.values()].flatMap(({ servers }) => servers);
}

async function login(
  startup: ClientStartup,
  parameters: ReadonlyMap<string, string>,
  context: ProxyContext,
  open: Socket[],
): Promise<void> {
  const { options, upstream: usual, routes } = context;
  const user = nameOfStartup(parameters.get('user') ?? '');
  // As the server does: an empty name is none (ProcessStartupPacket in tcop/backend_startup.c).
  const named = nameOfStartup(parameters.get('database') ?? '');
  const database = named === '' ? user : named;
  const rules = options.databases.get(database);
  const replicates = isReplication(parameters.get('replication'));
  if (rules !== undefined && replicates && options.replication !== 'pass') throw replicationRefused();
  const certificate = options.certificates?.get(user);
  if (certificate !== undefined) requireCertificate(startup.certificate, user, certificate);
  const upstream = await (routes.get(database) ?? usual).begin(startup.packet);
  open.push(upstream.socket);
  const conversation: Conversation = { client: startup, upstream };
  if (certificate === undefined)
    await authenticate(conversation, { user, clientBinding: startup.endPointBinding }, context);
  else await loginForCertificate(conversation, user, certificate);
  const welcome = serversOf(context).length > 1 ? await rememberKey(startup.socket, upstream, context) : NOTHING;
  const ends: ConnectionEnds = {
    client: startup.socket,
    upstream: upstream.socket,
    fromUpstream: Buffer.concat([welcome, upstream.reader.release()]),
    fromClient: startup.reader.release(),
  };
  const { logger, metrics = {} } = options;
  const told = { user, database, logger, metrics };
  if (rules === undefined) return spliceSession(ends, told, context.draining);
  if (replicates) return runReplication(ends, told, context.draining);
  runSession(ends, { ...rules, ...told }, context.draining);
}

const NOTHING = new Uint8Array(0);

/** So that a cancel request finds the server that is meant. Returns what was read for it, which is the client's. */
async function rememberKey(
  client: Socket,
  { reader, server }: BegunUpstream,
  { cancelKeys }: ProxyContext,
): Promise<Uint8Array> {
  const { bytes, keyData } = await untilKeyData(reader);
  if (keyData !== undefined) client.once('close', cancelKeys.add(keyData, server));
  return bytes;
}

async function authenticate(
  conversation: Conversation,
  { user, clientBinding }: Pick<TerminateOptions, 'user' | 'clientBinding'>,
  { options, mockSecret }: ProxyContext,
): Promise<void> {
  const { authentication } = options;
  if (authentication.type === 'relay') return relayAuthentication(conversation);
  const verifier = parseVerifier(await authentication.verifiers.verifier(user)) ?? mockVerifier(user, mockSecret);
  return terminateAuthentication(conversation, { user, verifier, clientBinding });
}

/** As the server reads it: a boolean, or `database` for logical replication. */
function isReplication(value: string | undefined): boolean {
  return value !== undefined && !/^(f|fa|fal|fals|false|n|no|of|off|0)$/i.test(value);
}

function replicationRefused(): PostgresError {
  const message = 'replication from a database with sealed columns does not go through the proxy';
  return new PostgresError('ERR_POSTGRES_REPLICATION', message, {
    sqlstate: '0A000',
    hint: 'Set `replication: pass`, or replicate from the server directly: what travels is ciphertext.',
  });
}

function refuse(socket: Socket, error: unknown, { logger, metrics }: PostgresProxyOptions): void {
  if (error instanceof LoginEnded) return;
  if (error instanceof ClientLeft) {
    logger.debug({ err: error }, 'the client left during startup');
    socket.destroy();
    return;
  }
  const known = error instanceof PostgresError ? error : internal(error);
  metrics?.failed?.(known.code);
  logger.warn({ code: known.code, err: known }, 'connection refused');
  const { sqlstate, detail, hint } = known.fields;
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(encodeOwnError({ severity: 'FATAL', sqlstate, code: known.code, message: known.message, detail, hint }));
  // A client that does not close its side is not waited for.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

const LINGER_MS = 2000;

function expire({ socket }: Negotiation, open: readonly Socket[]): void {
  socket.destroy();
  for (const upstream of open) upstream.destroy();
}
