/**
 * The servers of an upstream: which of them a session goes to, and a session's beginning there.
 *
 * As libpq chooses by `target_session_attrs`; but what a server is, is asked with the proxy's own login before the client's begins, since
 * a login that is relayed cannot be tried at a second server. Answers are kept for a moment, so that sessions that come together ask once.
 */
import { randomInt } from 'node:crypto';
import { PostgresError } from '../errors.ts';
import { MAX_AUTH_MESSAGE_BYTES, SERVER_FAILED_MS, SERVER_ROLE_MS } from '../limits.ts';
import { decodeErrorFields } from '../messages/error-response.ts';
import type { ServerAddress, ServerRole, TargetServer, UpstreamOptions } from '../options.ts';
import { BACKEND } from '../wire/message-types.ts';
import { SocketReader } from '../wire/socket-reader.ts';
import { upstreamClosed } from './closed.ts';
import {
  connectServer,
  connectTimeoutMs,
  encryptionsOf,
  within,
  type UpstreamConnection,
  type UpstreamServer,
} from './upstream-connect.ts';

export type BegunUpstream = UpstreamConnection & { readonly reader: SocketReader; readonly server: UpstreamServer };

type Begun = BegunUpstream & { readonly refusal: string | undefined };

/** The server starts up or recovers: libpq goes on to the next (manual, "target_session_attrs"). */
const CANNOT_CONNECT_NOW = '57P03';
/** No entry of pg_hba.conf lets this user in, or only with the other encryption. */
const NOT_LET_IN = '28000';

export class UpstreamServers {
  readonly servers: readonly UpstreamServer[];
  readonly #options: UpstreamOptions;
  readonly #roles = new Map<ServerAddress, { readonly role: Promise<ServerRole>; readonly untilMs: number }>();
  readonly #failedUntilMs = new Map<ServerAddress, number>();

  constructor(options: UpstreamOptions) {
    this.#options = options;
    const { tls, connectTimeoutMs: ms } = options;
    this.servers = options.servers.map((server) => ({
      ...server,
      tls,
      ...(ms !== undefined && { connectTimeoutMs: ms }),
    }));
  }

  /** A connection on which nothing was said yet. Throws ERR_POSTGRES_UPSTREAM_UNREACHABLE, ERR_POSTGRES_UPSTREAM_TLS, … */
  connect(): Promise<UpstreamConnection> {
    return this.#first(async (server) => {
      const [encryption = 'none'] = encryptionsOf(server);
      return connectServer(server, encryption);
    });
  }

  /** A session begun with the client's startup packet: what the server answers is there to be read, and is what the client gets. */
  async begin(packet: Uint8Array): Promise<BegunUpstream> {
    let busy: Begun | undefined;
    try {
      return await this.#first(async (server) => {
        const begun = await beginAt(server, packet);
        busy?.socket.destroy();
        if (begun.refusal !== CANNOT_CONNECT_NOW || this.servers.length === 1) return begun;
        busy = begun;
        throw unavailable('the server does not take connections now');
      });
    } catch (error) {
      // The server's own words say more.
      if (busy !== undefined) return busy;
      throw error;
    }
  }

  /** What `work` makes of the first server that will do and with which it succeeds. */
  async #first<Result>(work: (server: UpstreamServer) => Promise<Result>): Promise<Result> {
    let failure: Error | undefined;
    for await (const server of this.#candidates()) {
      try {
        return await work(server);
      } catch (error) {
        failure ??= error instanceof Error ? error : undefined;
        this.#failedUntilMs.set(server, Date.now() + SERVER_FAILED_MS);
        this.#roles.delete(server);
      }
    }
    throw failure ?? unavailable(`no server behind the proxy that can be reached is ${this.#options.target ?? 'any'}`);
  }

  async *#candidates(): AsyncGenerator<UpstreamServer> {
    const { target = 'any' } = this.#options;
    const ordered = this.#ordered();
    if (target === 'any') return yield* ordered;
    const others: UpstreamServer[] = [];
    for (const server of ordered) {
      const role = await this.#roleOf(server).catch(() => undefined);
      if (role === undefined) continue;
      if (fits(role, target)) yield server;
      else others.push(server);
    }
    if (target === 'prefer-standby') yield* others;
  }

  /** As listed or drawn; those that failed just now come last, so that one that is gone costs its timeout once and not each time. */
  #ordered(): readonly UpstreamServer[] {
    const { servers } = this;
    const listed = this.#options.order === 'random' ? shuffled(servers) : servers;
    const now = Date.now();
    const failed = (server: UpstreamServer): boolean => (this.#failedUntilMs.get(server) ?? 0) > now;
    return [...listed.filter((server) => !failed(server)), ...listed.filter(failed)];
  }

  #roleOf(server: UpstreamServer): Promise<ServerRole> {
    const known = this.#roles.get(server);
    if (known !== undefined && known.untilMs > Date.now()) return known.role;
    const role =
      this.#options.roles?.roleOf(server, connectTimeoutMs(server)) ?? Promise.reject(new Error('nobody can ask'));
    role.catch(() => {
      this.#roles.delete(server);
      this.#failedUntilMs.set(server, Date.now() + SERVER_FAILED_MS);
    });
    this.#roles.set(server, { role, untilMs: Date.now() + SERVER_ROLE_MS });
    return role;
  }
}

/** With each encryption that the mode allows, until the server lets the session in with one. */
async function beginAt(server: UpstreamServer, packet: Uint8Array): Promise<Begun> {
  let last: Begun | undefined;
  let failure = new Error('no way to connect');
  for (const encryption of encryptionsOf(server)) {
    try {
      const begun = await beginWith(await connectServer(server, encryption), server, packet);
      last?.socket.destroy();
      last = begun;
      if (begun.refusal !== NOT_LET_IN) return begun;
    } catch (error) {
      failure = error instanceof Error ? error : failure;
    }
  }
  if (last !== undefined) return last;
  throw failure;
}

async function beginWith(connection: UpstreamConnection, server: UpstreamServer, packet: Uint8Array): Promise<Begun> {
  const { socket } = connection;
  socket.on('error', () => undefined);
  const reader = new SocketReader(socket, upstreamClosed);
  socket.write(packet);
  try {
    const refusal = await within(connectTimeoutMs(server), socket, () => refusalIn(reader));
    return { ...connection, reader, server, refusal };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The SQLSTATE of the ErrorResponse that the server begins with; undefined where it begins otherwise. Nothing is taken. */
async function refusalIn(reader: SocketReader): Promise<string | undefined> {
  const [type] = await reader.peek(1);
  if (type !== BACKEND.errorResponse) return undefined;
  const frame = await reader.peekFrame(MAX_AUTH_MESSAGE_BYTES);
  return decodeErrorFields(frame.body).get('C');
}

function fits({ isStandby, isReadOnly }: ServerRole, target: TargetServer): boolean {
  switch (target) {
    case 'any':
      return true;
    case 'read-write':
      return !isStandby && !isReadOnly;
    case 'read-only':
      return isStandby || isReadOnly;
    case 'primary':
      return !isStandby;
    case 'standby':
    case 'prefer-standby':
      return isStandby;
  }
}

function shuffled<Item>(items: readonly Item[]): readonly Item[] {
  return items
    .map((item) => ({ item, at: randomInt(0x7fffffff) }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

function unavailable(message: string): PostgresError {
  return new PostgresError('ERR_POSTGRES_UPSTREAM_UNREACHABLE', message, { sqlstate: '08001' });
}
