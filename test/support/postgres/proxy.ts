/** The Postgres proxy for tests, and clients that speak to it in raw bytes. */
import { connect, type Socket } from 'node:net';
import { connectTo } from './connect.ts';
import { startPostgresProxy, type PostgresProxy, type PostgresProxyOptions } from '../../../src/postgres/server.ts';
import type { TestPostgres } from './postgres.ts';

export type LogLine = {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

export type TestProxy = PostgresProxy & {
  readonly log: readonly LogLine[];
  url(database?: string, user?: string, password?: string): string;
};

/** On a free port in front of `server`; relays authentication and has no rules unless told. */
export async function startTestProxy(
  server: TestPostgres,
  options: Partial<PostgresProxyOptions> = {},
): Promise<TestProxy> {
  const log: LogLine[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void log.push({ level, message, fields: { ...fields } });
  const proxy = await startPostgresProxy({
    listen: { host: '127.0.0.1', port: 0 },
    upstream: { servers: [server], tls: { mode: 'disable' } },
    authentication: { type: 'relay' },
    databases: new Map(),
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    ...options,
  });
  return Object.assign(proxy, {
    log,
    url: (database = 'postgres', user = server.superuser, password = server.password) =>
      `postgres://${user}:${password}@127.0.0.1:${proxy.port}/${database}`,
  });
}

export type RawMessage = { readonly type: string; readonly body: Buffer };

/** A socket and what came over it, cut into messages. */
export class RawClient {
  readonly socket: Socket;
  closed = false;
  #received = Buffer.alloc(0);
  #later: Buffer[] = [];
  #laterBytes = 0;
  #waiters: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#later.push(chunk);
      this.#laterBytes += chunk.length;
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  /** Logged in by npm `pg`, which then lets go of the socket. */
  static async login(url: string): Promise<RawClient> {
    const client = await connectTo(url);
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection; // npm pg's inner connection
    client.removeAllListeners();
    stream.removeAllListeners();
    return new RawClient(stream);
  }

  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  async bytes(length: number): Promise<Buffer> {
    while (this.#received.length + this.#laterBytes < length && !this.closed) await this.#more();
    if (this.#received.length < length) {
      this.#received = Buffer.concat([this.#received, ...this.#later]);
      this.#later = [];
      this.#laterBytes = 0;
    }
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(bytes.length);
    return bytes;
  }

  /** The next message; undefined once the connection is closed. */
  async message(): Promise<RawMessage | undefined> {
    const header = await this.bytes(5);
    if (header.length < 5) return undefined;
    return { type: String.fromCharCode(header[0] ?? 0), body: await this.bytes(header.readUInt32BE(1) - 4) };
  }

  /** Messages up to and with the n-th ReadyForQuery, or up to the end of the connection. */
  async untilReady(times = 1): Promise<RawMessage[]> {
    const messages: RawMessage[] = [];
    for (let left = times; left > 0;) {
      const message = await this.message();
      if (message === undefined) break;
      messages.push(message);
      if (message.type === 'Z') left--;
    }
    return messages;
  }

  async untilClosed(): Promise<RawMessage[]> {
    const messages: RawMessage[] = [];
    for (let message = await this.message(); message !== undefined; message = await this.message())
      messages.push(message);
    return messages;
  }

  end(): void {
    this.socket.destroy();
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

/** Types of messages as one string: `1 2 T D C Z`. */
export const types = (messages: readonly RawMessage[]): string => messages.map(({ type }) => type).join('');

/** Error fields by letter of the first ErrorResponse. */
export function errorOf(messages: readonly RawMessage[]): Record<string, string> {
  const error = messages.find(({ type }) => type === 'E');
  const parts =
    error?.body
      .toString()
      .split('\0')
      .filter((part) => part !== '') ?? [];
  return Object.fromEntries(parts.map((part): [string, string] => [part.charAt(0), part.slice(1)]));
}

/** The transaction status of the last ReadyForQuery: I, T or E. */
export const statusOf = (messages: readonly RawMessage[]): string | undefined =>
  messages.findLast(({ type }) => type === 'Z')?.body.toString();
