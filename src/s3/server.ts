/**
 * The S3 listener: HTTP or HTTPS, keep-alive, limits and timeouts, and a graceful end. What a request means is `edge/exchange.ts`.
 *
 * Threats: slow headers, endless headers, malformed requests: each ends its own connection with an S3 error, never the process.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createAuthenticator, type S3AccessKey } from './auth/authenticate.ts';
import type { OperationTable } from './decide.ts';
import { exchange, type EdgeOptions, type ExchangeOutcome } from './edge/exchange.ts';
import { formatErrorDocument } from './xml/error-document.ts';
import { S3Error, type S3ErrorCode } from './errors.ts';
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_MS, MAX_HEADER_BYTES, MAX_SILENCE_MS } from './limits.ts';
import type { GatewayContext } from './operation.ts';
import { SigningKeyCache } from '../sigv4/signing-key.ts';

export type S3ServerOptions = {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** PEM; with it the listener speaks HTTPS. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly accessKeys: readonly S3AccessKey[];
  /** The region clients must sign for; undefined accepts any. */
  readonly region: string | undefined;
  /** Domains under which `bucket.domain` names a bucket. */
  readonly virtualHostDomains: readonly string[];
  readonly gateway: GatewayContext;
  /** The operations on sealed keys (`operations/index-table.ts`). */
  readonly operations: OperationTable;
  readonly onFinished?: (outcome: ExchangeOutcome) => void;
};

export class S3Server {
  readonly #options: S3ServerOptions;
  readonly #server: Server;
  /** Of each connection, the answers that are not out yet. */
  readonly #answers = new WeakMap<Duplex, Set<ServerResponse>>();
  #draining = false;

  constructor(options: S3ServerOptions) {
    this.#options = options;
    const edge = edgeOptions(options, () => this.#draining);
    const handle = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
      this.#watch(outgoing);
      void exchange(incoming, outgoing, edge);
    };
    this.#server = createListener(options, handle);
    // Answered by the exchange itself, after authentication and rules.
    this.#server.on('checkContinue', handle);
    this.#server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
      // An error written now would be bytes of the answer that is being sent.
      if (
        this.#answers
          .get(socket)
          ?.values()
          .some((outgoing) => outgoing.headersSent) === true
      )
        socket.destroy();
      else refuseUnparsable(error, socket);
    });
    this.#server.on('dropRequest', (_incoming, socket: Duplex) => socket.destroy());
  }

  #watch(outgoing: ServerResponse): void {
    const { socket } = outgoing.req;
    const answers = this.#answers.get(socket) ?? new Set();
    this.#answers.set(socket, answers.add(outgoing));
    outgoing.once('close', () => answers.delete(outgoing));
  }

  /** Resolves with the port. Rejects with ERR_S3_LISTEN. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) =>
        reject(new S3Error('ERR_S3_LISTEN', `cannot listen on ${host}:${port}`, { cause: error })),
      );
      this.#server.listen({ host, port }, resolve);
    });
    // A listening TCP server has an address object.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no new connections, lets requests in flight end within `graceMs`, then closes what is left. */
  async close(graceMs: number): Promise<void> {
    if (!this.#server.listening) return;
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const late = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(late);
  }
}

function edgeOptions(options: S3ServerOptions, draining: () => boolean): EdgeOptions {
  const { gateway, operations, onFinished } = options;
  return {
    gateway,
    operations,
    domains: options.virtualHostDomains,
    draining,
    authenticate: createAuthenticator({
      accessKeys: options.accessKeys,
      region: options.region,
      now: gateway.now,
      signingKeys: new SigningKeyCache(),
    }),
    ...(onFinished === undefined ? {} : { onFinished }),
  };
}

type Handler = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

function createListener(options: S3ServerOptions, handle: Handler): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // A body may take hours; who sends nothing is ended by `client-bytes.ts`.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAlive: true,
    noDelay: true,
    highWaterMark: 128 * 1024,
  };
  const server =
    options.tls === undefined
      ? createServer(limits, handle)
      : createTlsServer({ ...limits, ...options.tls, minVersion: 'TLSv1.2' }, handle);
  server.timeout = MAX_SILENCE_MS;
  return server;
}

const CODES: Readonly<Record<string, S3ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'ERR_S3_REQUEST_HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'ERR_S3_REQUEST_TIMEOUT',
};

/** What is no HTTP gets one error document, and its connection is closed. */
function refuseUnparsable(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const document = formatErrorDocument(
    new S3Error(CODES[error.code ?? ''] ?? 'ERR_S3_INVALID_REQUEST', undefined),
    '',
    '/',
  );
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/xml\r\ncontent-length: ${document.length}\r\nconnection: close\r\n\r\n`;
  socket.end(Buffer.concat([Buffer.from(head), document]));
}
