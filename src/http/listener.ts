/**
 * An HTTP or HTTPS listener with a graceful end: what the S3 gateway and the KMS edge have in common. What a request means is theirs.
 *
 * Threat: bytes that are no HTTP end their own connection with an error, never the process, and never inside an answer that is
 * being sent.
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type TLSSocket, type TlsOptions } from 'node:tls';

export type HttpListenerOptions = {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Other processes of ours listen there too, and the system gives connections to one or the other. */
  readonly sharesPort?: boolean | undefined;
  /** Undefined: plain HTTP. */
  readonly tls: TlsOptions | undefined;
  readonly server: ServerOptions;
  readonly maxConnections?: number;
  /** A connection on which nothing moves for so long is closed; undefined: never. */
  readonly silenceMs?: number;
  readonly handle: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  /** The answer to what is no HTTP, by the code of Node's error. */
  readonly unparsable: (code: string) => Refusal;
};

export type Refusal = { readonly status: string; readonly type: string; readonly body: Uint8Array };

export class HttpListener {
  readonly #options: HttpListenerOptions;
  readonly #server: Server;
  /** Of each connection, the answers that are not out yet. */
  readonly #answers = new WeakMap<Duplex, Set<ServerResponse>>();
  /** How often those who show certificates have been looked at by others: now, when each connection came, and when each that is secured did. */
  #renewals = 0;
  readonly #came = new Map<string, number>();
  readonly #renewalsAt = new WeakMap<Duplex, number>();
  #draining = false;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    const handle = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
      if (this.#isOutdated(incoming.socket)) return this.#leave(incoming.socket);
      this.#watch(outgoing);
      options.handle(incoming, outgoing);
    };
    const { tls, server } = options;
    this.#server = tls === undefined ? createServer(server, handle) : createTlsServer({ ...server, ...tls }, handle);
    if (options.maxConnections !== undefined) this.#server.maxConnections = options.maxConnections;
    if (options.silenceMs !== undefined) this.#server.timeout = options.silenceMs;
    // Answered by the handler itself, once it is known who asks for what.
    this.#server.on('checkContinue', handle);
    this.#server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => this.#refuse(error, socket));
    this.#server.on('dropRequest', (_incoming, socket: Duplex) => socket.destroy());
    if (tls?.requestCert === true) this.#watchCertificates();
  }

  /** Whether the answer closes its connection: the listener ends, or the client's certificate was looked at by what has been replaced. */
  closesAfter({ socket }: IncomingMessage): boolean {
    return this.#draining || this.#isOutdated(socket);
  }

  /**
   * From now on connections are made with these. Where clients show certificates, connections of before end, those too whose handshake is under
   * way: a request that has begun is answered, and none after it is taken. Throws OpenSSL's error, and nothing has changed, where they cannot be
   * used.
   */
  renew(tls: TlsOptions): void {
    if (!(this.#server instanceof TlsServer)) return;
    createSecureContext(tls);
    this.#server.setSecureContext(tls);
    if (tls.requestCert !== true) return;
    this.#renewals += 1;
    this.#server.closeIdleConnections();
  }

  #watchCertificates(): void {
    this.#server.on('connection', (socket: Socket) => {
      const address = addressOf(socket);
      this.#came.set(address, this.#renewals);
      socket.once('close', () => this.#came.delete(address));
    });
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      // Its handshake was finished with what it began with.
      const renewals = this.#came.get(addressOf(socket)) ?? -1;
      this.#renewalsAt.set(socket, renewals);
      if (renewals !== this.#renewals) socket.destroy();
    });
  }

  /** Of a connection that shows no certificates there is nothing to be outdated. */
  #isOutdated(socket: Duplex): boolean {
    return (this.#renewalsAt.get(socket) ?? this.#renewals) !== this.#renewals;
  }

  /** A request that came too late is not taken; what is being answered is answered first. */
  #leave(socket: Duplex): void {
    const [answer] = this.#answers.get(socket) ?? [];
    if (answer === undefined) socket.destroy();
    else answer.once('close', () => this.#leave(socket));
  }

  /** Resolves with the port. Rejects with the operating system's error. */
  async listen(): Promise<number> {
    const { host, port, sharesPort = false } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, reusePort: sharesPort }, resolve);
    });
    // A listening TCP server has an address object.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no new connections, lets requests under way end within `graceMs`, then closes what is left. */
  async close(graceMs: number): Promise<void> {
    if (!this.#server.listening) return;
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const late = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(late);
  }

  #watch(outgoing: ServerResponse): void {
    const { socket } = outgoing.req;
    const answers = this.#answers.get(socket) ?? new Set();
    this.#answers.set(socket, answers.add(outgoing));
    outgoing.once('close', () => answers.delete(outgoing));
  }

  #refuse({ code = '' }: Error & { code?: string }, socket: Duplex): void {
    // An error written now would be bytes of the answer that is being sent.
    const isAnswering =
      this.#answers
        .get(socket)
        ?.values()
        .some((outgoing) => outgoing.headersSent) === true;
    if (isAnswering || !socket.writable || code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const { status, type, body } = this.#options.unparsable(code);
    const head = `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
    socket.end(Buffer.concat([Buffer.from(head), body]));
  }
}

/** A name for a connection that its socket and the TLS over it have in common, as long as it is there. */
const addressOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`;
